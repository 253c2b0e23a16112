using System.Text;
using Kworker.Nfsd.FileSystem;
using Kworker.Samples;

namespace Kworker.Nfsd.Tests.FileSystem;

/// <summary>The sample of the guide does what the guide says.</summary>
public sealed class MemoryFileSystemTests
{
    private readonly INfsFileSystem _system = new MemoryFileSystem();
    private readonly NfsHandle _root;

    public MemoryFileSystemTests() => Assert.Equal(NfsStatus.Ok, _system.GetRoot(out _root));

    private NfsHandle Create(string name)
    {
        Assert.Equal(NfsStatus.Ok, _system.Create(NfsCredentials.Root, _root, Encoding.UTF8.GetBytes(name), NfsCreateHow.Guarded(), out NfsFile file, out _));
        return file.Handle;
    }

    [Fact]
    public void It_holds_no_more_than_200_lines_of_code()
    {
        string path = Path.Combine(AppContext.BaseDirectory, "samples", "MemoryFileSystem.cs");
        Assert.InRange(File.ReadLines(path).Count(line => line.Trim() is { Length: > 0 } code && !code.StartsWith("//", StringComparison.Ordinal)), 1, 199);
    }

    [Fact]
    public void Files_are_made_written_read_and_cut()
    {
        NfsHandle file = Create("file");
        Assert.Equal(NfsStatus.Ok, _system.Write(NfsCredentials.Root, file, 3, "abc"u8, NfsStability.Unstable, out NfsWritten written, out NfsChange change));
        Assert.Equal((3, NfsStability.FileSync), (written.Count, written.Committed));
        Assert.Equal((0ul, 6ul), (change.Before!.Value.Size, change.After!.Value.Size));
        Assert.Equal(NfsStatus.Ok, _system.SetAttributes(NfsCredentials.Root, file, new NfsAttributeChanges { Size = 5 }, null, out _));
        byte[] buffer = new byte[10];
        Assert.Equal(NfsStatus.Ok, _system.Read(NfsCredentials.Root, file, 2, buffer, out int count, out bool isEnd, out _));
        Assert.Equal("\0ab"u8, buffer.AsSpan(0, count));
        Assert.True(isEnd);
        Assert.Equal(NfsStatus.NotSync, _system.SetAttributes(NfsCredentials.Root, file, default, new NfsTime(1, 1), out _));
        Assert.Equal(NfsStatus.Ok, _system.Commit(NfsCredentials.Root, file, 0, 0, out ulong epoch, out _));
        Assert.Equal(written.Epoch, epoch);
    }

    [Fact]
    public void Names_are_made_moved_and_removed()
    {
        NfsHandle file = Create("file"), other = Create("other");
        Assert.Equal(NfsStatus.Ok, _system.MakeDirectory(NfsCredentials.Root, _root, "directory"u8, default, out NfsFile directory, out _));
        Assert.Equal(NfsStatus.Ok, _system.Rename(NfsCredentials.Root, _root, "file"u8, _root, "other"u8, out _, out _));
        Assert.Equal(NfsStatus.Stale, _system.GetAttributes(NfsCredentials.Root, other, out _));
        Assert.Equal(NfsStatus.Ok, _system.Rename(NfsCredentials.Root, _root, "other"u8, directory.Handle, "deep"u8, out _, out _));
        Assert.Equal(NfsStatus.Ok, _system.Lookup(NfsCredentials.Root, directory.Handle, "deep"u8, out NfsFile found, out _));
        Assert.Equal(file, found.Handle);
        Assert.Equal(NfsStatus.Ok, _system.Lookup(NfsCredentials.Root, directory.Handle, ".."u8, out found, out _));
        Assert.Equal(_root, found.Handle);
        Assert.Equal(NfsStatus.Inval, _system.Rename(NfsCredentials.Root, _root, "directory"u8, directory.Handle, "x"u8, out _, out _));
        Assert.Equal(NfsStatus.NotEmpty, _system.RemoveDirectory(NfsCredentials.Root, _root, "directory"u8, out _));
        Assert.Equal(NfsStatus.IsDir, _system.Remove(NfsCredentials.Root, _root, "directory"u8, out _));
        Assert.Equal(NfsStatus.Ok, _system.Remove(NfsCredentials.Root, directory.Handle, "deep"u8, out _));
        Assert.Equal(NfsStatus.Ok, _system.RemoveDirectory(NfsCredentials.Root, _root, "directory"u8, out _));
        Assert.Equal(NfsStatus.NoEnt, _system.Lookup(NfsCredentials.Root, _root, "directory"u8, out _, out _));
        Assert.Equal(NfsStatus.NotSupp, _system.Link(NfsCredentials.Root, _root, _root, "x"u8, out _, out _));
    }

    [Fact]
    public void An_exclusive_create_is_made_once()
    {
        Assert.Equal(NfsStatus.Ok, _system.Create(NfsCredentials.Root, _root, "file"u8, NfsCreateHow.Exclusive(7), out NfsFile first, out _));
        Assert.Equal(NfsStatus.Ok, _system.Create(NfsCredentials.Root, _root, "file"u8, NfsCreateHow.Exclusive(7), out NfsFile again, out _));
        Assert.Equal(first.Handle, again.Handle);
        Assert.Equal(NfsStatus.Exist, _system.Create(NfsCredentials.Root, _root, "file"u8, NfsCreateHow.Exclusive(8), out _, out _));
        Assert.Equal(NfsStatus.Ok, _system.Create(NfsCredentials.Root, _root, "file"u8, NfsCreateHow.Unchecked(), out _, out _));
    }

    [Fact]
    public void A_directory_is_listed_in_parts_while_it_changes()
    {
        for (int i = 0; i < 100; i++)
            Create($"file-{i}");
        var seen = new List<string>();
        foreach (Listing.Entry entry in Listing.Of(_system, _root, 7, withFiles: true))
        {
            seen.Add(Encoding.UTF8.GetString(entry.Name));
            if (seen.Count == 20)
                Assert.Equal(NfsStatus.Ok, _system.Remove(NfsCredentials.Root, _root, "file-3"u8, out _));
        }
        Assert.Equal([".", "..", .. Enumerable.Range(0, 100).Select(i => $"file-{i}")], seen);
    }
}
