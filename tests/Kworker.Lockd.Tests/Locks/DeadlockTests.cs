using Kworker.Lockd.Locks;

namespace Kworker.Lockd.Tests.Locks;

/// <summary>Owners who would wait for each other for ever are told so.</summary>
public sealed class DeadlockTests : IAsyncDisposable
{
    private readonly LockTable _table = new();

    private static LockFileKey File(int number) => new(BitConverter.GetBytes(number));

    private LockOutcome Take(int file, LockOwner owner, LockKind kind = LockKind.Write) => _table.Lock(File(file), owner, kind, LockRange.All, out _);

    private LockOutcome Wait(int file, LockOwner owner, out TestRequest request, LockKind kind = LockKind.Write)
    {
        request = new TestRequest(File(file), owner, kind, LockRange.All);
        return _table.Lock(request, out _);
    }

    public ValueTask DisposeAsync() => _table.DisposeAsync();

    [Fact]
    public void Two_who_want_what_the_other_has()
    {
        var one = new TestOwner(1);
        var two = new TestOwner(2);
        Take(1, one);
        Take(2, two);
        Assert.Equal(LockOutcome.Blocked, Wait(2, one, out TestRequest waits));
        Assert.Equal(LockOutcome.Deadlock, Wait(1, two, out _));
        _table.Unlock(File(2), two, LockRange.All); // who was refused gives way
        Assert.True(waits.IsGranted);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(500)]
    public void A_ring_of_many(int count)
    {
        TestOwner[] owners = [.. Enumerable.Range(0, count).Select(number => new TestOwner(number))];
        for (int i = 0; i < count; i++)
            Take(i, owners[i]);
        for (int i = 0; i < count - 1; i++)
            Assert.Equal(LockOutcome.Blocked, Wait(i + 1, owners[i], out _));
        Assert.Equal(LockOutcome.Deadlock, Wait(0, owners[^1], out _));
    }

    [Fact]
    public void Two_readers_who_both_want_to_write()
    {
        var one = new TestOwner(1);
        var two = new TestOwner(2);
        Take(1, one, LockKind.Read);
        Take(1, two, LockKind.Read);
        Assert.Equal(LockOutcome.Blocked, Wait(1, one, out TestRequest upgrade));
        Assert.Equal(LockOutcome.Deadlock, Wait(1, two, out _));
        _table.Unlock(File(1), two, LockRange.All);
        Assert.True(upgrade.IsGranted);
        Assert.Equal([(one, LockKind.Write, LockRange.All)], _table.Locks(File(1)));
    }

    [Fact]
    public void A_reader_who_came_after_the_writer_began_to_wait_is_waited_for_too()
    {
        var first = new TestOwner(1);
        var late = new TestOwner(2);
        var writer = new TestOwner(3);
        Take(1, first, LockKind.Read);
        Take(2, writer);
        Wait(1, writer, out _);
        Take(1, late, LockKind.Read);
        Assert.Equal(LockOutcome.Deadlock, Wait(2, late, out _));
    }

    [Fact]
    public void A_lock_that_closes_a_cycle_ends_the_waiting_of_its_owner()
    {
        // Threads of one process wait and go on at once.
        var one = new TestOwner(1);
        var two = new TestOwner(2);
        var three = new TestOwner(3);
        Take(1, one);
        Take(2, two, LockKind.Read);
        Wait(2, one, out _); // one waits for two
        Assert.Equal(LockOutcome.Blocked, Wait(1, three, out TestRequest waits)); // three waits for one
        Assert.Equal(LockOutcome.Granted, Take(2, three, LockKind.Read)); // and now one for three
        Assert.True(waits.IsDeadlock);
        Assert.False(_table.Cancel(waits));
    }

    [Fact]
    public void Who_waits_for_who_does_not_wait_is_not_refused()
    {
        var one = new TestOwner(1);
        var two = new TestOwner(2);
        Take(1, one);
        Take(2, two);
        Assert.Equal(LockOutcome.Blocked, Wait(2, one, out TestRequest waits));
        Assert.True(_table.Cancel(waits));
        Assert.Equal(LockOutcome.Blocked, Wait(1, two, out _));
    }
}
