namespace Kworker.Stress;

/// <summary>
/// The accounts of one item: each acceptance (a Queue that said true, a Modify that said false) ends in exactly one of a run, a cancel that said true, or a refusal
/// that was reported. And it never runs concurrently with itself.
/// </summary>
internal sealed class Ledger(Verdict verdict, string name)
{
    private long _accepted;
    private long _takenBack;
    private long _refused;
    private long _doubtful;
    private long _started;
    private long _ended;
    private long _disturbers; // calls under way that may take it back
    private long _disturbances; // such calls so far
    private int _running;

    internal string Name => name;

    internal long Started => Volatile.Read(ref _started);

    internal bool IsRunning => Volatile.Read(ref _running) != 0;

    internal void Accept(bool accepted)
    {
        if (accepted)
            Interlocked.Increment(ref _accepted);
    }

    internal void Refuse() => Interlocked.Increment(ref _refused);

    /// <summary>
    /// A Modify that was refused by an exception: what was pending is gone, and nobody says whether something was. Or one of an item that may have been disabled
    /// then: nobody says whether it has been queued.
    /// </summary>
    internal void Doubt() => Interlocked.Increment(ref _doubtful);

    /// <summary>Before a call that may take back what is pending.</summary>
    internal void BeginDisturb()
    {
        Interlocked.Increment(ref _disturbers);
        Interlocked.Increment(ref _disturbances);
    }

    /// <summary>After it.</summary>
    internal void EndDisturb(bool takenBack)
    {
        if (takenBack)
            Interlocked.Increment(ref _takenBack);
        Interlocked.Decrement(ref _disturbers);
    }

    internal void BeginRun()
    {
        if (Interlocked.Increment(ref _running) != 1)
            verdict.Fail($"{name} runs concurrently with itself");
        Interlocked.Increment(ref _started);
    }

    internal void EndRun()
    {
        Interlocked.Increment(ref _ended);
        if (Interlocked.Decrement(ref _running) < 0)
            verdict.Fail($"{name}: a run ended twice");
    }

    /// <summary>Before a flush: what must have ended after it.</summary>
    internal FlushMark Mark()
    {
        long disturbances = Interlocked.Read(ref _disturbances);
        bool isQuiet = Interlocked.Read(ref _disturbers) == 0;
        return new FlushMark(isQuiet, disturbances, Interlocked.Read(ref _accepted) - Interlocked.Read(ref _takenBack));
    }

    /// <summary>After it. Says nothing where somebody took it back or moved it meanwhile.</summary>
    internal void CheckFlushed(in FlushMark mark)
    {
        long ended = Interlocked.Read(ref _ended) + Interlocked.Read(ref _doubtful), due = mark.Due;
        if (!mark.IsQuiet || Interlocked.Read(ref _disturbances) != mark.Disturbances)
            return;
        // A refusal is reported after the item has been let go of: that may be a moment from now.
        if (!SpinWait.SpinUntil(() => ended + Interlocked.Read(ref _refused) >= due, TimeSpan.FromSeconds(5)))
            verdict.Fail($"{name}: flushed, but of {due} queued before only {ended} had ended");
    }

    /// <summary>When nothing of it is pending or running any more.</summary>
    internal void CheckBalance()
    {
        long open = _accepted - _takenBack - _refused - _ended;
        if (_started != _ended)
            verdict.Fail($"{name}: {_started} runs began, {_ended} ended");
        if (Math.Abs(open) > _doubtful)
            verdict.Fail($"{name}: {_accepted} accepted, {_takenBack} taken back, {_refused} refused, {_ended} run, {_doubtful} in doubt: {open} lost");
    }

    public override string ToString() =>
        $"{name}: {_accepted} accepted, {_takenBack} taken back, {_refused} refused, {_doubtful} in doubt, {_started} begun, {_ended} ended, {_running} running";

    internal readonly record struct FlushMark(bool IsQuiet, long Disturbances, long Due);
}
