using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.FileSystem.Local;

namespace Kworker.Nfsd.Tests.FileSystem;

/// <summary>The change attribute of a served directory: another one after every change, with the kernel's time stamps alone and with our counters.</summary>
public abstract class LocalChangeTests(bool mayTrustChangeTimes) : IDisposable
{
    private readonly Served _served = new(new LocalFileSystemOptions { IsAsync = true, MayTrustChangeTimes = mayTrustChangeTimes });

    public sealed class ByTime() : LocalChangeTests(true);

    public sealed class ByCounting() : LocalChangeTests(false);

    public void Dispose() => _served.Dispose();

    private ulong ChangeOf(NfsHandle file) => _served.Attributes(file).Change;

    [Fact]
    public void Every_write_shows_however_fast_they_come()
    {
        NfsHandle file = _served.Create("file");
        ulong last = ChangeOf(file);
        for (int i = 0; i < 2000; i++)
        {
            Assert.Equal(NfsStatus.Ok, _served.Fs.Write(NfsCredentials.Root, file, 0, "x"u8, NfsStability.Unstable, out _, out NfsChange change));
            Assert.Equal(last, change.Before!.Value.Change);
            ulong next = ChangeOf(file);
            Assert.True(next > last, $"write {i}: {last} to {next}");
            Assert.Equal(next, change.After!.Value.Change);
            last = next;
        }
    }

    [Fact]
    public void Every_change_of_attributes_and_names_shows()
    {
        NfsHandle file = _served.Create("file");
        NfsHandle root = _served.Root;
        ulong last = ChangeOf(file), directory = ChangeOf(root);
        for (uint i = 0; i < 300; i++)
        {
            var changes = new NfsAttributeChanges { Mode = 0x180 | (i & 7) };
            Assert.Equal(NfsStatus.Ok, _served.Fs.SetAttributes(NfsCredentials.Root, file, changes, null, out _));
            ShowsIn(file, ref last);
            Assert.Equal(NfsStatus.Ok, _served.Fs.Link(NfsCredentials.Root, file, root, "other"u8, out _, out NfsChange change));
            ShowsIn(file, ref last);
            ShowsIn(root, ref directory);
            Assert.Equal(directory, change.After!.Value.Change);
            Assert.Equal(NfsStatus.Ok, _served.Fs.Rename(NfsCredentials.Root, root, "other"u8, root, "third"u8, out _, out _));
            ShowsIn(file, ref last);
            ShowsIn(root, ref directory);
            Assert.Equal(NfsStatus.Ok, _served.Fs.Remove(NfsCredentials.Root, root, "third"u8, out _));
            ShowsIn(file, ref last);
            ShowsIn(root, ref directory);
        }
    }

    [Fact]
    public void Nothing_shows_when_nothing_changes()
    {
        NfsHandle file = _served.Create("file");
        ulong value = ChangeOf(file), directory = ChangeOf(_served.Root);
        Assert.Equal(NfsStatus.Exist, _served.Fs.MakeDirectory(NfsCredentials.Root, _served.Root, "file"u8, default, out _, out _));
        Assert.Equal(NfsStatus.NoEnt, _served.Fs.Remove(NfsCredentials.Root, _served.Root, "nothing"u8, out _));
        _served.Fs.Read(NfsCredentials.Root, file, 0, new byte[10], out _, out _, out NfsAttributes? read);
        Assert.Equal(value, read!.Value.Change);
        Assert.Equal((value, directory), (ChangeOf(file), ChangeOf(_served.Root)));
    }

    [Fact]
    public void After_a_restart_it_is_not_less()
    {
        NfsHandle file = _served.Create("file");
        for (int i = 0; i < 50; i++)
            _served.Fs.Write(NfsCredentials.Root, file, 0, "x"u8, NfsStability.Unstable, out _, out _);
        ulong before = ChangeOf(file);
        _served.Restart();
        ulong after = ChangeOf(file);
        Assert.True(after >= before);
        _served.Fs.Write(NfsCredentials.Root, file, 0, "y"u8, NfsStability.Unstable, out _, out _);
        Assert.True(ChangeOf(file) > after);
    }

    private void ShowsIn(NfsHandle file, ref ulong last)
    {
        ulong next = ChangeOf(file);
        Assert.True(next > last, $"{last} to {next}");
        last = next;
    }
}
