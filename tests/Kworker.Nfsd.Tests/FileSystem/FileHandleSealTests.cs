using Kworker.Nfsd.FileSystem;

namespace Kworker.Nfsd.Tests.FileSystem;

public sealed class FileHandleSealTests
{
    private static readonly byte[] s_key = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

    [Fact]
    public void The_code_is_that_of_the_paper()
    {
        // Test vector of SipHash-2-4, Appendix A of the paper: key 00..0f, message 00..0e.
        Assert.Equal(0xa129ca6149be45e5, SipHash.Compute(s_key, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]));
    }

    [Fact]
    public void A_handle_comes_back_as_it_went()
    {
        var seal = new FileHandleSeal(s_key);
        Span<byte> wire = stackalloc byte[FileHandleSeal.MaxSealedLength];
        var handle = new NfsHandle(new byte[NfsHandle.MaxLength]);
        int length = seal.Seal(77, handle, wire);
        Assert.True(length <= 64);
        Assert.True(seal.TryOpen(wire[..length], out uint export, out NfsHandle back));
        Assert.Equal(77u, export);
        Assert.Equal(handle, back);
    }

    [Fact]
    public void Any_changed_bit_and_any_other_length_is_refused()
    {
        var seal = new FileHandleSeal(s_key);
        byte[] wire = new byte[FileHandleSeal.MaxSealedLength];
        int length = seal.Seal(1, NfsHandle.FromUInt64(12), wire);
        for (int bit = 0; bit < length * 8; bit++)
        {
            wire[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(seal.TryOpen(wire.AsSpan(0, length), out _, out _));
            wire[bit / 8] ^= (byte)(1 << (bit % 8));
        }
        for (int other = 0; other <= wire.Length; other++)
            Assert.Equal(other == length, seal.TryOpen(wire.AsSpan(0, other), out _, out _));
        Assert.False(new FileHandleSeal(new byte[16]).TryOpen(wire.AsSpan(0, length), out _, out _));
    }

    [Fact]
    public void The_key_is_kept_for_its_owner_only()
    {
        string directory = Directory.CreateTempSubdirectory("kworker").FullName;
        try
        {
            string path = Path.Combine(directory, "state", "handles.key");
            byte[] key = FileHandleSeal.LoadOrCreateKey(path);
            Assert.Equal(key, FileHandleSeal.LoadOrCreateKey(path));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
            File.WriteAllBytes(path, [1]);
            Assert.Contains(path, Assert.Throws<InvalidDataException>(() => FileHandleSeal.LoadOrCreateKey(path)).Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
