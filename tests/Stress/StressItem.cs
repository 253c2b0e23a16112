namespace Kworker.Stress;

/// <summary>A work item, plain or delayed, synchronous or not, at home on one queue or roaming, whose function does random things.</summary>
internal sealed class StressItem
{
    private readonly World _world;
    private readonly StressQueue? _home; // null: it roams
    private readonly Random _random; // the function's alone: it never runs concurrently with itself
    private readonly Gate _gate = new();
    private readonly Work _work;
    private readonly DelayedWork? _delayed;
    private int _disablers; // who holds it disabled, or is about to
    private long _disabled; // so often so far

    internal StressItem(World world, int number, StressQueue? home, Random random)
    {
        _world = world;
        _home = home;
        _random = new Random(random.Next());
        bool isAsync = random.Next(2) == 0;
        bool isDelayed = random.Next(2) == 0;
        string kind = $"{(isDelayed ? "delayed " : "")}{(isAsync ? "async " : "")}item {number} of {home?.Queue.Name ?? "any queue"}";
        Ledger = new Ledger(world.Verdict, kind);
        if (isDelayed)
        {
            _work = _delayed = isAsync
                ? new DelayedWork<StressItem>(this, static (item, token) => item.RunAsync(token))
                : new DelayedWork<StressItem>(this, static item => item.Run());
        }
        else
        {
            _work = isAsync
                ? new Work<StressItem>(this, static (item, token) => item.RunAsync(token))
                : new Work<StressItem>(this, static item => item.Run());
        }

        world.Watch(_work, kind);
    }

    internal Ledger Ledger { get; }

    internal bool IsDelayed => _delayed is not null;

    internal bool Roams => _home is null;

    private int Rank => _home?.Rank ?? 0;

    /// <summary>Whether work of this item may wait for that of <paramref name="other"/>.</summary>
    private bool MayWaitFor(StressItem other) => !Roams && !other.Roams && other.Rank > Rank;

    internal static StressItem OwnerOf(Work work) => work switch
    {
        Work<StressItem> plain => plain.Owner,
        DelayedWork<StressItem> delayed => delayed.Owner,
        _ => throw new ArgumentException("Not an item of the stress."),
    };

    internal void Queue(Random random)
    {
        if (!_gate.TryEnter())
            return;
        try
        {
            Ledger.Accept(TargetOf(random).Queue(_work));
        }
        catch (InvalidOperationException e) when (IsRefusal(e))
        {
            _world.CountRefusal();
        }
        finally
        {
            _gate.Leave();
        }
    }

    internal void Queue(Random random, TimeSpan delay)
    {
        if (!_gate.TryEnter())
            return;
        try
        {
            Ledger.Accept(TargetOf(random).Queue(_delayed!, delay));
        }
        catch (InvalidOperationException e) when (IsRefusal(e))
        {
            _world.CountRefusal();
        }
        finally
        {
            _gate.Leave();
        }
    }

    internal void Modify(Random random, TimeSpan delay)
    {
        if (!_gate.TryEnter())
            return;
        Ledger.BeginDisturb();
        try
        {
            long disabled = Interlocked.Read(ref _disabled);
            bool mayBeDisabled = Volatile.Read(ref _disablers) != 0;
            bool accepted = !TargetOf(random).Modify(_delayed!, delay);
            if (accepted && (mayBeDisabled || Interlocked.Read(ref _disabled) != disabled))
                Ledger.Doubt();
            else
                Ledger.Accept(accepted);
        }
        catch (InvalidOperationException e) when (IsRefusal(e))
        {
            Ledger.Doubt();
            _world.CountRefusal();
        }
        finally
        {
            Ledger.EndDisturb(takenBack: false);
            _gate.Leave();
        }
    }

    internal void Cancel()
    {
        Ledger.BeginDisturb();
        Ledger.EndDisturb(_work.Cancel());
    }

    internal void CancelSync()
    {
        Ledger.BeginDisturb();
        Ledger.EndDisturb(_work.CancelSync());
    }

    internal async ValueTask CancelSyncAsync()
    {
        Ledger.BeginDisturb();
        Ledger.EndDisturb(await _work.CancelSyncAsync());
    }

    /// <summary>A cancel-sync while nobody may queue: afterwards it is neither pending nor running, and stays so.</summary>
    internal async ValueTask CancelForGoodAsync(bool isAsync)
    {
        if (!_gate.TryClose())
            return;
        try
        {
            if (isAsync)
                await CancelSyncAsync();
            else
                CancelSync();
            long started = Ledger.Started;
            CheckIdle("after a cancel-sync");
            Thread.Yield();
            CheckIdle("some time after a cancel-sync");
            if (Ledger.Started != started)
                _world.Verdict.Fail($"{Ledger} ran after a cancel-sync");
        }
        finally
        {
            _gate.Open();
        }
    }

    /// <summary>Disables it, sees that it neither runs nor is queued meanwhile, whatever others do, and enables it again.</summary>
    internal async ValueTask DisableForAWhileAsync(Random random, bool isAsync)
    {
        Interlocked.Increment(ref _disablers);
        Interlocked.Increment(ref _disabled);
        Ledger.BeginDisturb();
        Ledger.EndDisturb(isAsync ? await _work.DisableSyncAsync() : _work.DisableSync());
        long started = Ledger.Started;
        CheckIdle("while it is disabled");
        if (TargetOf(random).Queue(_work))
            _world.Verdict.Fail($"{Ledger} is queued while it is disabled");
        Thread.Yield();
        if (_delayed is not null && TargetOf(random).Queue(_delayed, TimeSpan.FromMilliseconds(1)))
            _world.Verdict.Fail($"{Ledger} is queued for later while it is disabled");
        CheckIdle("while it is disabled");
        if (Ledger.Started != started)
            _world.Verdict.Fail($"{Ledger} ran while it was disabled");
        _work.Enable();
        Interlocked.Decrement(ref _disablers);
    }

    internal void Flush()
    {
        Ledger.FlushMark mark = Ledger.Mark();
        _work.Flush();
        Ledger.CheckFlushed(mark);
    }

    internal async ValueTask FlushAsync()
    {
        Ledger.FlushMark mark = Ledger.Mark();
        await _work.FlushAsync();
        Ledger.CheckFlushed(mark);
    }

    internal void CheckIdle(string when)
    {
        // What another cancel-sync has taken over shows as pending until it lets go.
        bool running = (_work.Busy & WorkBusy.Running) != 0 || Ledger.IsRunning;
        if (running)
            _world.Verdict.Fail($"{Ledger} runs {when}: {_work.Busy}");
    }

    /// <summary>At the end of a world, when nobody does anything to it any more.</summary>
    internal void CheckEnd()
    {
        CheckIdle("at the end");
        if (_work.IsPending)
            _world.Verdict.Fail($"{Ledger} is pending at the end");
        Ledger.CheckBalance();
    }

    private Workqueue TargetOf(Random random) => _home?.Queue ?? _world.AnyQueue(random).Queue;

    private static bool IsRefusal(InvalidOperationException e) => e is not ObjectDisposedException && e.Message.Contains("is being drained", StringComparison.Ordinal);

    private void Begin()
    {
        Ledger.BeginRun();
        _home?.BeginRun();
        if (_world.IsDisposed)
            _world.Verdict.Fail($"{Ledger} runs after its system was disposed of");
        if (!ReferenceEquals(Work.Current, _work))
            _world.Verdict.Fail($"{Ledger} runs, but the current item is {Work.Current}");
    }

    private void End()
    {
        _home?.EndRun();
        Ledger.EndRun();
    }

    private void Run()
    {
        Begin();
        try
        {
            int what = _random.Next(100);
            switch (what)
            {
                case < 3:
                    Worker.Sleep(TimeSpan.FromMilliseconds(_random.NextDouble()));
                    break;
                case < 5:
                    using (Worker.Blocking())
                        Thread.Sleep(_random.Next(2));
                    break;
                case < 6:
                    Thread.Sleep(1);
                    break;
                case < 8:
                    _world.Gossip.Wait(TimeSpan.FromMilliseconds(_random.NextDouble()));
                    break;
                case < 10 when Other() is { } other && MayWaitFor(other):
                    other.Flush();
                    break;
                case < 12 when Other() is { } other && MayWaitFor(other):
                    other.CancelSync();
                    break;
                default:
                    Common(what);
                    break;
            }
        }
        finally
        {
            End();
        }
    }

    private async ValueTask RunAsync(CancellationToken token)
    {
        Begin();
        try
        {
            for (int i = _random.Next(4); i > 0; i--)
            {
                int what = _random.Next(100);
                switch (what)
                {
                    case < 20:
                        await Task.Yield();
                        break;
                    case < 30:
                        await _world.Gossip.WaitAsync(TimeSpan.FromMilliseconds(_random.NextDouble()), WaitMode.Uninterruptible, token);
                        break;
                    case < 35:
                        await _world.Rumours.WaitEventAsync(() => _random.Next(4) == 0, TimeSpan.FromMilliseconds(_random.NextDouble()), cancellationToken: token);
                        break;
                    case < 37:
                        await Task.Delay(1, token);
                        break;
                    case < 39 when Other() is { } other && MayWaitFor(other):
                        await other.FlushAsync();
                        break;
                    case < 41 when Other() is { } other && MayWaitFor(other):
                        await other.CancelSyncAsync();
                        break;
                    case < 42:
                        Worker.Sleep(TimeSpan.FromMilliseconds(_random.NextDouble()), CancellationToken.None);
                        break;
                    default:
                        Common(what);
                        break;
                }

                if (!ReferenceEquals(Work.Current, _work))
                    _world.Verdict.Fail($"{Ledger} goes on, but the current item is {Work.Current}");
            }
        }
        finally
        {
            End();
        }
    }

    /// <summary>What functions of both kinds do: mostly nothing.</summary>
    private void Common(int what)
    {
        switch (what)
        {
            case < 80:
                break;
            case < 84:
                Thread.SpinWait(_random.Next(2000));
                break;
            case < 88:
                if (IsDelayed && _random.Next(2) == 0)
                    Queue(_random, TimeSpan.FromMilliseconds(_random.NextDouble()));
                else
                    Queue(_random);
                break;
            case < 91:
                Other()?.Queue(_random);
                break;
            case < 93:
                Other()?.Cancel();
                break;
            case < 95:
                _world.Gossip.Complete();
                break;
            case < 97:
                _world.Rumours.WakeUp();
                break;
            default:
                _world.CountThrown();
                throw new StressFailure();
        }
    }

    private StressItem? Other() => _world.AnyItem(_random) is { } other && !ReferenceEquals(other, this) ? other : null;

    public override string ToString() => $"{Ledger} ({_work.Busy})";
}
