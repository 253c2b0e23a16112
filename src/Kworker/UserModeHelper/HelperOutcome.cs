namespace Kworker;

/// <summary>What became of a usermode helper.</summary>
public enum HelperOutcome
{
    /// <summary>The path was empty: nothing was to be run.</summary>
    NothingToRun,

    /// <summary>Nobody waits for it: a worker starts it, or has.</summary>
    Queued,

    /// <summary>The program was executed and runs.</summary>
    Started,

    /// <summary>The program ended by itself, with an exit code.</summary>
    Exited,

    /// <summary>A signal ended the program.</summary>
    Killed,

    /// <summary>The program could not be executed, or no process be made for it.</summary>
    ExecFailed,

    /// <summary>
    /// The program was not executed, because something that <see cref="HelperOptions"/> ask for could not be had: its directory, its ids, its pipes.
    /// <see cref="HelperStatus.FailedCall"/> says which.
    /// </summary>
    SetupFailed,

    /// <summary>The init callback refused.</summary>
    InitRefused,

    /// <summary>Helpers are disabled.</summary>
    Disabled,

    /// <summary>The kthread that waited was killed. The helper runs on.</summary>
    Interrupted,

    /// <summary>
    /// The program ended, but somebody else in this process took its status first: native code that reaps every child, or the runtime where it is process 1 and
    /// the program uses <see cref="System.Diagnostics.Process"/>, too (give the container an init).
    /// </summary>
    StatusLost,
}
