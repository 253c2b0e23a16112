using System.Runtime.Versioning;
using Conformance.Scenarios;
using Kworker;

namespace Conformance.Replay;

/// <summary>Runs real programs, so it needs neither fake time nor turns; each step is one call that comes back by itself.</summary>
[UnsupportedOSPlatform("windows")]
internal sealed class HelperReplayer(Waiters waiters) : Replayer
{
    /// <summary>How long a program may take to be started and its cleanup to be called before it counts as lost. No answer depends on it.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private static readonly string[] s_environment = ["HOME=/", "KREC=yes"];

    protected override ListOrder Order => ListOrder.None;

    protected override Answer Do(Step step) => step.Operation switch
    {
        "helper" => Call(Wait(step[1]), step[2], step.From(3)),
        "helper_setup" => SetUp(Wait(step[1]), Number(step[2]), step[3], step.From(4)),
        _ => throw Unknown(step),
    };

    private Answer Call(HelperWait wait, string path, IReadOnlyList<string> arguments)
    {
        var (program, argv) = Arguments(path, arguments);
        var status = waiters == Waiters.Threads
            ? UserModeHelper.Call(program, argv, s_environment, wait)
            : Await(UserModeHelper.CallAsync(program, argv, s_environment, wait));
        return new Answer { Ret = Json(arguments is ["uid"] ? AsRoot(status.Raw) : status.Raw) };
    }

    private Answer SetUp(HelperWait wait, int initResult, string path, IReadOnlyList<string> arguments)
    {
        var (program, argv) = Arguments(path, arguments);
        var initCalls = 0;
        var cleanupCalls = 0;
        using var cleaned = new ManualResetEventSlim();
        var call = UserModeHelper.Setup(program, argv, s_environment,
            init: () =>
            {
                Interlocked.Increment(ref initCalls);
                return initResult;
            },
            cleanup: () =>
            {
                Interlocked.Increment(ref cleanupCalls);
                cleaned.Set();
            });
        var status = waiters == Waiters.Threads ? call.Exec(wait) : Await(call.ExecAsync(wait));
        // Where nobody waits for the program, the callbacks come later; cleanup is the last of all.
        cleaned.Wait(s_patience);
        return new Answer { Ret = Json(status.Raw), InitCalls = Json(initCalls), CleanupCalls = Json(cleanupCalls) };
    }

    /// <summary>The recorder was root; run by somebody else, a helper is to run as that user, as its exit code says.</summary>
    private static int AsRoot(int status) => status == (HelperFiles.UserId & 0xff) << 8 ? 0 : status;

    private static HelperStatus Await(ValueTask<HelperStatus> call)
    {
        var task = call.AsTask();
        return task.Wait(s_patience) ? task.Result : throw new TimeoutException("the call did not come back");
    }

    private static (string Program, string[] Argv) Arguments(string path, IReadOnlyList<string> arguments)
    {
        var program = HelperFiles.Instance.Resolve(path);
        return (program, [program, .. arguments.Select(argument => argument == "-" ? "" : argument)]);
    }

    private static HelperWait Wait(string mode) => mode switch
    {
        "no_wait" => HelperWait.NoWait,
        "wait_exec" => HelperWait.WaitExec,
        "wait_proc" => HelperWait.WaitProc,
        "killable" => HelperWait.Killable,
        _ => throw new FormatException($"there is no helper mode '{mode}'"),
    };
}
