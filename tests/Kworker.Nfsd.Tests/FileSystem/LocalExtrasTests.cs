using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.FileSystem.Local;

namespace Kworker.Nfsd.Tests.FileSystem;

/// <summary>What NFSv4.2 asks of a served directory besides: extended attributes, storage, holes.</summary>
public sealed class LocalExtrasTests : IDisposable
{
    private readonly Served _served = new(new LocalFileSystemOptions { IsAsync = true });

    public void Dispose() => _served.Dispose();

    private NfsStatus Set(NfsHandle file, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, NfsExtendedAttributeMode how = NfsExtendedAttributeMode.Either) =>
        _served.Fs.SetExtendedAttribute(NfsCredentials.Root, file, name, value, how, out _);

    [Fact]
    public void Extended_attributes_are_set_read_listed_and_removed()
    {
        NfsHandle file = _served.Create("file");
        if (Set(file, "probe"u8, "x"u8) == NfsStatus.NotSupp)
            return; // This file system has none.
        _served.Fs.RemoveExtendedAttribute(NfsCredentials.Root, file, "probe"u8, out _);
        ulong change = _served.Attributes(file).Change;

        Assert.Equal(NfsStatus.NoEnt, Set(file, "one"u8, "1"u8, NfsExtendedAttributeMode.Replace));
        Assert.Equal(NfsStatus.Ok, Set(file, "one"u8, "1"u8, NfsExtendedAttributeMode.Create));
        Assert.Equal(NfsStatus.Exist, Set(file, "one"u8, "1"u8, NfsExtendedAttributeMode.Create));
        Assert.Equal(NfsStatus.Ok, Set(file, "one"u8, "uno"u8, NfsExtendedAttributeMode.Replace));
        Assert.Equal(NfsStatus.Ok, Set(file, "two"u8, []));
        Assert.True(_served.Attributes(file).Change > change);
        Assert.Equal(NfsStatus.Inval, Set(file, ""u8, "1"u8));
        Assert.Equal(NfsStatus.NameTooLong, Set(file, Enumerable.Repeat((byte)'x', 251).ToArray(), "1"u8));

        byte[] buffer = new byte[64 << 10];
        Assert.Equal(NfsStatus.Ok, _served.Fs.GetExtendedAttribute(NfsCredentials.Root, file, "one"u8, buffer, out int length));
        Assert.Equal("uno"u8.ToArray(), buffer[..length]);
        Assert.Equal(NfsStatus.TooSmall, _served.Fs.GetExtendedAttribute(NfsCredentials.Root, file, "one"u8, buffer.AsSpan(0, 2), out _));
        Assert.Equal(NfsStatus.NoEnt, _served.Fs.GetExtendedAttribute(NfsCredentials.Root, file, "three"u8, buffer, out _));
        Assert.Equal(NfsStatus.Ok, _served.Fs.ListExtendedAttributes(NfsCredentials.Root, file, buffer, out length));
        string[] names = System.Text.Encoding.ASCII.GetString(buffer, 0, length).Split('\0', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["one", "two"], names.Order());
        Assert.Equal(NfsStatus.Ok, _served.Fs.RemoveExtendedAttribute(NfsCredentials.Root, file, "one"u8, out NfsChange removed));
        Assert.NotEqual(removed.Before!.Value.Change, removed.After!.Value.Change);
        Assert.Equal(NfsStatus.NoEnt, _served.Fs.RemoveExtendedAttribute(NfsCredentials.Root, file, "one"u8, out _));
    }

    [Fact]
    public void Strangers_do_not_set_extended_attributes()
    {
        NfsHandle file = _served.Create("file");
        var stranger = new NfsCredentials(4321, 4321);
        NfsStatus status = _served.Fs.SetExtendedAttribute(stranger, file, "one"u8, "1"u8, default, out _);
        Assert.True(status is NfsStatus.Acces or NfsStatus.Perm or NfsStatus.NotSupp, status.ToString());
    }

    [Fact]
    public void Storage_is_taken_given_back_and_its_holes_are_found()
    {
        NfsHandle file = _served.Create("file");
        Assert.Equal(NfsStatus.Ok, _served.Fs.Allocate(NfsCredentials.Root, file, 0, 1 << 20, out NfsChange change));
        Assert.Equal(1ul << 20, change.After!.Value.Size);
        _served.Fs.Write(NfsCredentials.Root, file, 0, Enumerable.Repeat((byte)1, 1 << 20).ToArray(), NfsStability.FileSync, out _, out _);
        Assert.Equal(NfsStatus.Ok, _served.Fs.Deallocate(NfsCredentials.Root, file, 256 << 10, 256 << 10, out change));
        Assert.Equal(1ul << 20, change.After!.Value.Size);
        var read = new byte[256 << 10];
        _served.Fs.Read(NfsCredentials.Root, file, 256 << 10, read, out _, out _, out _);
        Assert.DoesNotContain((byte)1, read);

        Assert.Equal(NfsStatus.Ok, _served.Fs.Seek(NfsCredentials.Root, file, 0, true, out ulong found, out bool isEnd));
        Assert.Equal((256ul << 10, false), (found, isEnd));
        Assert.Equal(NfsStatus.Ok, _served.Fs.Seek(NfsCredentials.Root, file, found, false, out found, out isEnd));
        Assert.Equal((512ul << 10, false), (found, isEnd));
        Assert.Equal(NfsStatus.Ok, _served.Fs.Seek(NfsCredentials.Root, file, found, true, out found, out isEnd));
        Assert.Equal((1ul << 20, true), (found, isEnd));
        Assert.Equal(NfsStatus.Nxio, _served.Fs.Seek(NfsCredentials.Root, file, 1 << 20, false, out _, out _));
        Assert.Equal(NfsStatus.FBig, _served.Fs.Allocate(NfsCredentials.Root, file, long.MaxValue, 2, out _));
    }
}
