namespace Kworker.Tests.Models;

/// <summary>The judge of the other tests here finds what is wrong.</summary>
public sealed class HistoryTests
{
    private readonly History _history = new();

    [Fact]
    public void What_overlaps_may_have_happened_in_either_order()
    {
        _history.Add("queues", 1, 4, static item => item.Queue(timed: false, answer: true));
        _history.Add("cancels", 2, 3, static item => item.Cancel(answer: true));
        _history.Check(cancelsTogether: false);
    }

    [Fact]
    public void A_cancel_before_the_queueing_takes_nothing_back()
    {
        _history.Add("cancels", 1, 2, static item => item.Cancel(answer: true));
        _history.Add("queues", 3, 4, static item => item.Queue(timed: false, answer: true));
        AssertRefused();
    }

    [Fact]
    public void A_second_queueing_of_what_is_pending_says_no()
    {
        _history.Add("queues for later", 1, 2, static item => item.Queue(timed: true, answer: true));
        _history.Add("queues", 3, 4, static item => item.Queue(timed: false, answer: true));
        AssertRefused();
    }

    [Fact]
    public void What_was_cancelled_does_not_run()
    {
        _history.Add("queues", 1, 2, static item => item.Queue(timed: false, answer: true));
        _history.Add("cancels", 3, 4, static item => item.Cancel(answer: true));
        _history.AddBegin(0, 5);
        _history.AddEnd(6);
        AssertRefused();
    }

    [Fact]
    public void A_cancel_that_waits_returns_after_the_run()
    {
        _history.Add("queues", 1, 2, static item => item.Queue(timed: false, answer: true));
        _history.AddBegin(0, 3);
        _history.Add("cancels and waits", 4, 5, static item => item.BeginCancelSync(answer: false), static item => item.EndCancelSync());
        _history.AddEnd(6);
        AssertRefused();
    }

    [Fact]
    public void A_flush_returns_after_the_run_queued_before_it()
    {
        _history.Add("queues", 1, 2, static item => item.Queue(timed: false, answer: true));
        _history.Add("flushes", 3, 4, static item => item.BeginFlush(0), static item => item.EndFlush(0));
        _history.AddBegin(0, 5);
        _history.AddEnd(6);
        AssertRefused();
    }

    [Fact]
    public void What_runs_twice_was_queued_twice()
    {
        _history.Add("queues", 1, 2, static item => item.Queue(timed: false, answer: true));
        _history.AddBegin(0, 3);
        _history.AddEnd(4);
        _history.AddBegin(4, 5);
        _history.AddEnd(6);
        AssertRefused();
    }

    [Fact]
    public void What_is_disabled_is_not_queued()
    {
        _history.Add("disables", 1, 2, static item => item.BeginDisable(0, answer: false), static item => item.EndDisable(0));
        _history.Add("queues", 3, 4, static item => item.Queue(timed: false, answer: true));
        AssertRefused();
    }

    [Fact]
    public void What_was_disabled_twice_is_not_enabled_by_one()
    {
        _history.Add("disables", 1, 4, static item => item.BeginDisable(0, answer: false), static item => item.EndDisable(0));
        _history.Add("disables", 2, 3, static item => item.BeginDisable(1, answer: false), static item => item.EndDisable(1));
        _history.Add("enables", 5, 6, static item => item.Enable(answer: true));
        AssertRefused();
    }

    private void AssertRefused() => Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => _history.Check(cancelsTogether: false));
}
