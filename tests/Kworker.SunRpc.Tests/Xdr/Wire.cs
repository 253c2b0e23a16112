namespace Kworker.SunRpc.Tests;

/// <summary>Bytes written by hand: hexadecimal with spaces as the reader likes them.</summary>
internal static class Wire
{
    public static byte[] Bytes(string hexadecimal) => Convert.FromHexString(string.Concat(hexadecimal.Where(c => !char.IsWhiteSpace(c))));

    public static byte[] Encode<T>(T value)
        where T : IXdr<T>
    {
        using var writer = new XdrWriter();
        value.Write(writer);
        return writer.Written.ToArray();
    }

    public static T Decode<T>(ReadOnlyMemory<byte> bytes)
        where T : IXdr<T>
    {
        var reader = new XdrReader(bytes);
        T value = T.Read(ref reader);
        Assert.Equal(0, reader.Remaining);
        return value;
    }

    public static T Decode<T>(string hexadecimal)
        where T : IXdr<T> => Decode<T>(Bytes(hexadecimal));
}
