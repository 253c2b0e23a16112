using System.Globalization;
using System.Text;

namespace Kworker.Nfsd.Exports;

/// <summary>Paths of exports as bytes.</summary>
internal static class ExportPath
{
    /// <summary>Absolute, one slash between names, none at the end.</summary>
    public static byte[] Normalize(ReadOnlySpan<byte> path)
    {
        if (path.IsEmpty || path[0] != '/')
            throw new ExportsFormatException($"'{Show(path)}' is no absolute path");
        if (path.Contains((byte)0))
            throw new ExportsFormatException($"'{Show(path)}' has a NUL in it");
        var normal = new List<byte>(path.Length);
        foreach (Range range in path.Split((byte)'/'))
        {
            ReadOnlySpan<byte> name = path[range];
            if (name.IsEmpty)
                continue;
            if (FileSystem.NfsName.IsDotOrDotDot(name))
                throw new ExportsFormatException($"'{Show(path)}' has '{Show(name)}' in it: write the path without");
            normal.Add((byte)'/');
            normal.AddRange(name);
        }
        return normal.Count == 0 ? "/"u8.ToArray() : [.. normal];
    }

    /// <summary>Whether <paramref name="path"/> is <paramref name="top"/> or lies below it; both normal.</summary>
    public static bool IsWithin(ReadOnlySpan<byte> path, ReadOnlySpan<byte> top) =>
        top.Length == 1 || (path.StartsWith(top) && (path.Length == top.Length || path[top.Length] == '/'));

    /// <summary>For people: UTF-8 where it is, octal escapes where not.</summary>
    public static string Show(ReadOnlySpan<byte> path)
    {
        var text = new StringBuilder(path.Length);
        while (!path.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(path, out Rune rune, out int length) == System.Buffers.OperationStatus.Done && !Rune.IsControl(rune))
                text.Append(rune);
            else
                foreach (byte bad in path[..length])
                    text.Append('\\').Append(Convert.ToString(bad, 8).PadLeft(3, '0').ToString(CultureInfo.InvariantCulture));
            path = path[length..];
        }
        return text.ToString();
    }
}
