using CsCheck;

namespace Kworker.Tests.Models;

/// <summary>
/// Several threads call one kthread at random: each call returns and answers what it may, all who stop it are told the same, and the body is entered just when that says so.
/// </summary>
public sealed class KthreadCallersModelTests : IDisposable
{
    private const int Result = 11;
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
        Kill,
        Stop,
        StopAsync,
    }

    private static readonly Gen<Call[][]> s_programs = Gen.Frequency(
        (4, Gen.OneOfConst(Call.Start, Call.WakeUp, Call.Unpark)),
        (4, Gen.OneOfConst(Call.Park, Call.ParkAsync)),
        (2, Gen.OneOfConst(Call.Signal, Call.Kill)),
        (1, Gen.OneOfConst(Call.Stop, Call.StopAsync))).Array[1, 12].Array[2, 4];

    [Theory, InlineData(false), InlineData(true)]
    public void Calls_of_several_threads(bool isAsync) => s_programs.Sample(programs => Try(programs, isAsync), iter: ModelRun.Times(300), threads: 1);

    private void Try(Call[][] programs, bool isAsync)
    {
        int entered = 0, left = 0;
        var line = new WaitQueue();
        Kthread kthread = isAsync
            ? Kthread.Create(
                async _ =>
                {
                    Interlocked.Increment(ref entered);
                    while (!Kthread.ShouldStop)
                    {
                        await Kthread.ParkMeAsync();
                        if ((await line.WaitEventAsync(static () => Kthread.ShouldStop || Kthread.ShouldPark, WaitMode.Interruptible)).IsInterrupted)
                            Kthread.FlushSignals();
                    }

                    Interlocked.Increment(ref left);
                    return Result;
                }, 0, "test", _system)
            : Kthread.Create(
                _ =>
                {
                    Interlocked.Increment(ref entered);
                    while (!Kthread.ShouldStop)
                    {
                        Kthread.ParkMe();
                        if (line.WaitEvent(static () => Kthread.ShouldStop || Kthread.ShouldPark, WaitMode.Interruptible).IsInterrupted)
                            Kthread.FlushSignals();
                    }

                    Interlocked.Increment(ref left);
                    return Result;
                }, 0, "test", _system);
        int asked = 0; // threads that are in or past a call that stops it
        var results = new System.Collections.Concurrent.ConcurrentBag<int>();
        Tests.Together.Run([.. programs.Select(program => (Action)(() =>
        {
            bool hasStopped = false;
            foreach (Call call in program)
            {
                switch (call)
                {
                    case Call.Start:
                        kthread.Start();
                        break;
                    case Call.WakeUp:
                        kthread.WakeUp();
                        break;
                    case Call.Unpark:
                        kthread.Unpark();
                        break;
                    case Call.Signal:
                        kthread.Signal();
                        break;
                    case Call.Kill:
                        kthread.Kill();
                        break;
                    case Call.Park or Call.ParkAsync:
                        int answer = call == Call.Park ? kthread.Park() : kthread.ParkAsync().AsTask().GetAwaiter().GetResult();
                        if (hasStopped)
                            Assert.Equal(-Errno.ENOSYS, answer);
                        else
                            Assert.True(answer is 0 or -Errno.EBUSY || (answer == -Errno.ENOSYS && Volatile.Read(ref asked) > 0), $"{call} answers {answer}");
                        break;
                    default:
                        Interlocked.Increment(ref asked);
                        results.Add(call == Call.Stop ? kthread.Stop() : kthread.StopAsync().AsTask().GetAwaiter().GetResult());
                        hasStopped = true;
                        Assert.True(kthread.HasExited);
                        break;
                }
            }
        }))]);

        results.Add(kthread.Stop());
        int result = Assert.Single(results.Distinct());
        Assert.Contains(result, new[] { Result, -Errno.EINTR });
        Assert.Equal(result == Result ? 1 : 0, entered);
        Assert.Equal(entered, left);
        Assert.True(kthread.HasExited);
    }
}
