using System.Text;
using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.FileSystem.Local;

namespace Kworker.Nfsd.Tests.FileSystem;

/// <summary>Files, names, links and attributes of a served directory.</summary>
public sealed class LocalFileTests : IDisposable
{
    private readonly Served _served = new(new LocalFileSystemOptions());

    public void Dispose() => _served.Dispose();

    [Fact]
    public void What_is_written_is_read()
    {
        NfsHandle file = _served.Create("file");
        byte[] data = new byte[300_000];
        Random.Shared.NextBytes(data);
        foreach (NfsStability stability in Enum.GetValues<NfsStability>())
        {
            Assert.Equal(NfsStatus.Ok, _served.Fs.Write(NfsCredentials.Root, file, 1000, data, stability, out NfsWritten written, out NfsChange change));
            Assert.Equal(data.Length, written.Count);
            Assert.True(written.Committed >= stability);
            Assert.Equal((ulong)data.Length + 1000, change.After!.Value.Size);
        }
        Assert.Equal(NfsStatus.Ok, _served.Fs.Commit(NfsCredentials.Root, file, 0, 0, out _, out _));
        byte[] back = new byte[data.Length];
        Assert.Equal(NfsStatus.Ok, _served.Fs.Read(NfsCredentials.Root, file, 1000, back, out int count, out bool isEnd, out NfsAttributes? attributes));
        Assert.Equal(data.Length, count);
        Assert.True(isEnd);
        Assert.Equal(data, back);
        Assert.Equal((ulong)data.Length + 1000, attributes!.Value.Size);
        Assert.Equal(NfsStatus.Ok, _served.Fs.Read(NfsCredentials.Root, file, 1000, back.AsSpan(1), out _, out isEnd, out _));
        Assert.False(isEnd);
        Assert.Equal(NfsStatus.Ok, _served.Fs.Read(NfsCredentials.Root, file, ulong.MaxValue, back, out count, out isEnd, out _));
        Assert.Equal((0, true), (count, isEnd));
        Assert.Equal(NfsStatus.FBig, _served.Fs.Write(NfsCredentials.Root, file, long.MaxValue, data, NfsStability.Unstable, out _, out _));
    }

    [Fact]
    public void Before_and_after_fit_together()
    {
        NfsHandle file = _served.Create("file");
        NfsAttributes first = _served.Attributes(file);
        _served.Fs.Write(NfsCredentials.Root, file, 0, "abc"u8, NfsStability.FileSync, out _, out NfsChange change);
        Assert.Equal(NfsBefore.Of(first), change.Before);
        Assert.Equal(_served.Attributes(file).ChangeTime, change.After!.Value.ChangeTime);

        NfsAttributes directory = _served.Attributes(_served.Root);
        _served.Fs.Remove(NfsCredentials.Root, _served.Root, "nothing"u8, out change);
        Assert.Equal(NfsBefore.Of(directory), change.Before);
        _served.Fs.Remove(NfsCredentials.Root, _served.Root, "file"u8, out change);
        Assert.Equal(NfsBefore.Of(directory), change.Before);
        Assert.Equal(_served.Attributes(_served.Root), change.After);
    }

    [Fact]
    public void Names_are_bytes()
    {
        byte[][] names = [[0xff, 0xfe, 0x01], "new\nline"u8.ToArray(), " "u8.ToArray(), [.. Enumerable.Repeat((byte)0xe4, 255)], "..."u8.ToArray(), "\\"u8.ToArray()];
        foreach (byte[] name in names)
        {
            Assert.Equal(NfsStatus.Ok, _served.Fs.Create(NfsCredentials.Root, _served.Root, name, NfsCreateHow.Guarded(), out NfsFile made, out _));
            Assert.Equal(NfsStatus.Ok, _served.TryLookup(_served.Root, name, out NfsHandle found));
            Assert.Equal(made.Handle, found);
        }
        List<byte[]> listed = [.. Listing.Of(_served, _served.Root).Select(entry => entry.Name).Where(name => !NfsName.IsDotOrDotDot(name))];
        Assert.Equal(names.Select(Convert.ToHexString).Order(), listed.Select(Convert.ToHexString).Order());
        Assert.Equal(NfsStatus.NameTooLong, _served.TryLookup(_served.Root, new byte[256].Select(_ => (byte)'a').ToArray(), out _));
        Assert.Equal(NfsStatus.Acces, _served.TryLookup(_served.Root, [], out _));
        Assert.Equal(NfsStatus.Acces, _served.TryLookup(_served.Root, "a/b"u8, out _));
        Assert.Equal(NfsStatus.Acces, _served.TryLookup(_served.Root, "a\0b"u8, out _));
        Assert.Equal(NfsStatus.Exist, _served.Fs.Create(NfsCredentials.Root, _served.Root, ".."u8, NfsCreateHow.Unchecked(), out _, out _));
        Assert.Equal(NfsStatus.Inval, _served.Fs.RemoveDirectory(NfsCredentials.Root, _served.Root, "."u8, out _));
    }

    [Fact]
    public void Files_are_sparse_past_4_GiB()
    {
        const ulong far = 5ul << 30;
        NfsHandle file = _served.Create("sparse");
        Assert.Equal(NfsStatus.Ok, _served.Write(file, "end", far));
        NfsAttributes attributes = _served.Attributes(file);
        Assert.Equal(far + 3, attributes.Size);
        Assert.True(attributes.Used < 1 << 20);
        byte[] buffer = new byte[8];
        Assert.Equal(NfsStatus.Ok, _served.Fs.Read(NfsCredentials.Root, file, far - 2, buffer, out int count, out bool isEnd, out _));
        Assert.Equal("\0\0end"u8, buffer.AsSpan(0, count));
        Assert.True(isEnd);
    }

    [Fact]
    public void Create_takes_guards_and_truncates()
    {
        NfsHandle file = _served.Create("file");
        _served.Write(file, "content");
        Assert.Equal(NfsStatus.Exist, _served.Fs.Create(NfsCredentials.Root, _served.Root, "file"u8, NfsCreateHow.Guarded(), out _, out _));
        Assert.Equal(NfsStatus.Ok, _served.Fs.Create(NfsCredentials.Root, _served.Root, "file"u8, NfsCreateHow.Unchecked(), out NfsFile same, out _));
        Assert.Equal(file, same.Handle);
        Assert.Equal("content", _served.Read(file));
        Assert.Equal(NfsStatus.Ok, _served.Fs.Create(
            NfsCredentials.Root, _served.Root, "file"u8, NfsCreateHow.Unchecked(new NfsAttributeChanges { Size = 0 }), out same, out _));
        Assert.Equal(0u, same.Attributes!.Value.Size);
        _served.MakeDirectory("directory");
        Assert.Equal(NfsStatus.Exist, _served.Fs.Create(NfsCredentials.Root, _served.Root, "directory"u8, NfsCreateHow.Unchecked(), out _, out _));
    }

    [Fact]
    public void An_exclusive_create_is_known_again_after_a_restart()
    {
        const ulong verifier = 0xfedcba9876543210;
        NfsCreateHow how = NfsCreateHow.Exclusive(verifier);
        Assert.Equal(NfsStatus.Ok, _served.Fs.Create(NfsCredentials.Root, _served.Root, "file"u8, how, out NfsFile first, out _));
        Assert.Equal(NfsStatus.Ok, _served.Fs.Create(NfsCredentials.Root, _served.Root, "file"u8, how, out NfsFile again, out _));
        Assert.Equal(first.Handle, again.Handle);
        _served.Restart();
        Assert.Equal(NfsStatus.Ok, _served.Fs.Create(NfsCredentials.Root, _served.Root, "file"u8, how, out again, out _));
        Assert.Equal(first.Handle, again.Handle);
        Assert.Equal(NfsStatus.Exist, _served.Fs.Create(NfsCredentials.Root, _served.Root, "file"u8, NfsCreateHow.Exclusive(verifier + 1), out _, out _));

        // What the client does next: from then on the file is like any other.
        Assert.Equal(NfsStatus.Ok, _served.Set(first.Handle, new NfsAttributeChanges { Mode = 0x1a4, ModifyTime = NfsTimeChange.Now, AccessTime = NfsTimeChange.Now }));
        Assert.Equal(NfsStatus.Exist, _served.Fs.Create(NfsCredentials.Root, _served.Root, "file"u8, how, out _, out _));
    }

    [Fact]
    public void The_mode_asked_for_is_the_mode_given_whatever_the_umask()
    {
        Assert.Equal(0x1ffu, _served.Attributes(_served.Create("file", 0x1ff)).Mode);
        Assert.Equal(0x3ffu, _served.Attributes(_served.MakeDirectory("directory", 0x3ff)).Mode);
        Assert.Equal(NfsStatus.Ok, _served.Fs.MakeSpecial(
            NfsCredentials.Root, _served.Root, "pipe"u8, new NfsSpecialFile(NfsFileType.NamedPipe, new NfsAttributeChanges { Mode = 0x1b6 }), out NfsFile pipe, out _));
        Assert.Equal(0x1b6u, pipe.Attributes!.Value.Mode);
    }

    [Fact]
    public void Attributes_are_set_and_guarded()
    {
        NfsHandle file = _served.Create("file");
        _served.Write(file, "0123456789");
        var time = new NfsTime(1_000_000_000, 123_456_789);
        Assert.Equal(NfsStatus.Ok, _served.Set(file, new NfsAttributeChanges
        {
            Mode = 0x180,
            Size = 4,
            AccessTime = NfsTimeChange.To(new NfsTime(5, 6)),
            ModifyTime = NfsTimeChange.To(time),
        }));
        NfsAttributes attributes = _served.Attributes(file);
        Assert.Equal((0x180u, 4ul, time, new NfsTime(5, 6)), (attributes.Mode, attributes.Size, attributes.ModifyTime, attributes.AccessTime));

        var changes = new NfsAttributeChanges { Mode = 0 };
        Assert.Equal(NfsStatus.NotSync, _served.Fs.SetAttributes(NfsCredentials.Root, file, changes, new NfsTime(1, 2), out _));
        Assert.Equal(NfsStatus.Ok, _served.Fs.SetAttributes(NfsCredentials.Root, file, changes, attributes.ChangeTime, out _));
        Assert.Equal(NfsStatus.IsDir, _served.Set(_served.Root, new NfsAttributeChanges { Size = 0 }));
        Assert.Equal(NfsStatus.Ok, _served.Set(file, new NfsAttributeChanges { Size = 1ul << 33 }));
        Assert.Equal(1ul << 33, _served.Attributes(file).Size);
    }

    [Fact]
    public void Links_of_both_kinds_work()
    {
        NfsHandle file = _served.Create("file");
        _served.Write(file, "content");
        Assert.Equal(NfsStatus.Ok, _served.Fs.Link(NfsCredentials.Root, file, _served.Root, "second"u8, out NfsAttributes? attributes, out _));
        Assert.Equal(2u, attributes!.Value.LinkCount);
        Assert.Equal(file, _served.Lookup("second"));
        Assert.Equal(NfsStatus.Ok, _served.Fs.Remove(NfsCredentials.Root, _served.Root, "file"u8, out _));
        Assert.Equal("content", _served.Read(file));

        byte[] target = [.. "/no\\where/"u8, 0xff];
        Assert.Equal(NfsStatus.Ok, _served.Fs.MakeSymbolicLink(NfsCredentials.Root, _served.Root, "link"u8, target, default, out NfsFile link, out _));
        byte[] buffer = new byte[4096];
        Assert.Equal(NfsStatus.Ok, _served.Fs.ReadLink(NfsCredentials.Root, link.Handle, buffer, out int length, out _));
        Assert.Equal(target, buffer[..length]);
        Assert.Equal(NfsStatus.Inval, _served.Fs.ReadLink(NfsCredentials.Root, file, buffer, out _, out _));
        Assert.Equal(NfsStatus.Inval, _served.Fs.Read(NfsCredentials.Root, link.Handle, 0, buffer, out _, out _, out _));
        Assert.Equal(NfsStatus.Ok, _served.Fs.Link(NfsCredentials.Root, link.Handle, _served.Root, "link2"u8, out _, out _));
        Assert.Equal(link.Handle, _served.Lookup("link2"));
        Assert.Equal(NfsStatus.IsDir, _served.Fs.Link(NfsCredentials.Root, _served.Root, _served.Root, "loop"u8, out _, out _));
        Assert.Equal(NfsStatus.Ok, _served.Set(link.Handle, new NfsAttributeChanges { ModifyTime = NfsTimeChange.To(new NfsTime(7, 8)) }));
        Assert.Equal(new NfsTime(7, 8), _served.Attributes(link.Handle).ModifyTime);
    }

    [Fact]
    public void Renaming_replaces_what_it_may()
    {
        NfsHandle one = _served.Create("one"), two = _served.Create("two");
        NfsHandle directory = _served.MakeDirectory("directory");
        _served.Write(one, "one");
        _served.Write(two, "two");
        Assert.Equal(NfsStatus.Ok, _served.Fs.Rename(NfsCredentials.Root, _served.Root, "one"u8, _served.Root, "two"u8, out _, out _));
        Assert.Equal(one, _served.Lookup("two"));
        Assert.Equal(NfsStatus.Stale, _served.TryRead(two, out _));
        Assert.Equal(NfsStatus.Ok, _served.Fs.Rename(NfsCredentials.Root, _served.Root, "two"u8, directory, "deep"u8, out _, out NfsChange change));
        Assert.Equal("one", _served.Read(_served.Lookup("directory/deep")));
        Assert.NotNull(change.Before);
        Assert.Equal(NfsStatus.NotEmpty, _served.Fs.RemoveDirectory(NfsCredentials.Root, _served.Root, "directory"u8, out _));
        Assert.Equal(NfsStatus.IsDir, _served.Fs.Remove(NfsCredentials.Root, _served.Root, "directory"u8, out _));
        Assert.Equal(NfsStatus.NotDir, _served.Fs.RemoveDirectory(NfsCredentials.Root, directory, "deep"u8, out _));
        Assert.Equal(NfsStatus.NoEnt, _served.Fs.Rename(NfsCredentials.Root, _served.Root, "none"u8, directory, "x"u8, out _, out _));
        Assert.Equal(NfsStatus.Inval, _served.Fs.Rename(NfsCredentials.Root, _served.Root, "directory"u8, directory, "inside-itself"u8, out _, out _));
        Assert.Equal(NfsStatus.NotDir, _served.TryLookup(one, "x"u8, out _));
    }

    [Fact]
    public void Removed_files_are_stale_even_while_their_descriptor_is_kept()
    {
        NfsHandle file = _served.Create("file");
        _served.Write(file, "content");
        File.Delete(_served.At("file"));
        Assert.Equal(NfsStatus.Stale, _served.TryRead(file, out _));
        Assert.Equal(NfsStatus.Stale, _served.Write(file, "x"));
        Assert.Equal(NfsStatus.Stale, _served.TryAttributes(file, out _));
    }

    [Fact]
    public void Special_files_are_made_and_never_opened()
    {
        foreach (NfsFileType type in new[] { NfsFileType.NamedPipe, NfsFileType.Socket, NfsFileType.CharacterDevice })
        {
            if (type == NfsFileType.CharacterDevice && !Served.IsRoot)
                continue; // Making devices is root's.
            byte[] name = Encoding.ASCII.GetBytes(type.ToString());
            Assert.Equal(NfsStatus.Ok, _served.Fs.MakeSpecial(
                NfsCredentials.Root, _served.Root, name, new NfsSpecialFile(type, new NfsAttributeChanges { Mode = 0x1b6 }, 1, 300), out NfsFile file, out _));
            Assert.Equal(type, file.Attributes!.Value.Type);
            if (type == NfsFileType.CharacterDevice)
                Assert.Equal((1u, 300u), (file.Attributes.Value.DeviceMajor, file.Attributes.Value.DeviceMinor));
            Assert.Equal(NfsStatus.Inval, _served.TryRead(file.Handle, out _));
            Assert.Equal(NfsStatus.Inval, _served.Write(file.Handle, "x"));
            Assert.Equal(NfsStatus.Exist, _served.Fs.Create(NfsCredentials.Root, _served.Root, name, NfsCreateHow.Unchecked(), out _, out _));
        }
        Assert.Equal(NfsStatus.BadType, _served.Fs.MakeSpecial(
            NfsCredentials.Root, _served.Root, "x"u8, new NfsSpecialFile(NfsFileType.Regular, default), out _, out _));
    }

    [Fact]
    public void The_file_system_tells_its_size_and_limits()
    {
        Assert.Equal(NfsStatus.Ok, _served.Fs.GetSpace(NfsCredentials.Root, _served.Root, out NfsSpace space, out NfsAttributes? attributes));
        var drive = new DriveInfo(_served.Path);
        Assert.Equal((ulong)drive.TotalSize, space.TotalBytes);
        Assert.NotNull(attributes);
        Assert.Equal(NfsStatus.Ok, _served.Fs.GetPathLimits(NfsCredentials.Root, _served.Root, out NfsPathLimits limits, out _));
        Assert.Equal(255u, limits.MaxNameLength);
        Assert.Equal(NfsStatus.Ok, _served.Fs.GetCapabilities(NfsCredentials.Root, _served.Root, out NfsCapabilities capabilities, out _));
        Assert.True(capabilities.HasHardLinks);
        Assert.Equal(NfsStatus.Ok, _served.Fs.Sync());
    }
}
