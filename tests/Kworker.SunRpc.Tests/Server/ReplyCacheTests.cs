using Microsoft.Extensions.Time.Testing;

namespace Kworker.SunRpc.Tests;

public sealed class ReplyCacheTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly object _connection = new();
    private readonly object _other = new();

    [Fact]
    public void A_call_that_was_answered_gets_the_same_reply_from_any_connection()
    {
        ReplyCache<string> cache = Cache();
        End(cache, Key(1), [1, 2, 3]);
        Assert.Equal(ReplyCacheOutcome.Answered, cache.Begin(Key(1), "again", _other, out _, out ReadOnlyMemory<byte> reply, out _));
        Assert.Equal([1, 2, 3], reply.ToArray());
    }

    [Fact]
    public void Another_call_is_new_whatever_part_of_the_key_differs()
    {
        ReplyCache<string> cache = Cache();
        End(cache, Key(1), [1]);
        ReplyCacheKey[] others =
        [
            Key(2), Key(1) with { Address = 9 }, Key(1) with { Transport = RpcTransport.Udp }, Key(1) with { Program = 9 }, Key(1) with { Version = 9 },
            Key(1) with { Procedure = 8 }, Key(1) with { Uid = 9 }, Key(1) with { Length = 9 }, Key(1) with { Checksum = 9 },
        ];
        foreach (ReplyCacheKey key in others)
            Assert.Equal(ReplyCacheOutcome.New, cache.Begin(key, "call", _connection, out _, out _, out _));
    }

    [Fact]
    public void A_duplicate_of_a_running_call_is_dropped_on_the_same_connection()
    {
        ReplyCache<string> cache = Cache();
        Assert.Equal(ReplyCacheOutcome.New, cache.Begin(Key(1), "first", _connection, out ReplyCacheEntry<string>? entry, out _, out _));
        Assert.Equal(ReplyCacheOutcome.Drop, cache.Begin(Key(1), "second", _connection, out _, out _, out _));
        Assert.Null(cache.End(entry!, [1]));
    }

    [Fact]
    public void A_duplicate_of_a_running_call_from_another_connection_is_answered_with_it_and_only_the_latest()
    {
        ReplyCache<string> cache = Cache();
        cache.Begin(Key(1), "first", _connection, out ReplyCacheEntry<string>? entry, out _, out _);
        Assert.Equal(ReplyCacheOutcome.Follow, cache.Begin(Key(1), "second", _other, out _, out _, out string? displaced));
        Assert.Null(displaced);
        Assert.Equal(ReplyCacheOutcome.Follow, cache.Begin(Key(1), "third", new object(), out _, out _, out displaced));
        Assert.Equal("second", displaced);
        Assert.Equal("third", cache.End(entry!, [1]));
    }

    [Fact]
    public void A_call_that_failed_is_forgotten_and_runs_again()
    {
        ReplyCache<string> cache = Cache();
        End(cache, Key(1), []);
        Assert.Equal(0, cache.Count);
        Assert.Equal(ReplyCacheOutcome.New, cache.Begin(Key(1), "again", _connection, out _, out _, out _));
    }

    [Fact]
    public void Replies_are_forgotten_after_their_age()
    {
        ReplyCache<string> cache = Cache();
        End(cache, Key(1), [1]);
        _clock.Advance(TimeSpan.FromSeconds(60));
        End(cache, Key(2), [2]);
        _clock.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(ReplyCacheOutcome.Answered, cache.Begin(Key(1), "again", _connection, out _, out _, out _));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(ReplyCacheOutcome.New, cache.Begin(Key(1), "again", _connection, out _, out _, out _));
        Assert.Equal(ReplyCacheOutcome.Answered, cache.Begin(Key(2), "again", _connection, out _, out _, out _));
    }

    [Fact]
    public void The_oldest_replies_make_room_for_entries_and_for_bytes()
    {
        ReplyCache<string> cache = Cache(new ReplyCacheOptions { MaximumEntries = 3, MaximumBytes = 100, MaximumReplyBytes = 60 });
        for (uint xid = 1; xid <= 5; xid++)
            End(cache, Key(xid), [1]);
        Assert.Equal(3, cache.Count);
        End(cache, Key(6), new byte[60]);
        End(cache, Key(7), new byte[60]);
        Assert.Equal(1, cache.Count);
        Assert.Equal(60, cache.Bytes);
        End(cache, Key(8), new byte[61]);
        Assert.Equal(1, cache.Count);
        Assert.Equal(ReplyCacheOutcome.Answered, cache.Begin(Key(7), "again", _connection, out _, out _, out _));
    }

    [Fact]
    public void Running_calls_are_never_forgotten()
    {
        ReplyCache<string> cache = Cache(new ReplyCacheOptions { MaximumEntries = 1 });
        cache.Begin(Key(1), "running", _connection, out ReplyCacheEntry<string>? entry, out _, out _);
        End(cache, Key(2), [1]);
        End(cache, Key(3), [1]);
        _clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(ReplyCacheOutcome.Drop, cache.Begin(Key(1), "again", _connection, out _, out _, out _));
        Assert.Null(cache.End(entry!, [1]));
    }

    private static ReplyCacheKey Key(uint xid) => new(1, RpcTransport.Tcp, xid, 100003, 3, 9, 0, 40, 12345);

    private ReplyCache<string> Cache(ReplyCacheOptions? options = null) => new(options ?? new ReplyCacheOptions(), _clock);

    private void End(ReplyCache<string> cache, ReplyCacheKey key, byte[] reply)
    {
        Assert.Equal(ReplyCacheOutcome.New, cache.Begin(key, "call", _connection, out ReplyCacheEntry<string>? entry, out _, out _));
        cache.End(entry!, reply);
    }
}
