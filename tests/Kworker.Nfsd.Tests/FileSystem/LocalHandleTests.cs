using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.FileSystem.Local;

namespace Kworker.Nfsd.Tests.FileSystem;

/// <summary>Handles: what they survive, and what they never reach.</summary>
public sealed class LocalHandleTests
{
    public static TheoryData<bool> BothWays => [true, false];

    private static Served Serve(bool byKernel, string? under = null)
    {
        var served = new Served(new LocalFileSystemOptions { IsAsync = true, MayOpenByHandle = byKernel }, under);
        if (byKernel && !served.Fs.IsOpeningByHandle)
        {
            served.Dispose();
            Assert.Skip("The kernel does not open handles here: not root, or a file system without them.");
        }
        return served;
    }

    [Theory, MemberData(nameof(BothWays))]
    public void Handles_survive_a_restart_and_what_was_renamed_meanwhile(bool byKernel)
    {
        using Served served = Serve(byKernel);
        NfsHandle root = served.Root;
        NfsHandle directory = served.MakeDirectory("directory");
        Assert.Equal(NfsStatus.Ok, served.Fs.Create(
            NfsCredentials.Root, directory, "file"u8, NfsCreateHow.Guarded(new NfsAttributeChanges { Mode = 0x1a4 }), out NfsFile file, out _));
        served.Write(file.Handle, "content");

        served.Restart();
        Assert.Equal(root, served.Root);
        Assert.Equal("content", served.Read(file.Handle));
        Assert.Equal(file.Handle, served.Lookup("directory/file"));

        served.Fs.Dispose();
        Directory.Move(served.At("directory"), served.At("moved"));
        File.Move(served.At("moved/file"), served.At("moved/renamed"));
        served.Restart();
        Assert.Equal("content", served.Read(file.Handle));
        Assert.Equal(NfsStatus.Ok, served.TryLookup(directory, "renamed"u8, out NfsHandle found));
        Assert.Equal(file.Handle, found);
    }

    [Theory, MemberData(nameof(BothWays))]
    public void Handles_follow_renames_by_clients_and_behind_the_servers_back(bool byKernel)
    {
        using Served served = Serve(byKernel);
        NfsHandle file = served.Create("file");
        NfsHandle directory = served.MakeDirectory("directory");
        served.Write(file, "content");
        Assert.Equal(NfsStatus.Ok, served.Fs.Rename(NfsCredentials.Root, served.Root, "file"u8, directory, "renamed"u8, out _, out _));
        Assert.Equal("content", served.Read(file));
        served.Fs.Files.Forget(file);
        File.Move(served.At("directory/renamed"), served.At("back"));
        Assert.Equal("content", served.Read(file));
        Assert.Equal(file, served.Lookup("back"));
    }

    [Theory, MemberData(nameof(BothWays))]
    public void A_handle_never_finds_a_later_file_with_the_same_number(bool byKernel)
    {
        using Served served = Serve(byKernel);
        var stale = new List<(NfsHandle Handle, ulong FileId)>();
        bool wasUsedAgain = false;
        for (int i = 0; i < 200 && !wasUsedAgain; i++)
        {
            NfsHandle file = served.Create("file");
            ulong id = served.Attributes(file).FileId;
            wasUsedAgain = stale.Exists(old => old.FileId == id);
            foreach ((NfsHandle old, _) in stale)
            {
                Assert.NotEqual(old, file);
                Assert.True(served.TryAttributes(old, out _) is NfsStatus.Stale or NfsStatus.Jukebox);
            }
            stale.Add((file, id));
            Assert.Equal(NfsStatus.Ok, served.Fs.Remove(NfsCredentials.Root, served.Root, "file"u8, out _));
        }
        // ext4 takes the lowest free number, so this happens at once; elsewhere it may not.
        Assert.True(wasUsedAgain || new DriveInfo(served.Path).DriveFormat != "ext4");
    }

    [Theory, MemberData(nameof(BothWays))]
    public void Symbolic_links_are_files_and_never_ways(bool byKernel)
    {
        using Served served = Serve(byKernel);
        File.WriteAllText(Path.Combine(served.Outside, "secret"), "secret");
        File.CreateSymbolicLink(served.At("link"), Path.Combine(served.Outside, "secret"));
        File.CreateSymbolicLink(served.At("up"), "..");
        NfsHandle link = served.Lookup("link"), up = served.Lookup("up");
        Assert.Equal(NfsFileType.SymbolicLink, served.Attributes(link).Type);
        Assert.Equal(NfsStatus.Inval, served.TryRead(link, out _));
        Assert.Equal(NfsStatus.Inval, served.Write(link, "x"));
        Assert.Equal(NfsStatus.NotDir, served.TryLookup(up, "secret"u8, out _));
        Assert.Equal(NfsStatus.NotDir, served.Fs.Create(NfsCredentials.Root, up, "new"u8, NfsCreateHow.Guarded(), out _, out _));
        Assert.Equal(NfsStatus.Exist, served.Fs.Create(NfsCredentials.Root, served.Root, "link"u8, NfsCreateHow.Unchecked(), out _, out _));
        Assert.NotEqual(NfsStatus.Ok, served.Set(link, new NfsAttributeChanges { Size = 0 }));
        Assert.NotEqual(NfsStatus.Ok, served.Set(link, new NfsAttributeChanges { Mode = 0x1ff }));
        Assert.Equal(NfsStatus.Ok, served.Set(link, new NfsAttributeChanges { ModifyTime = NfsTimeChange.To(new NfsTime(1, 0)) }));
        Assert.NotEqual(1, new DateTimeOffset(File.GetLastWriteTimeUtc(Path.Combine(served.Outside, "secret"))).ToUnixTimeSeconds());
        Assert.Equal("secret", File.ReadAllText(Path.Combine(served.Outside, "secret")));
    }

    [Theory, MemberData(nameof(BothWays))]
    public void Up_ends_at_the_root(bool byKernel)
    {
        using Served served = Serve(byKernel);
        NfsHandle directory = served.MakeDirectory("directory");
        Assert.Equal(NfsStatus.Ok, served.TryLookup(served.Root, ".."u8, out NfsHandle up));
        Assert.Equal(served.Root, up);
        Assert.Equal(NfsStatus.Ok, served.TryLookup(directory, ".."u8, out up));
        Assert.Equal(served.Root, up);
        Assert.Equal(NfsStatus.Ok, served.TryLookup(directory, "."u8, out NfsHandle same));
        Assert.Equal(directory, same);
        ulong own = served.Attributes(served.Root).FileId;
        Assert.Equal([own, own], Listing.Of(served, served.Root).Where(entry => NfsName.IsDotOrDotDot(entry.Name)).Select(entry => entry.FileId));
    }

    [Theory, MemberData(nameof(BothWays))]
    public void A_directory_moved_out_is_out_of_reach_with_all_below_it(bool byKernel)
    {
        using Served served = Serve(byKernel);
        NfsHandle directory = served.MakeDirectory("directory");
        served.Fs.MakeDirectory(NfsCredentials.Root, directory, "below"u8, new NfsAttributeChanges { Mode = 0x1ff }, out NfsFile below, out _);
        Directory.Move(served.At("directory"), Path.Combine(served.Outside, "export-not")); // A path that only begins like the export's.
        foreach (NfsHandle handle in new[] { directory, below.Handle })
        {
            Assert.True(served.TryLookup(handle, ".."u8, out _) is NfsStatus.Stale);
            Assert.True(served.TryLookup(handle, "x"u8, out _) is NfsStatus.Stale or NfsStatus.Jukebox);
            Assert.True(served.TryAttributes(handle, out _) is NfsStatus.Stale or NfsStatus.Jukebox);
            Assert.True(served.Fs.Create(NfsCredentials.Root, handle, "new"u8, NfsCreateHow.Guarded(), out _, out _) is NfsStatus.Stale or NfsStatus.Jukebox);
        }
        Directory.Move(Path.Combine(served.Outside, "export-not"), served.At("again"));
        if (byKernel)
            Assert.Equal(NfsStatus.Ok, served.TryLookup(directory, "below"u8, out _));
    }

    [Fact]
    public void Handles_of_directories_outside_are_refused_even_without_the_seal()
    {
        using Served served = Serve(byKernel: true);
        using LocalFileSystem wider = LocalFileSystem.Open(served.Outside);
        wider.GetRoot(out NfsHandle outside);
        Assert.Equal(NfsStatus.Stale, served.TryLookup(outside, "export"u8, out _));
        Assert.Equal(NfsStatus.Stale, served.TryAttributes(outside, out _));
    }

    [Fact]
    public void Handles_made_up_or_of_another_export_do_not_pass_the_seal()
    {
        using Served served = Serve(byKernel: true);
        using LocalFileSystem wider = LocalFileSystem.Open(served.Outside);
        File.WriteAllText(Path.Combine(served.Outside, "secret"), "secret");
        wider.GetRoot(out NfsHandle outside);
        wider.Lookup(NfsCredentials.Root, outside, "secret"u8, out NfsFile secret, out _);
        var seal = new FileHandleSeal(new byte[16]);
        byte[] wire = new byte[FileHandleSeal.MaxSealedLength];
        int length = seal.Seal(1, secret.Handle, wire);
        wire[4] = 2; // Export 2 instead of 1.
        Assert.False(seal.TryOpen(wire.AsSpan(0, length), out _, out _));
    }

    [Theory, MemberData(nameof(BothWays))]
    public void Bytes_that_are_no_handle_are_answered_not_thrown(bool byKernel)
    {
        using Served served = Serve(byKernel);
        var random = new Random(42);
        for (int i = 0; i < 2000; i++)
        {
            byte[] bytes = new byte[random.Next(1, NfsHandle.MaxLength + 1)];
            random.NextBytes(bytes);
            if (i % 2 == 0)
                served.Root.Bytes[..Math.Min(bytes.Length, random.Next(1, 12))].CopyTo(bytes);
            NfsStatus status = served.TryAttributes(new NfsHandle(bytes), out _);
            Assert.True(status is NfsStatus.BadHandle or NfsStatus.Stale or NfsStatus.Jukebox, $"{Convert.ToHexString(bytes)}: {status}");
        }
    }

    [Fact]
    public void Other_file_systems_mounted_below_are_not_entered()
    {
        using LocalFileSystem everything = LocalFileSystem.Open("/");
        everything.GetRoot(out NfsHandle root);
        Assert.Equal(NfsStatus.Acces, everything.Lookup(NfsCredentials.Root, root, "proc"u8, out _, out _));
        Listing.Entry proc = Assert.Single(Listing.Of(everything, root, withFiles: true), entry => entry.Name.AsSpan().SequenceEqual("proc"u8));
        Assert.Null(proc.File);
    }

    [Theory, MemberData(nameof(BothWays))]
    public void Paths_deeper_than_the_kernel_tells_are_served(bool byKernel)
    {
        using Served served = Serve(byKernel);
        byte[] name = [.. Enumerable.Repeat((byte)'d', 200)];
        var handles = new List<NfsHandle> { served.Root };
        for (int depth = 0; depth < 40; depth++)
        {
            Assert.Equal(NfsStatus.Ok, served.Fs.MakeDirectory(
                NfsCredentials.Root, handles[^1], name, new NfsAttributeChanges { Mode = 0x1ff }, out NfsFile made, out _));
            handles.Add(made.Handle);
        }
        served.Restart();
        Assert.Equal(NfsStatus.Ok, served.TryLookup(handles[^1], ".."u8, out NfsHandle up));
        Assert.Equal(handles[^2], up);
    }

    [Fact]
    public void Memory_file_systems_are_served_by_handle_too()
    {
        Assert.SkipUnless(Directory.Exists("/dev/shm"), "There is no tmpfs at /dev/shm.");
        using Served served = Serve(byKernel: true, under: "/dev/shm");
        NfsHandle file = served.Create("file");
        served.Write(file, "content");
        served.Restart();
        Assert.Equal("content", served.Read(file));
        Assert.Equal(3, Listing.Of(served, served.Root).Count());
    }
}
