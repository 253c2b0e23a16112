using Kworker.Lockd.Locks;

namespace Kworker.Lockd.Tests.Locks;

/// <summary>Requests that wait.</summary>
public sealed class WaitingTests : IAsyncDisposable
{
    private static readonly LockFileKey s_file = new("file"u8);
    private readonly LockTable _table = new();
    private readonly List<TestRequest> _told = [];
    private readonly TestOwner _holder = new(0);

    private TestRequest Wait(int owner, LockKind kind, ulong start, ulong end) => Wait(new TestOwner(owner), kind, start, end);

    private TestRequest Wait(TestOwner owner, LockKind kind, ulong start, ulong end)
    {
        var request = new TestRequest(s_file, owner, kind, new LockRange(start, end), _told.Add);
        Assert.Equal(LockOutcome.Blocked, _table.Lock(request, out LockConflict conflict));
        Assert.NotNull(conflict.Owner);
        return request;
    }

    private void Hold(LockKind kind, ulong start, ulong end) =>
        Assert.Equal(LockOutcome.Granted, _table.Lock(s_file, _holder, kind, new LockRange(start, end), out _));

    public ValueTask DisposeAsync() => _table.DisposeAsync();

    [Fact]
    public void Writers_get_it_one_after_the_other_in_the_order_of_coming()
    {
        Hold(LockKind.Write, 0, 9);
        TestRequest[] line = [.. Enumerable.Range(1, 5).Select(owner => Wait(owner, LockKind.Write, 0, 9))];
        _table.Unlock(s_file, _holder, LockRange.All);
        foreach (TestRequest request in line)
            _table.Unlock(s_file, request.Owner, LockRange.All);
        Assert.Equal(line, _told);
        Assert.Equal(0, _table.FileCount);
    }

    [Fact]
    public void Readers_get_it_together_and_the_writer_between_them_after_them()
    {
        Hold(LockKind.Write, 0, 9);
        TestRequest reader = Wait(1, LockKind.Read, 0, 9);
        TestRequest writer = Wait(2, LockKind.Write, 0, 9);
        TestRequest other = Wait(3, LockKind.Read, 0, 9);
        _table.Unlock(s_file, _holder, LockRange.All);
        Assert.Equal([reader, other], _told);
        _table.Unlock(s_file, reader.Owner, LockRange.All);
        Assert.False(writer.IsGranted);
        _table.Unlock(s_file, other.Owner, LockRange.All);
        Assert.True(writer.IsGranted);
    }

    [Fact]
    public void Unlocking_a_part_grants_who_wants_no_more_than_that()
    {
        Hold(LockKind.Write, 0, 99);
        TestRequest whole = Wait(1, LockKind.Write, 0, 99);
        TestRequest middle = Wait(2, LockKind.Write, 40, 59);
        _table.Unlock(s_file, _holder, new LockRange(40, 59));
        Assert.Equal([middle], _told);
        Assert.False(whole.IsGranted);
    }

    [Fact]
    public void Turning_to_reading_lets_readers_in()
    {
        Hold(LockKind.Write, 0, 9);
        TestRequest writer = Wait(1, LockKind.Write, 0, 9);
        TestRequest reader = Wait(2, LockKind.Read, 0, 9);
        Hold(LockKind.Read, 0, 9);
        Assert.True(reader.IsGranted);
        Assert.False(writer.IsGranted);
    }

    [Fact]
    public void What_waits_does_not_stand_in_the_way()
    {
        Hold(LockKind.Read, 0, 9);
        Wait(1, LockKind.Write, 0, 9);
        Assert.Equal(LockOutcome.Granted, _table.Lock(s_file, new TestOwner(2), LockKind.Read, new LockRange(0, 9), out _));
    }

    [Fact]
    public void Who_cancels_hears_nothing_and_holds_up_nobody()
    {
        Hold(LockKind.Write, 0, 9);
        TestRequest first = Wait(1, LockKind.Write, 0, 9);
        TestRequest second = Wait(2, LockKind.Write, 0, 9);
        Assert.True(_table.Cancel(first));
        _table.Unlock(s_file, _holder, LockRange.All);
        Assert.Equal([second], _told);
        Assert.False(_table.Cancel(second));
    }

    [Fact]
    public void A_released_owner_neither_holds_nor_waits()
    {
        var owner = new TestOwner(1);
        Hold(LockKind.Write, 0, 9);
        Assert.Equal(LockOutcome.Granted, _table.Lock(s_file, owner, LockKind.Write, new LockRange(20, 29), out _));
        TestRequest waits = Wait(owner, LockKind.Write, 0, 9);
        TestRequest other = Wait(2, LockKind.Write, 20, 29);
        Assert.Equal(1, _table.ReleaseOwner(owner));
        Assert.True(waits.IsReleased);
        Assert.True(other.IsGranted);
        Assert.True(owner.IsIdle);
    }

    [Fact]
    public void A_released_file_has_neither_locks_nor_a_line()
    {
        Hold(LockKind.Write, 0, 9);
        TestRequest waits = Wait(1, LockKind.Write, 0, 9);
        Assert.Equal(1, _table.ReleaseFile(s_file));
        Assert.True(waits.IsReleased);
        Assert.Equal(0, _table.FileCount);
        Assert.True(_holder.IsIdle);
    }

    [Fact]
    public void A_grant_that_turns_its_owners_write_lock_into_a_read_lock_lets_earlier_readers_in()
    {
        var both = new TestOwner(1);
        Hold(LockKind.Write, 10, 19);
        Assert.Equal(LockOutcome.Granted, _table.Lock(s_file, both, LockKind.Write, new LockRange(0, 9), out _));
        TestRequest early = Wait(2, LockKind.Read, 0, 9);
        TestRequest late = Wait(both, LockKind.Read, 0, 19);
        _table.Unlock(s_file, _holder, LockRange.All);
        Assert.Equal([late, early], _told);
    }

    [Fact]
    public void A_request_is_for_one_use()
    {
        Hold(LockKind.Write, 0, 9);
        TestRequest waits = Wait(1, LockKind.Write, 0, 9);
        Assert.Throws<InvalidOperationException>(() => _table.Lock(waits, out _));
        _table.Unlock(s_file, _holder, LockRange.All);
        Assert.Throws<InvalidOperationException>(() => _table.Lock(waits, out _));
    }
}
