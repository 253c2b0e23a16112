using System.Runtime.CompilerServices;

namespace Kworker.Nfsd.FileSystem.Local;

/// <summary>A name with the zero behind it that system calls want.</summary>
internal struct NameBuffer
{
    /// <summary>Longest name on any Linux file system (NAME_MAX).</summary>
    public const int MaxName = 255;

    [InlineArray(MaxName + 1)]
    private struct Storage
    {
        private byte _first;
    }

    private Storage _bytes;

    /// <summary>Copies <paramref name="name"/> if it is a name and not a path: the back end's own check, whatever was checked before.</summary>
    public NfsStatus Set(ReadOnlySpan<byte> name, NfsNameUse use)
    {
        NfsStatus status = NfsName.Check(name, use);
        if (status != NfsStatus.Ok)
            return status;
        if (name.Length > MaxName)
            return NfsStatus.NameTooLong;
        Span<byte> bytes = _bytes;
        name.CopyTo(bytes);
        bytes[name.Length] = 0;
        return NfsStatus.Ok;
    }

    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    public ref byte Start => ref Unsafe.As<Storage, byte>(ref _bytes);
}
