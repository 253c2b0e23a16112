using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Kworker;

/// <summary>What call_usermodehelper returned, told apart.</summary>
/// <remarks>
/// The kernel packs everything into one integer, <see cref="Raw"/>: a wait status (exit code 3 is 768, SIGKILL is 9), 0, or a negative
/// errno. One 0 may mean "exited with 0", "was started" and "was not run": <see cref="Outcome"/> says which.
/// </remarks>
[DebuggerDisplay("{ToString(),nq}")]
public readonly record struct HelperStatus
{
    private const int CoreDumpedFlag = 0x80;
    private const int SignalMask = 0x7f;

    internal HelperStatus(HelperOutcome outcome, int raw, string? failedCall = null)
    {
        Outcome = outcome;
        Raw = raw;
        FailedCall = failedCall;
    }

    /// <summary>The kernel's integer: the wait status of the program, 0, or a negative errno.</summary>
    public int Raw { get; }

    /// <summary>What happened.</summary>
    public HelperOutcome Outcome { get; }

    /// <summary>Whether nothing is known to have gone wrong: <see cref="Raw"/> is 0.</summary>
    public bool IsSuccess => Raw == 0;

    /// <summary>Whether the program could not be executed; <see cref="Errno"/> says why.</summary>
    public bool IsExecError => Outcome == HelperOutcome.ExecFailed;

    /// <summary>
    /// The system call that failed, where <see cref="Outcome"/> is <see cref="HelperOutcome.SetupFailed"/>: "chdir", "setgroups", "setresgid", "setresuid",
    /// "pipe2"; or "clone", where no thread could be made that has the helper's ids. Else null.
    /// </summary>
    public string? FailedCall { get; }

    /// <summary>The positive errno where <see cref="Raw"/> is one, else 0.</summary>
    public int Errno => Raw < 0 ? -Raw : 0;

    /// <summary>Whether the program ended by itself; <see cref="ExitCode"/> is its exit code.</summary>
    public bool Exited => Outcome == HelperOutcome.Exited;

    /// <summary>The exit code, 0 to 255.</summary>
    /// <exception cref="InvalidOperationException">The program did not exit by itself.</exception>
    public int ExitCode => Exited ? (Raw >> 8) & 0xff : throw new InvalidOperationException($"There is no exit code: the helper {this}.");

    /// <summary>The number of the signal that ended the program, or 0.</summary>
    public int TermSignal => Outcome == HelperOutcome.Killed ? Raw & SignalMask : 0;

    /// <summary>Whether a core was dumped as the signal ended the program.</summary>
    public bool CoreDumped => Outcome == HelperOutcome.Killed && (Raw & CoreDumpedFlag) != 0;

    /// <summary>The exec failed, or no process could be made.</summary>
    internal static HelperStatus ExecFailed(int errno) => new(HelperOutcome.ExecFailed, -errno);

    /// <summary>What was asked for beyond the exec could not be had.</summary>
    internal static HelperStatus SetupFailed(string call, int errno) => new(HelperOutcome.SetupFailed, -errno, call);

    /// <summary>The status of a program that ended, from its wait status or the negative errno of its loss.</summary>
    internal static HelperStatus Ended(int waitStatus) => new(
        waitStatus < 0 ? HelperOutcome.StatusLost
        : (waitStatus & SignalMask) != 0 ? HelperOutcome.Killed
        : HelperOutcome.Exited,
        waitStatus);

    /// <summary>The end of a sentence that begins with "the helper".</summary>
    public override string ToString() => Outcome switch
    {
        HelperOutcome.NothingToRun => "was not run (its path is empty)",
        HelperOutcome.Queued => "was left to a worker to start",
        HelperOutcome.Started => "was started",
        HelperOutcome.Exited => $"exited with {ExitCode}",
        HelperOutcome.Killed => $"was killed by signal {TermSignal}{(CoreDumped ? " (core dumped)" : "")}",
        HelperOutcome.ExecFailed => $"could not be executed: {Describe(Errno)}",
        HelperOutcome.SetupFailed => $"could not be set up: {FailedCall}: {Describe(Errno)}",
        HelperOutcome.InitRefused => Raw < 0 ? $"was refused by its init: {Describe(Errno)}" : $"was refused by its init: {Raw}",
        HelperOutcome.Disabled => "was not run: helpers are disabled",
        HelperOutcome.Interrupted => "runs on; the wait for it was interrupted by a fatal signal",
        HelperOutcome.StatusLost => "ended, but something else in this process reaped it first",
        _ => $"returned {Raw}",
    };

    private static string Describe(int errno) => $"{Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})";
}
