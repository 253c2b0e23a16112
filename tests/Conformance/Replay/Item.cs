using Kworker;

namespace Conformance.Replay;

/// <summary>One item of a scenario: its work function.</summary>
internal sealed class Item(Items items, string name)
{
    private int _inside;
    private int _requeues;
    private Action? _requeue;

    public string Name { get; } = name;

    /// <summary>Opened once for each run that may go on; kept if none waits.</summary>
    public Completion Gate { get; } = new();
    public bool IsGated { get; set; }
    public bool Reentered { get; private set; }

    /// <summary>The function is to do <paramref name="requeue"/> at the end of each of its next <paramref name="times"/> runs.</summary>
    public void RequeueAs(int times, Action? requeue)
    {
        lock (items.Guard)
        {
            _requeues = times;
            _requeue = requeue;
        }
    }

    public void Run()
    {
        lock (items.Guard)
            Reentered |= ++_inside > 1;
        items.Begin(this);
        if (IsGated)
            Gate.Wait();
        Requeue();
        items.End(this);
        lock (items.Guard)
            _inside--;
    }

    private void Requeue()
    {
        Action? requeue = null;
        lock (items.Guard)
        {
            if (_requeues > 0)
            {
                _requeues--;
                requeue = _requeue;
            }
        }

        requeue?.Invoke();
    }
}
