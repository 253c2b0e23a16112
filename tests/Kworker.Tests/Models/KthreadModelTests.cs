using CsCheck;

namespace Kworker.Tests.Models;

/// <summary>Random calls to a kthread, one after another: each answers as the kernel's does, and the thread goes on only when it is to.</summary>
public sealed class KthreadModelTests : IDisposable
{
    private const int EINTR = -4, EBUSY = -16, ENOSYS = -38;
    private readonly KworkerSystem _system = new();

    public void Dispose() => _system.Dispose();

    public enum Call
    {
        Start,
        Park,
        ParkAsync,
        Unpark,
        WakeUp,
        Signal,
        Ask,
        LetReturn,
        Stop,
    }

    [Fact]
    public void Of_a_plain_body() => Sample(isAsync: false);

    [Fact]
    public void Of_an_async_body() => Sample(isAsync: true);

    private void Sample(bool isAsync) =>
        Gen.Select(Gen.Enum<Call>().Array[1, 20], Gen.Int).Sample((calls, result) => Try(calls, result, isAsync), iter: ModelRun.Times(200), threads: 1);

    private void Try(Call[] calls, int result, bool isAsync)
    {
        var body = new Body(result);
        Kthread kthread = isAsync
            ? Kthread.Create(static body => body.RunAsync(), body, "test", _system)
            : Kthread.Create(static body => body.Run(), body, "test", _system);
        bool hasThread = false, entered = false, asked = false, returned = false;
        int? stopped = null;
        foreach (Call call in calls)
        {
            switch (call)
            {
                case Call.Start:
                    kthread.Start();
                    hasThread |= stopped is null; // what was stopped before it began never does
                    break;
                case Call.Park or Call.ParkAsync:
                    int expected = returned || stopped is not null ? ENOSYS : asked ? EBUSY : 0;
                    Assert.Equal(expected, call == Call.Park ? kthread.Park() : kthread.ParkAsync().AsTask().GetAwaiter().GetResult());
                    if (expected == 0)
                        hasThread = asked = true;
                    break;
                case Call.Unpark:
                    kthread.Unpark();
                    asked = false;
                    break;
                case Call.WakeUp when hasThread:
                    kthread.WakeUp();
                    break;
                case Call.Signal:
                    kthread.Signal();
                    break;
                case Call.Ask when entered && !asked && !returned && stopped is null:
                    Assert.Equal(7, body.Ask(7));
                    break;
                case Call.LetReturn when entered && !asked && !returned && stopped is null:
                    body.LetReturn();
                    while (!kthread.HasExited)
                        Thread.Yield();
                    returned = true;
                    break;
                case Call.Stop:
                    // One whose function was never entered never is, unless it is parked before it: then it is let go, and runs.
                    stopped ??= hasThread ? result : EINTR;
                    Assert.Equal(stopped, kthread.Stop());
                    asked = false;
                    break;
                default:
                    break;
            }

            // A thread that is not parked enters its function.
            if (hasThread && !asked && !entered)
            {
                body.AwaitEntered();
                entered = true;
            }

            if (!entered)
                Assert.False(body.HasEntered);
            Assert.Equal(returned || stopped is not null, kthread.HasExited);
        }

        Assert.Equal(stopped ?? (hasThread ? result : EINTR), kthread.Stop());
    }

    private sealed class Body(int result)
    {
        private readonly Completion _entered = new();
        private readonly Completion _answered = new();
        private readonly WaitQueue _asked = new();
        private int _question;
        private bool _mayReturn;

        internal bool HasEntered => _entered.IsDone;

        internal void AwaitEntered() => _entered.Wait();

        internal int Ask(int question)
        {
            Volatile.Write(ref _question, question);
            _asked.WakeUp();
            _answered.Wait();
            return question - _question;
        }

        internal void LetReturn()
        {
            Volatile.Write(ref _mayReturn, true);
            _asked.WakeUp();
        }

        internal int Run()
        {
            _entered.CompleteAll();
            while (!Kthread.ShouldStop && !Volatile.Read(ref _mayReturn))
            {
                Kthread.ParkMe();
                if (_asked.WaitEvent(MayGoOn, WaitMode.Interruptible).IsInterrupted)
                    Kthread.FlushSignals();
                Answer();
            }

            return result;
        }

        internal async ValueTask<int> RunAsync()
        {
            _entered.CompleteAll();
            while (!Kthread.ShouldStop && !Volatile.Read(ref _mayReturn))
            {
                await Kthread.ParkMeAsync();
                if ((await _asked.WaitEventAsync(MayGoOn, WaitMode.Interruptible)).IsInterrupted)
                    Kthread.FlushSignals();
                Answer();
            }

            return result;
        }

        private bool MayGoOn() => Volatile.Read(ref _question) != 0 || Volatile.Read(ref _mayReturn) || Kthread.ShouldStop || Kthread.ShouldPark;

        private void Answer()
        {
            if (Volatile.Read(ref _question) == 0)
                return;
            Volatile.Write(ref _question, 0);
            _answered.Complete();
        }
    }
}
