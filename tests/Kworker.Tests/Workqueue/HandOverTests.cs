using Kworker.Tests.UserModeHelpers;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.Tests;

/// <summary>
/// A worker that sleeps in any wait of the library hands its place on at once: with one place in the pool and no monitor, what only the item behind can end would
/// never end otherwise.
/// </summary>
[Collection(HelperTestsDefinition.Name)]
public sealed class HandOverTests(HelperPrograms programs)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(90);

    public enum Wait
    {
        Completion,
        CompletionWithTimeAndToken,
        WaitQueue,
        WaitQueueExclusive,
        WaitVariable,
        FlushItem,
        FlushDelayedItem,
        FlushQueue,
        CancelSync,
        DisableSync,
        DrainQueue,
        DrainQueueWithGrace,
        DisposeQueue,
        FlushKthreadWorker,
        FlushKthreadWork,
        CancelKthreadWork,
        DisposeKthreadWorker,
        StopKthread,
        ParkKthread,
        Helper,
        HelperWithToken,
        HelperKillable,
        SleepOnFakeTime,
        SleepWithTokenOnFakeTime,
    }

    public static TheoryData<Wait, bool> Waits()
    {
        var data = new TheoryData<Wait, bool>();
        foreach (Wait wait in Enum.GetValues<Wait>())
        {
            if (!OperatingSystem.IsWindows() || wait is not (Wait.Helper or Wait.HelperWithToken or Wait.HelperKillable))
            {
                data.Add(wait, false);
                data.Add(wait, true);
            }
        }

        return data;
    }

    /// <param name="wait">What the item in front waits in.</param>
    /// <param name="chained">Whether it queues the one behind itself: that one stands behind it on its own worker at first.</param>
    [Theory]
    [MemberData(nameof(Waits))]
    public void A_worker_that_sleeps_in_a_wait_hands_its_place_on(Wait wait, bool chained)
    {
        var time = new FakeTimeProvider();
        var system = new KworkerSystem(new KworkerSystemOptions
        {
            Processors = 1,
            Monitor = false,
            TimeProvider = wait is Wait.SleepOnFakeTime or Wait.SleepWithTokenOnFakeTime ? time : TimeProvider.System,
        });
        var queue = new Workqueue("test", null, system);
        var aside = new Aside(system);
        (Action begin, Action end) = Make(wait, aside, time);
        using var over = new ManualResetEventSlim();
        Exception? failure = null;
        bool waits = false, ended = false, isQueued = false;
        var behind = new Work<object?>(null, _ =>
        {
            if (!Volatile.Read(ref waits))
                failure = new InvalidOperationException("two run at once where there is one place");
            Volatile.Write(ref ended, true);
            end();
        });
        var front = new Work<object?>(null, _ =>
        {
            if (chained)
                queue.Queue(behind);
            while (!chained && !Volatile.Read(ref isQueued))
                Thread.Yield(); // computes, as far as the pool can see
            Volatile.Write(ref waits, true);
            try
            {
                begin();
                if (!Volatile.Read(ref ended))
                    failure = new InvalidOperationException("the wait was over before it was ended");
            }
            catch (Exception e)
            {
                failure = e;
            }

            over.Set();
        });
        queue.Queue(front);
        if (!chained)
            queue.Queue(behind);
        Volatile.Write(ref isQueued, true);
        Assert.True(over.Wait(s_patience), $"The item behind one that sleeps in {wait} does not start: {system.Snapshot()}");
        Assert.Null(failure);
        queue.Dispose();
        aside.Dispose();
        system.Dispose();
        (system.Helpers.Launcher as LinuxHelperLauncher)?.Join(); // the next test counts threads and children
    }


    /// <summary>How the wait begins, and how it is ended.</summary>
    private (Action Begin, Action End) Make(Wait wait, Aside aside, FakeTimeProvider time)
    {
        Completion gate = aside.Gate;
        var line = new WaitQueue();
        bool holds = false;
        bool Holds() => Volatile.Read(ref holds);
        void MakeTrue(Action wake)
        {
            Volatile.Write(ref holds, true);
            wake();
        }

        Action open = gate.CompleteAll;
        CancellationToken token = aside.Token;
        switch (wait)
        {
            case Wait.Completion:
                return (() => gate.Wait(), open);
            case Wait.CompletionWithTimeAndToken:
                return (() => Assert.True(gate.Wait(TimeSpan.FromHours(1), WaitMode.Killable, token)), open);
            case Wait.WaitQueue or Wait.WaitQueueExclusive:
                return (() => line.WaitEvent(Holds, default(WaitMode), exclusive: wait == Wait.WaitQueueExclusive), () => MakeTrue(() => line.WakeUp()));
            case Wait.WaitVariable:
                return (() => WaitVariable.WaitEvent(line, Holds), () => MakeTrue(() => WaitVariable.WakeUp(line)));
            case Wait.FlushItem:
                Work<Aside> flushed = aside.RunItem();
                return (() => Assert.True(flushed.Flush()), open);
            case Wait.FlushDelayedItem:
                DelayedWork<Aside> delayed = aside.QueueDelayedItem();
                return (() => Assert.True(delayed.Flush()), open);
            case Wait.FlushQueue:
                aside.RunItem();
                return (aside.Queue.Flush, open);
            case Wait.CancelSync:
                Work<Aside> cancelled = aside.RunItem();
                return (() => Assert.False(cancelled.CancelSync()), open);
            case Wait.DisableSync:
                Work<Aside> disabled = aside.RunItem();
                return (() => Assert.False(disabled.DisableSync()), open);
            case Wait.DrainQueue:
                aside.RunItem();
                return (aside.Queue.Drain, open);
            case Wait.DrainQueueWithGrace:
                aside.RunItem();
                return (() => aside.Queue.Drain(TimeSpan.FromHours(1)), open);
            case Wait.DisposeQueue:
                aside.RunItem();
                return (aside.Queue.Dispose, open);
            case Wait.FlushKthreadWorker:
                aside.RunKthreadWork();
                return (aside.Worker.Flush, open);
            case Wait.FlushKthreadWork:
                KthreadWork<Aside> flushedToo = aside.RunKthreadWork();
                return (flushedToo.Flush, open);
            case Wait.CancelKthreadWork:
                KthreadWork<Aside> cancelledToo = aside.RunKthreadWork();
                return (() => Assert.False(cancelledToo.CancelSync()), open);
            case Wait.DisposeKthreadWorker:
                aside.RunKthreadWork();
                return (aside.Worker.Dispose, open);
            case Wait.StopKthread:
                Kthread stopped = aside.RunKthread();
                return (() => Assert.Equal(Aside.Result, stopped.Stop()), open);
            case Wait.ParkKthread:
                Kthread parked = aside.RunKthread();
                return (() => Assert.Equal(0, parked.Park()), open);
            case Wait.Helper or Wait.HelperWithToken or Wait.HelperKillable:
                string fifo = programs.AddFifo();
                HelperWait kind = wait == Wait.HelperKillable ? HelperWait.Killable : HelperWait.WaitProc;
                return (
                    () => Assert.Equal(7, UserModeHelper.Call(programs.Gate, ["gate", fifo, "7"], [], kind, wait == Wait.HelperWithToken ? token : default).ExitCode),
                    () => HelperPrograms.OpenGate(fifo).Dispose());
            case Wait.SleepOnFakeTime:
                return (() => Worker.Sleep(TimeSpan.FromSeconds(10)), () => time.Advance(TimeSpan.FromSeconds(10)));
            default:
                return (() => Worker.Sleep(TimeSpan.FromSeconds(10), token), () => time.Advance(TimeSpan.FromSeconds(10)));
        }
    }

    /// <summary>What goes on elsewhere and is waited for: all of it goes on until the gate is opened.</summary>
    private sealed class Aside(KworkerSystem system) : IDisposable
    {
        internal const int Result = 5;

        private readonly CancellationTokenSource _source = new();
        private readonly Completion _entered = new();
        private KthreadWorker? _worker;
        private Kthread? _kthread;

        internal Completion Gate { get; } = new();

        internal CancellationToken Token => _source.Token;

        /// <summary>In a pool that starts everything at once.</summary>
        internal Workqueue Queue { get; } = new("aside", new WorkqueueOptions { Unbound = true }, system);

        internal KthreadWorker Worker => _worker ??= new KthreadWorker("aside", system);

        internal Work<Aside> RunItem()
        {
            var work = new Work<Aside>(this, static aside => aside.Stay());
            Queue.Queue(work);
            _entered.Wait();
            return work;
        }

        /// <summary>Its flush runs it.</summary>
        internal DelayedWork<Aside> QueueDelayedItem()
        {
            var work = new DelayedWork<Aside>(this, static aside => aside.Stay());
            Queue.Queue(work, TimeSpan.FromHours(1));
            return work;
        }

        internal KthreadWork<Aside> RunKthreadWork()
        {
            var work = new KthreadWork<Aside>(this, static aside => aside.Stay());
            Worker.Queue(work);
            _entered.Wait();
            return work;
        }

        internal Kthread RunKthread()
        {
            _kthread = Kthread.Run(
                static aside =>
                {
                    aside.Stay();
                    Kthread.ParkMe();
                    return Result;
                }, this, "aside", system);
            _entered.Wait();
            return _kthread;
        }


        public void Dispose()
        {
            Queue.Dispose();
            _worker?.Dispose();
            _kthread?.Stop();
            _source.Dispose();
        }

        private void Stay()
        {
            _entered.Complete();
            Gate.Wait();
        }
    }
}
