namespace Kworker.Nfs.Tests;

/// <summary>Files that lose their name while they are open.</summary>
public sealed class SillyRenameTests
{
    [Fact]
    public async Task A_removed_file_lives_on_until_the_last_close()
    {
        await using ServedDirectory served = await ServedDirectory.StartAsync();
        await using NfsClient client = await served.MountAsync();
        NfsFile first = await client.OpenAsync("a", FileMode.CreateNew, FileAccess.ReadWrite);
        NfsFile second = await client.OpenAsync("a");
        await first.WriteAsync(0, "hello"u8.ToArray());
        await client.RemoveAsync("a");
        string aside = Path.GetFileName(Assert.Single(Directory.GetFiles(served.Path)));
        Assert.StartsWith(".nfs", aside, StringComparison.Ordinal);
        Assert.True((await Assert.ThrowsAsync<NfsException>(async () => await client.OpenAsync("a"))).IsNotFound);
        await using (NfsFile other = await client.OpenAsync("a", FileMode.CreateNew, FileAccess.Write)) // another file
            await other.WriteAsync(0, "x"u8.ToArray());
        await first.DisposeAsync();
        byte[] back = new byte[5];
        Assert.Equal(5, await second.ReadAsync(0, back));
        Assert.Equal("hello"u8, back);
        Assert.True(File.Exists(served.Local(aside)));
        await second.DisposeAsync();
        Assert.Equal([served.Local("a")], Directory.GetFiles(served.Path));
        await second.DisposeAsync(); // twice is once
    }

    [Fact]
    public async Task So_does_one_that_a_rename_replaces()
    {
        await using ServedDirectory served = await ServedDirectory.StartAsync();
        await using NfsClient client = await served.MountAsync();
        await File.WriteAllTextAsync(served.Local("new"), "new");
        await File.WriteAllTextAsync(served.Local("old"), "old");
        await using (NfsFile old = await client.OpenAsync("old"))
        {
            await client.RenameAsync("new", "old");
            Assert.Equal("new", await File.ReadAllTextAsync(served.Local("old")));
            byte[] back = new byte[3];
            await old.ReadAsync(0, back);
            Assert.Equal("old"u8, back);
            await client.RenameAsync("old", "old"); // of itself: nothing
        }
        Assert.Equal([served.Local("old")], Directory.GetFiles(served.Path));
    }

    [Fact]
    public async Task Openers_and_removers_that_race_never_see_a_stale_file()
    {
        await using ServedDirectory served = await ServedDirectory.StartAsync();
        await using NfsClient client = await served.MountAsync();
        Task[] tasks = [.. Enumerable.Range(0, 8).Select(RaceAsync)];
        await Task.WhenAll(tasks);
        Assert.DoesNotContain(Directory.GetFiles(served.Path), path => Path.GetFileName(path).StartsWith(".nfs", StringComparison.Ordinal));

        async Task RaceAsync(int who)
        {
            var random = new Random(who);
            byte[] back = new byte[1];
            for (int i = 0; i < 40; i++)
            {
                try
                {
                    if (random.Next(2) == 0)
                    {
                        await client.RemoveAsync("a");
                        continue;
                    }
                    await using NfsFile file = await client.OpenAsync("a", FileMode.OpenOrCreate, FileAccess.ReadWrite);
                    await file.WriteAsync(0, "x"u8.ToArray());
                    Assert.Equal(1, await file.ReadAsync(0, back)); // never ESTALE: the name may be gone, the file is not
                }
                catch (NfsException exception) when (exception.IsNotFound)
                {
                    // Somebody else removed the name first.
                }
            }
        }
    }

    [Fact]
    public async Task The_gate_keeps_lookups_and_removals_apart()
    {
        var gate = new SillyGate();
        await gate.BlockAsync(default);
        await gate.BlockAsync(default); // lookups may be inside together
        ValueTask removal = gate.EnterAsync(default);
        Assert.False(removal.IsCompleted);
        ValueTask late = gate.BlockAsync(default); // and one that comes behind a removal waits for it
        Assert.False(late.IsCompleted);
        gate.Unblock();
        Assert.False(removal.IsCompleted);
        gate.Unblock();
        // Whichever of the two gets in, the other follows.
        Task first = await Task.WhenAny(removal.AsTask(), late.AsTask());
        await first;
    }
}
