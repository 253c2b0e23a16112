using System.Diagnostics;
using Kworker.Lockd.Locks;
using Kworker.Lockd.Nlm;

namespace Kworker.Lockd.Client;

/// <summary>A request that waits for its lock, from before it is sent: GRANTED may overtake the answer (<c>struct nlm_wait</c>). Thread-safe.</summary>
[DebuggerDisplay("{_owner} {_range}, granted: {_isGranted}")]
internal sealed class NlmClientBlock(NlmClientOwner owner, LockKind kind, LockRange range)
{
    private readonly Lock _lock = new();
    private readonly NlmClientOwner _owner = owner;
    private readonly LockRange _range = range;
    private NlmAlarm _alarm = new(); // _lock
    private bool _isGranted; // _lock

    public NlmClientHost Host => _owner.Host;

    public bool IsGranted
    {
        get
        {
            lock (_lock)
                return _isGranted;
        }
    }

    /// <summary>It is about to be sent, again perhaps: a GRANTED from now on is for it. One that came a moment before is said again by the answer.</summary>
    public void Reset()
    {
        lock (_lock)
        {
            _alarm = new NlmAlarm();
            _isGranted = false;
        }
    }

    /// <summary>Waits until GRANTED, until it should be asked for again, or as long as <paramref name="poll"/>.</summary>
    public ValueTask WaitAsync(NlmClient client, TimeSpan poll, CancellationToken cancellationToken)
    {
        NlmAlarm alarm;
        lock (_lock)
            alarm = _alarm;
        return alarm.WaitAsync(client, poll, cancellationToken);
    }

    /// <summary>The server says that something was granted; true if it is this.</summary>
    public bool Grant(in Nlm4TestArgs granted)
    {
        Nlm4Lock it = granted.Lock;
        bool isThis = it.Svid == _owner.Svid && granted.Exclusive == (kind == LockKind.Write) && it.Fh.Span.SequenceEqual(_owner.FileHandle) &&
            it.Offset == _range.Start && NlmRange.LengthIs(_range, it.Length);
        if (!isThis)
            return false;
        lock (_lock)
        {
            _isGranted = true;
            _alarm.Wake();
        }
        return true;
    }

    /// <summary>It is asked for again.</summary>
    public void Wake()
    {
        lock (_lock)
            _alarm.Wake();
    }
}
