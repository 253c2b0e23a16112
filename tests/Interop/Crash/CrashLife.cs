using System.Diagnostics;

namespace Kworker.Interop.Crash;

/// <summary>One life of the server, from its start to its crash, as the clients see it. Thread-safe.</summary>
internal sealed class CrashLife(int number, TimeSpan grace, Counts counts)
{
    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _graceOver = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<(int Count, TaskCompletionSource Reached)> _awaited = []; // _lock
    private ulong? _verifier; // _lock
    private int _answers; // _lock
    private volatile bool _isEnding;

    public int Number => number;

    public Counts Counts => counts;

    /// <summary>Since before its process was started: never less than the server has counted.</summary>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_started);

    /// <summary>Whether the grace period may be over by the server's clock.</summary>
    public bool MayGraceBeOver => Elapsed >= grace;

    /// <summary>Whether grace is known to have been over: somebody got something new.</summary>
    public bool IsGraceOver => _graceOver.Task.IsCompleted;

    /// <summary>Somebody got something new.</summary>
    public Task GraceOver => _graceOver.Task;

    /// <summary>Whether the crash is on its way, so that connections may be lost, and what was not synced may be gone.</summary>
    public bool IsEnding => _isEnding;

    public Task Ended => _ended.Task;

    /// <summary>How many there were so far.</summary>
    public int Answers
    {
        get
        {
            lock (_lock)
                return _answers;
        }
    }

    public void GraceIsOver() => _graceOver.TrySetResult();

    public void Ending() => _isEnding = true;

    public void HasEnded() => _ended.TrySetResult();

    /// <summary>The server has answered a client of NFSv4; others have nothing to wait for, and would only be counted first.</summary>
    public void Answer()
    {
        lock (_lock)
        {
            _answers++;
            for (var i = _awaited.Count - 1; i >= 0; i--)
            {
                if (_awaited[i].Count > _answers)
                    continue;
                _awaited[i].Reached.TrySetResult();
                _awaited.RemoveAt(i);
            }
        }
    }

    /// <summary>So many answers from now.</summary>
    public Task AnswersAsync(int more)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (more == 0)
                return Task.CompletedTask;
            _awaited.Add((_answers + more, reached));
        }
        return reached.Task;
    }

    /// <summary>The write verifier that came with an answer: one for a whole life, and never that of another.</summary>
    public void See(ulong verifier)
    {
        lock (_lock)
        {
            if (_verifier == verifier)
                return;
            // A back end that has just forgotten what was not synced says so until it is gone itself.
            if (_verifier is not null && !_isEnding)
                throw new InvalidDataException($"the write verifier changed from {_verifier:x} to {verifier:x} within one life of the server");
            _verifier = verifier;
            counts.NewVerifier(verifier, number);
        }
    }
}
