namespace Kworker.Stress.Actors;

/// <summary>Helpers that succeed, fail, are killed, are not there, or are given up, several at once; each status is that of its own program.</summary>
internal sealed class HelperActor(World world, string name, int seed) : Actor(world, name, seed)
{
    private static readonly string[] s_environment = ["PATH=/usr/bin:/bin"];

    private Workqueue? _queue;

    protected override void Act()
    {
        // From a worker of the world: a call belongs to the system of who calls.
        _queue = new Workqueue(Name, null, World.System);
        _queue.UnhandledException += (_, e) => World.Reported(e);
        while (IsOn)
        {
            int count = Random.Next(1, 6);
            Doing($"{count} helpers");
            var done = new CountdownEvent(count);
            for (int i = 0; i < count; i++)
            {
                int kind = Random.Next(8);
                Work work = Chance(0.5)
                    ? new Work<int>(kind, async (kind, _) => { await CallAsync(kind); done.Signal(); })
                    : new Work<int>(kind, kind => { Call(kind); done.Signal(); });
                _queue!.Queue(work);
            }

            done.Wait();
            World.Gossip.Wait(UpTo(5));
        }
    }

    private void Call(int kind)
    {
        (string path, string[] argv, HelperWait wait, string expected) = Program(kind);
        Check(UserModeHelper.Call(path, argv, s_environment, wait), expected);
    }

    private async ValueTask CallAsync(int kind)
    {
        (string path, string[] argv, HelperWait wait, string expected) = Program(kind);
        if (kind == 7)
        {
            using var source = new CancellationTokenSource(1);
            try
            {
                Check(await UserModeHelper.CallAsync(path, argv, s_environment, wait, source.Token), expected);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }

        Check(await UserModeHelper.CallAsync(path, argv, s_environment, wait), expected);
    }

    private void Check(HelperStatus status, string expected) =>
        Verdict.Check(status.ToString() == expected, (Name, status, expected), static s => $"{s.Name}: a helper {s.status}; it should have: {s.expected}");

    private static (string Path, string[] Argv, HelperWait Wait, string Expected) Program(int kind) => kind switch
    {
        0 => ("/bin/false", ["/bin/false"], HelperWait.WaitProc, "exited with 1"),
        1 => ("/bin/sh", ["/bin/sh", "-c", "exit 42"], HelperWait.Killable, "exited with 42"),
        2 => ("/bin/sh", ["/bin/sh", "-c", "kill -9 $$"], HelperWait.WaitProc, "was killed by signal 9"),
        3 => ("/bin/sh", ["/bin/sh", "-c", "kill -15 $$"], HelperWait.WaitProc, "was killed by signal 15"),
        4 => ("/no/such/program", ["x"], HelperWait.WaitProc, "could not be executed: No such file or directory (errno 2)"),
        5 => ("/bin/true", ["/bin/true"], HelperWait.WaitExec, "was started"),
        6 => ("/bin/true", ["/bin/true"], HelperWait.NoWait, "was left to a worker to start"),
        _ => ("/bin/true", ["/bin/true"], HelperWait.WaitProc, "exited with 0"),
    };
}
