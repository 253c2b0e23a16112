using Conformance.Scenarios;
using Kworker;

namespace Conformance.Replay;

internal sealed class KthreadReplayer(Waiters waiters, Schedule schedule) : WorldReplayer(waiters, schedule)
{
    private readonly Dictionary<string, Thread> _threads = [];

    protected override ListOrder Order => ListOrder.None;

    protected override void Do(Step step, Answer given)
    {
        if (step.Operation == "create")
        {
            _threads.Add(step[1], new Thread(World, step[1], step[2], Number(step[3])));
            return;
        }

        var thread = _threads.TryGetValue(step[1], out var known) ? known : throw new FormatException($"there is no kthread '{step[1]}'");
        switch (step.Operation)
        {
            case "start": thread.Kthread.Start(); break;
            case "unpark": thread.Kthread.Unpark(); break;
            case "entered": given.Ret = Json(thread.Entered); break;
            case "exited": given.Ret = Json(thread.Exited); break;
            case "parks": given.Ret = Json(thread.Parks); break;
            case "stop":
                thread.IsStopped = true;
                World.Call(given, "stop", () => Json(thread.Kthread.Stop()), async () => Json(await thread.Kthread.StopAsync()));
                break;
            case "park":
                World.Call(given, "park", () => Json(thread.Kthread.Park()), async () => Json(await thread.Kthread.ParkAsync()));
                break;
            default: throw Unknown(step);
        }
    }

    protected override void Release()
    {
        foreach (var thread in _threads.Values)
        {
            if (!thread.IsStopped)
                thread.Kthread.Stop();
        }
    }

    /// <summary>A kthread of one of the recorder's kinds, and how far it came.</summary>
    private sealed class Thread
    {
        private readonly WaitQueue _asked = new();
        private readonly int _result;
        private int _entered;
        private int _exited;
        private int _parks;

        public Thread(World world, string name, string kind, int result)
        {
            _result = result;
            Kthread = (kind, world.Waiters) switch
            {
                ("quick", Waiters.Threads) => Kthread.Create(static self => self.Quick(), this, name, world.System),
                ("quick", Waiters.Async) => Kthread.Create(static self => ValueTask.FromResult(self.Quick()), this, name, world.System),
                ("stopper" or "parker", Waiters.Threads) =>
                    Kthread.Create(static args => args.self.Stay(args.parks), (self: this, parks: kind == "parker"), name, world.System),
                ("stopper" or "parker", Waiters.Async) =>
                    Kthread.Create(static args => args.self.StayAsync(args.parks), (self: this, parks: kind == "parker"), name, world.System),
                _ => throw new FormatException($"there is no kind of kthread '{kind}'"),
            };
        }

        public Kthread Kthread { get; }
        public bool IsStopped { get; set; }
        public int Entered => Volatile.Read(ref _entered);
        public int Exited => Volatile.Read(ref _exited);
        public int Parks => Volatile.Read(ref _parks);

        private int Quick()
        {
            _entered = 1;
            return Exit();
        }

        private int Stay(bool parks)
        {
            _entered = 1;
            while (!Kthread.ShouldStop)
            {
                if (parks && Kthread.ShouldPark)
                {
                    _parks++;
                    Kthread.ParkMe();
                    continue;
                }

                _asked.WaitEvent(() => Kthread.ShouldStop || (parks && Kthread.ShouldPark), WaitMode.Interruptible);
            }

            return Exit();
        }

        private async ValueTask<int> StayAsync(bool parks)
        {
            _entered = 1;
            while (!Kthread.ShouldStop)
            {
                if (parks && Kthread.ShouldPark)
                {
                    _parks++;
                    await Kthread.ParkMeAsync();
                    continue;
                }

                await _asked.WaitEventAsync(() => Kthread.ShouldStop || (parks && Kthread.ShouldPark), WaitMode.Interruptible);
            }

            return Exit();
        }

        private int Exit()
        {
            Volatile.Write(ref _exited, 1);
            return _result;
        }
    }
}
