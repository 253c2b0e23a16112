using System.Diagnostics;

namespace Kworker;

/// <summary>One prepared call of a usermode helper (the kernel's subprocess_info). It can be executed once.</summary>
/// <remarks>
/// Who calls cleanup is settled by one exchange, as in the kernel:
/// <code>
///   Waiting   --(program ended or failed)--> Finished    the caller has the status and calls cleanup
///   Waiting   --(caller killed, cancelled)-> Abandoned   whoever finishes the call calls cleanup
///   Abandoned --(program ended or failed)--> Finished    ... namely here; no-wait calls begin as Abandoned
/// </code>
/// </remarks>
[DebuggerDisplay("{Path,nq}")]
public sealed class UserModeHelperCall
{
    private const int Waiting = 0;
    private const int Finished = 1;
    private const int Abandoned = 2;

    private readonly Func<int>? _init;
    private readonly Action? _cleanup;
    private readonly HelperProgram _program;
    private readonly Completion _done = new();
    private int _taken;
    private int _state; // interlocked
    private HelperWait _wait;
    private HelperGate _gate = null!; // set by Exec
    private Workqueue _queue = null!; // set by Exec
    private HelperStatus _status; // written before _state becomes Finished
    private HelperOutput _output; // likewise
    private HelperOutput _error; // likewise

    internal UserModeHelperCall(string path, IReadOnlyList<string> argv, IReadOnlyList<string> envp, HelperOptions options)
    {
        ArgumentNullException.ThrowIfNull(argv);
        ArgumentNullException.ThrowIfNull(envp);
        Path = path;
        Arguments = [.. argv];
        Environment = [.. envp];
        HelperArguments.Validate(path, nameof(path));
        foreach (string argument in Arguments)
            HelperArguments.Validate(argument, nameof(argv));
        foreach (string variable in Environment)
            HelperArguments.Validate(variable, nameof(envp));
        if (options.WorkingDirectory is not null)
            HelperArguments.Validate(options.WorkingDirectory, nameof(HelperOptions.WorkingDirectory));
        _init = options.Init;
        _cleanup = options.Cleanup;
        _program = new HelperProgram(path, Arguments, Environment)
        {
            WorkingDirectory = options.WorkingDirectory,
            Credentials = options.Credentials,
            Input = options.StandardInput,
            Output = options.StandardOutputLimit > 0 ? new HelperCapture(options.StandardOutputLimit) : null,
            Error = options.StandardErrorLimit > 0 ? new HelperCapture(options.StandardErrorLimit) : null,
        };
    }

    /// <summary>The program.</summary>
    public string Path { get; }

    /// <summary>Its arguments.</summary>
    public IReadOnlyList<string> Arguments { get; }

    /// <summary>Its environment.</summary>
    public IReadOnlyList<string> Environment { get; }

    /// <summary>
    /// What the program wrote to its standard output, to its end: there when Exec has returned. Processes that it left behind are not waited for; what they
    /// write afterwards is lost, and their pipe is broken. Empty where it was not captured, or where the wait ended before the program.
    /// </summary>
    public HelperOutput StandardOutput => Volatile.Read(ref _state) == Finished ? _output : default;

    /// <summary>The same of its standard error.</summary>
    public HelperOutput StandardError => Volatile.Read(ref _state) == Finished ? _error : default;

    /// <summary>Starts the program and waits as told (call_usermodehelper_exec). Sleeps, but for <see cref="HelperWait.NoWait"/>.</summary>
    /// <param name="wait">What to wait for.</param>
    /// <param name="cancellationToken">Ends the wait; the helper runs on and is reaped. What it writes to a captured output is read and thrown away.</param>
    /// <returns>
    /// The status; -EBUSY while helpers are disabled; -ERESTARTSYS where <see cref="Kthread.Kill"/> ended a
    /// <see cref="HelperWait.Killable"/> wait.
    /// </returns>
    /// <exception cref="InvalidOperationException">
    /// The call was executed before; or it captures an output, and <paramref name="wait"/> does not wait for the end.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled first.</exception>
    public HelperStatus Exec(HelperWait wait, CancellationToken cancellationToken = default)
    {
        bool enabled = Enter(wait);
        bool ours = true;
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryAnswerAtOnce(enabled, out HelperStatus status))
                return status;
            if (wait == HelperWait.NoWait)
            {
                QueueStart();
                ours = false;
                return new HelperStatus(HelperOutcome.Queued, 0);
            }
            if (TryStart(direct: wait == HelperWait.WaitProc && !cancellationToken.CanBeCanceled, out status))
                return status;
            try
            {
                if (_done.Wait(Mode, cancellationToken))
                    return _status;
            }
            catch (OperationCanceledException) when (TryAbandon())
            {
                ours = false;
                throw;
            }
            catch (OperationCanceledException)
            {
                // The program ended at the same moment: its status is there, or will be in a moment.
                _done.Wait(CancellationToken.None);
                return _status;
            }
            if (TryAbandon())
            {
                ours = false;
                return new HelperStatus(HelperOutcome.Interrupted, -Errno.ERESTARTSYS);
            }
            _done.Wait(CancellationToken.None);
            return _status;
        }
        finally
        {
            Leave(ours);
        }
    }

    /// <inheritdoc cref="Exec"/>
    /// <remarks>
    /// Init and the exec are done before it returns, on the calling thread: some 0.1 ms as a rule. Where the exec may take long (a program on a file
    /// system that may not answer), call it from a work function.
    /// </remarks>
    public async ValueTask<HelperStatus> ExecAsync(HelperWait wait, CancellationToken cancellationToken = default)
    {
        bool enabled = Enter(wait);
        bool ours = true;
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryAnswerAtOnce(enabled, out HelperStatus status))
                return status;
            if (wait == HelperWait.NoWait)
            {
                QueueStart();
                ours = false;
                return new HelperStatus(HelperOutcome.Queued, 0);
            }
            if (TryStart(direct: false, out status))
                return status;
            bool interrupted = false;
            try
            {
                interrupted = (await _done.WaitAsync(Mode, cancellationToken)).IsInterrupted;
            }
            catch (OperationCanceledException) when (TryAbandon())
            {
                ours = false;
                throw;
            }
            catch (OperationCanceledException)
            {
                await _done.WaitAsync(CancellationToken.None);
            }
            if (interrupted)
            {
                if (TryAbandon())
                {
                    ours = false;
                    return new HelperStatus(HelperOutcome.Interrupted, -Errno.ERESTARTSYS);
                }
                await _done.WaitAsync(CancellationToken.None);
            }
            return _status;
        }
        finally
        {
            Leave(ours);
        }
    }

    private WaitMode Mode => _wait == HelperWait.Killable ? WaitMode.Killable : WaitMode.Uninterruptible;

    private bool WaitsForEnd => _wait is HelperWait.WaitProc or HelperWait.Killable;

    /// <summary>Takes the call, which is then good for no other, and counts it in.</summary>
    private bool Enter(HelperWait wait)
    {
        if ((_program.Output ?? _program.Error) is not null && wait is not (HelperWait.WaitProc or HelperWait.Killable))
            throw new InvalidOperationException($"Nobody waits for the outputs of '{Path}': to capture them, wait for the end of the helper.");
        if (Interlocked.Exchange(ref _taken, 1) != 0)
            throw new InvalidOperationException($"The call of '{Path}' was executed before; each needs a Setup of its own.");
        _wait = wait;
        _state = wait == HelperWait.NoWait ? Abandoned : Waiting;
        _gate = KworkerSystem.Current.Helpers;
        _queue = Workqueue.SystemUnbound;
        return _gate.Enter();
    }

    private void Leave(bool cleanup)
    {
        try
        {
            if (cleanup)
                _cleanup?.Invoke();
        }
        finally
        {
            _gate.Leave();
        }
    }

    private bool TryAnswerAtOnce(bool enabled, out HelperStatus status)
    {
        status = enabled ? new HelperStatus(HelperOutcome.NothingToRun, 0) : new HelperStatus(HelperOutcome.Disabled, -Errno.EBUSY);
        return !enabled || Path.Length == 0;
    }

    private bool TryAbandon()
    {
        if (Interlocked.CompareExchange(ref _state, Abandoned, Waiting) != Waiting)
            return false;
        _program.Output?.Discard();
        _program.Error?.Discard();
        return true;
    }

    private void QueueStart() => _queue.Queue(new Work<UserModeHelperCall>(this, static call => call.StartOnWorker()));

    /// <summary>Runs init and executes the program. True where there is nothing more to wait for.</summary>
    /// <param name="direct">The caller sleeps until the end, and nothing can interrupt it.</param>
    /// <param name="status">What came of it.</param>
    private bool TryStart(bool direct, out HelperStatus status)
    {
        int refused = _init?.Invoke() ?? 0;
        if (refused != 0)
        {
            status = new HelperStatus(HelperOutcome.InitRefused, refused);
            return true;
        }
        using BlockingScope blocking = Worker.Blocking();
        HelperLauncher launcher = _gate.Launcher;
        status = direct ? launcher.Run(_program, EndedOnReaper) : launcher.Start(_program, WaitsForEnd ? EndedOnReaper : null);
        if (status.Outcome is HelperOutcome.Started or HelperOutcome.Exited or HelperOutcome.Killed)
            _queue.OwningSystem.Counters.AddHelper();
        return status.Outcome != HelperOutcome.Started || !WaitsForEnd;
    }

    /// <summary>Of a no-wait call: what is thrown here, the queue reports.</summary>
    private void StartOnWorker()
    {
        try
        {
            TryStart(direct: false, out _);
        }
        finally
        {
            _cleanup?.Invoke();
        }
    }

    private void EndedOnReaper(int waitStatus)
    {
        _output = _program.Output?.Output ?? default;
        _error = _program.Error?.Output ?? default;
        if (TryFinish(HelperStatus.Ended(waitStatus)) || _cleanup is null)
            return;
        try
        {
            // Cleanup is the user's code and may take its time: not on the thread that all helpers share.
            _queue.Queue(new Work<Action>(_cleanup, static cleanup => cleanup()));
        }
        catch (InvalidOperationException)
        {
            CleanUpWithoutQueue();
        }
    }

    /// <summary>The system was disposed before its last helper ended. Nobody is left to be told of an exception but its log.</summary>
    private void CleanUpWithoutQueue()
    {
        try
        {
            _cleanup!();
        }
        catch (Exception e)
        {
            _queue.OwningSystem.Log($"The cleanup of the helper '{Path}' failed: {e}");
        }
    }

    /// <summary>Hands over the status. False where the caller is gone, and cleanup is up to us.</summary>
    private bool TryFinish(HelperStatus status)
    {
        _status = status;
        if (Interlocked.Exchange(ref _state, Finished) != Waiting)
            return false;
        _done.Complete();
        return true;
    }
}
