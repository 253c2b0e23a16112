using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Kworker.Nfsd.FileSystem;

/// <summary>Makes handles for the wire of a file system's, and back: puts the export in front and proof of origin behind.</summary>
/// <remarks>
/// <para>On the wire: version (1 byte), export id (4, big-endian), the file system's bytes, message authentication code (8,
/// SipHash-2-4 over all before it). A client that makes up a handle, or moves one to another export, is found out: nothing is reached by handle but what
/// this server gave out under this key, whatever <c>open_by_handle_at</c> would open.</para>
/// <para>The key must outlive the server, else every client holds stale handles after a restart: keep it with the server's state
/// (<see cref="LoadOrCreateKey"/>). Thread-safe.</para>
/// </remarks>
public sealed class FileHandleSeal
{
    /// <summary>Length of the key in bytes.</summary>
    public const int KeyLength = SipHash.KeyLength;

    /// <summary>Longest sealed handle, in bytes. Within <c>NFS3_FHSIZE</c>.</summary>
    public const int MaxSealedLength = PrefixLength + NfsHandle.MaxLength + SipHash.TagLength;

    private const byte Version = 1;
    private const int PrefixLength = 1 + sizeof(uint);

    private readonly byte[] _key;

    /// <summary>Seals with <paramref name="key"/>, of which it takes a copy.</summary>
    /// <exception cref="ArgumentException">The key is not <see cref="KeyLength"/> bytes long.</exception>
    public FileHandleSeal(ReadOnlySpan<byte> key)
    {
        if (key.Length != KeyLength)
            throw new ArgumentException($"The key of file handles has {KeyLength} bytes, not {key.Length}.", nameof(key));
        _key = key.ToArray();
    }

    /// <summary>Writes the handle for the wire.</summary>
    /// <param name="exportId">Number of the export; the same after every restart.</param>
    /// <param name="handle">The file system's handle.</param>
    /// <param name="destination">Takes it; <see cref="MaxSealedLength"/> bytes are enough.</param>
    /// <returns>Bytes written.</returns>
    public int Seal(uint exportId, in NfsHandle handle, Span<byte> destination)
    {
        int length = PrefixLength + handle.Length;
        destination[0] = Version;
        BinaryPrimitives.WriteUInt32BigEndian(destination[1..], exportId);
        handle.Bytes.CopyTo(destination[PrefixLength..]);
        BinaryPrimitives.WriteUInt64BigEndian(destination[length..], SipHash.Compute(_key, destination[..length]));
        return length + SipHash.TagLength;
    }

    /// <summary>Takes a handle from the wire apart.</summary>
    /// <returns>False if it is none that <see cref="Seal"/> made with this key. <see cref="HasForm"/> tells what to answer.</returns>
    public bool TryOpen(ReadOnlySpan<byte> wire, out uint exportId, out NfsHandle handle)
    {
        exportId = 0;
        handle = default;
        if (!HasForm(wire))
            return false;
        int length = wire.Length - SipHash.TagLength;

        // One comparison of 64 bits: no early exit that would tell how many bytes of a guess were right.
        if (BinaryPrimitives.ReadUInt64BigEndian(wire[length..]) != SipHash.Compute(_key, wire[..length]))
            return false;
        exportId = BinaryPrimitives.ReadUInt32BigEndian(wire[1..]);
        handle = new NfsHandle(wire[PrefixLength..length]);
        return true;
    }

    /// <summary>
    /// Whether the bytes could be a handle of such a server, under whatever key. One that is but does not open is answered with
    /// <see cref="NfsStatus.Stale"/>: the key was lost, and clients say "stale file handle"; what is none, with <see cref="NfsStatus.BadHandle"/>.
    /// </summary>
    public static bool HasForm(ReadOnlySpan<byte> wire) =>
        wire.Length is > PrefixLength + SipHash.TagLength and <= MaxSealedLength && wire[0] == Version;

    /// <summary>Reads the key from <paramref name="path"/>, or makes one there, readable by this user only, if there is none.</summary>
    /// <remarks>Crash-safe: written beside, synced, and renamed into place.</remarks>
    /// <exception cref="InvalidDataException">The file is there but holds no key.</exception>
    /// <exception cref="IOException">It cannot be read or written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read or written.</exception>
    public static byte[] LoadOrCreateKey(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!File.Exists(path))
            CreateKey(path);
        byte[] key = File.ReadAllBytes(path);
        if (key.Length != KeyLength)
            throw new InvalidDataException($"'{path}' holds no key of file handles: {key.Length} bytes, not {KeyLength}.");
        return key;
    }

    private static void CreateKey(string path)
    {
        string? directory = Path.GetDirectoryName(Path.GetFullPath(path));
        if (directory is not null)
            Directory.CreateDirectory(directory);
        string draft = $"{path}.{Environment.ProcessId}.new";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var file = new FileStream(draft, options))
        {
            file.Write(RandomNumberGenerator.GetBytes(KeyLength));
            file.Flush(flushToDisk: true);
        }
        try
        {
            // Two servers that start at once: the first stays, both then read the same.
            File.Move(draft, path, overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(draft);
        }
    }
}
