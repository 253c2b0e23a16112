using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.FileSystem.Local;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.Nfsd.Tests.FileSystem;

/// <summary>What is on the disk when a call has returned, on disks of the tests' own: one whose power fails, one that breaks, one without handles.</summary>
public sealed class LocalDiskTests
{
    private const string NeedsMounts = "Only root can mount the disks that this test breaks; this run is not root's.";

    [Fact]
    public void What_was_answered_is_there_after_a_power_cut_and_unstable_data_is_not()
    {
        Assert.SkipUnless(Served.IsRoot, NeedsMounts);
        using var disk = new Disk();
        string mount = disk.MountExt4();
        using var served = new Served(new LocalFileSystemOptions(), mount);
        string below = Path.GetRelativePath(mount, served.Path);
        void Look(Action<Func<string, string>> check) => disk.AfterPowerCut(recovered => check(name => Path.Combine(recovered, below, name)));
        NfsCredentials root = NfsCredentials.Root;

        served.Fs.Sync();
        Assert.Equal(NfsStatus.Ok, served.Fs.Create(root, served.Root, "file"u8, NfsCreateHow.Exclusive(0x1234_5678_0000_0001), out NfsFile made, out _));
        NfsHandle file = made.Handle;
        Look(at => Assert.Equal(0x1234_5678, new DateTimeOffset(File.GetLastWriteTimeUtc(at("file"))).ToUnixTimeSeconds()));

        Assert.Equal(NfsStatus.Ok, served.Write(file, "unstable"));
        Look(at => Assert.Equal("", File.ReadAllText(at("file"))));
        Assert.Equal(NfsStatus.Ok, served.Fs.Commit(root, file, 0, 0, out _, out _));
        Look(at => Assert.Equal("unstable", File.ReadAllText(at("file"))));
        Assert.Equal(NfsStatus.Ok, served.Write(file, "d", 8, NfsStability.DataSync));
        Look(at => Assert.Equal("unstabled", File.ReadAllText(at("file"))));
        Assert.Equal(NfsStatus.Ok, served.Write(file, "f", 9, NfsStability.FileSync));
        Look(at => Assert.Equal("unstabledf", File.ReadAllText(at("file"))));

        // Committed after a restart of the server, by a descriptor that was not written through.
        Assert.Equal(NfsStatus.Ok, served.Write(file, "later", 10));
        served.Restart();
        Assert.Equal(NfsStatus.Ok, served.Fs.Commit(root, file, 0, 0, out _, out _));
        Look(at => Assert.Equal("unstabledflater", File.ReadAllText(at("file"))));

        Assert.Equal(NfsStatus.Ok, served.Set(file, new NfsAttributeChanges { Size = 3, Mode = 0x1c0 }));
        Look(at =>
        {
            Assert.Equal("uns", File.ReadAllText(at("file")));
            Assert.Equal((UnixFileMode)0x1c0, File.GetUnixFileMode(at("file")));
        });
        served.Fs.Files.Forget(file);
        Assert.Equal(NfsStatus.Ok, served.Set(file, new NfsAttributeChanges { Mode = 0x180 }));
        Look(at => Assert.Equal((UnixFileMode)0x180, File.GetUnixFileMode(at("file"))));

        NfsHandle directory = served.MakeDirectory("directory", 0x1c0);
        Look(at => Assert.Equal((UnixFileMode)0x1c0, File.GetUnixFileMode(at("directory"))));
        Assert.Equal(NfsStatus.Ok, served.Fs.MakeSymbolicLink(root, directory, "link"u8, "target"u8, default, out NfsFile link, out _));
        Look(at => Assert.Equal("target", new FileInfo(at("directory/link")).LinkTarget));
        Assert.Equal(NfsStatus.Ok, served.Set(link.Handle, new NfsAttributeChanges { Uid = 1000 }));
        Assert.Equal(NfsStatus.Ok, served.Fs.MakeSpecial(
            root, directory, "pipe"u8, new NfsSpecialFile(NfsFileType.NamedPipe, new NfsAttributeChanges { Mode = 0x180 }), out _, out _));
        Look(at => Assert.True(File.Exists(at("directory/pipe"))));
        Assert.Equal(NfsStatus.Ok, served.Fs.Link(root, file, directory, "second"u8, out _, out _));
        Look(at => Assert.Equal("uns", File.ReadAllText(at("directory/second"))));
        Assert.Equal(NfsStatus.Ok, served.Fs.Rename(root, served.Root, "file"u8, directory, "moved"u8, out _, out _));
        Look(at => Assert.Equal((false, true), (File.Exists(at("file")), File.Exists(at("directory/moved")))));
        Assert.Equal(NfsStatus.Ok, served.Fs.Remove(root, directory, "moved"u8, out _));
        Look(at => Assert.Equal((false, true), (File.Exists(at("directory/moved")), File.Exists(at("directory/second")))));
        NfsHandle empty = served.MakeDirectory("empty");
        Assert.NotEqual(default, empty);
        Assert.Equal(NfsStatus.Ok, served.Fs.RemoveDirectory(root, served.Root, "empty"u8, out _));
        Look(at => Assert.False(Directory.Exists(at("empty"))));
    }

    [Fact]
    public void A_disk_that_fails_is_told_to_every_client_that_could_lose_data()
    {
        Assert.SkipUnless(Served.IsRoot, NeedsMounts);
        using var disk = new Disk();
        using var served = new Served(new LocalFileSystemOptions(), disk.MountFailing());
        NfsHandle small = served.Create("small"), large = served.Create("large");

        // Taken into memory, both; there is no room for the large one on the medium.
        served.Fs.Write(NfsCredentials.Root, small, 0, "small"u8, NfsStability.Unstable, out NfsWritten first, out _);
        byte[] data = new byte[1 << 20];
        Random.Shared.NextBytes(data);
        for (ulong i = 0; i < 16; i++)
            Assert.Equal(NfsStatus.Ok, served.Fs.Write(NfsCredentials.Root, large, i << 20, data, NfsStability.Unstable, out _, out _));

        Assert.True(served.Fs.Commit(NfsCredentials.Root, large, 0, 0, out _, out _) is NfsStatus.Io or NfsStatus.NoSpc);

        // Whether the small one's data is safe nobody can tell; so the epoch has moved, and its client sends the data again.
        served.Fs.Commit(NfsCredentials.Root, small, 0, 0, out ulong epoch, out _);
        Assert.NotEqual(first.Epoch, epoch);
        served.Fs.Write(NfsCredentials.Root, small, 0, "small"u8, NfsStability.Unstable, out NfsWritten again, out _);
        Assert.Equal(epoch, again.Epoch);
    }

    [Fact]
    public void Data_that_is_lost_before_anyone_commits_it_is_told_as_well()
    {
        Assert.SkipUnless(Served.IsRoot, NeedsMounts);
        using var disk = new Disk();
        using var served = new Served(new LocalFileSystemOptions(), disk.MountFailing());
        NfsHandle large = served.Create("large");
        byte[] data = new byte[1 << 20];
        Random.Shared.NextBytes(data);
        ulong epoch = 0;
        for (ulong i = 0; i < 16; i++)
        {
            Assert.Equal(NfsStatus.Ok, served.Fs.Write(NfsCredentials.Root, large, i << 20, data, NfsStability.Unstable, out NfsWritten written, out _));
            epoch = written.Epoch;
        }
        // The descriptor goes, and with it the kernel's memory of what went wrong. COMMIT finds a clean file; only the epoch tells.
        served.Fs.Files.CloseAll();
        served.Fs.Commit(NfsCredentials.Root, large, 0, 0, out ulong now, out _);
        Assert.NotEqual(epoch, now);
    }

    [Fact]
    public void A_file_system_without_handles_is_served_by_remembered_paths()
    {
        Assert.SkipUnless(Served.IsRoot, NeedsMounts);
        using var disk = new Disk();
        var time = new FakeTimeProvider();
        using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = time });
        using var served = new Served(new LocalFileSystemOptions { System = system }, disk.MountOverlay());
        Assert.False(served.Fs.IsOpeningByHandle);
        NfsHandle directory = served.MakeDirectory("directory");
        Assert.Equal(NfsStatus.Ok, served.Fs.Create(
            NfsCredentials.Root, directory, "file"u8, NfsCreateHow.Guarded(new NfsAttributeChanges { Mode = 0x180 }), out NfsFile file, out _));
        Assert.Equal(NfsStatus.Ok, served.Write(file.Handle, "content", stability: NfsStability.FileSync));
        served.Restart();
        Assert.Equal("content", served.Read(file.Handle));
        File.Move(served.At("directory/file"), served.At("moved"));
        served.Fs.Files.Forget(file.Handle);

        // The tree was walked a moment ago; to walk it again at once for everyone who asks would be an invitation.
        Assert.Equal(NfsStatus.Jukebox, served.TryRead(file.Handle, out _));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("content", served.Read(file.Handle));
        Assert.Equal(file.Handle, served.Lookup("moved"));
        Assert.Equal(4, Listing.Of(served, served.Root, 1, withFiles: true).Count());
        File.Delete(served.At("moved"));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(NfsStatus.Stale, served.TryAttributes(file.Handle, out _));
    }
}
