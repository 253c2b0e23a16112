using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Kworker.Hosting;

/// <summary>
/// A background queue: a workqueue, and before it, where a bound is set, a count of places. Each work that is admitted holds one from then until it has ended; there are as many as
/// may be at work and in line together.
/// <para>
/// Who finds no place stands in a line of its own. Whose work ends gives its place to the first there, rather than free it, so nobody overtakes, and while somebody
/// stands in line all places are taken: the end of each of them looks at the line. Who takes an item out of the line, under the lock, completes its admission: the end of a work, the
/// caller's token, or the end of the queue. What the system's end takes back never ends, but the end of the queue follows on it.
/// </para>
/// </summary>
[DebuggerDisplay("{_workqueue.Name,nq}: {_taken} of {_places} places taken")]
internal sealed class BackgroundQueue : IBackgroundQueue, IDisposable
{
    /// <summary>The queue whose work calls, also where it has left the workers by <c>ConfigureAwait(false)</c>. Set where one may wait for itself.</summary>
    private static readonly AsyncLocal<BackgroundQueue?> s_current = new();

    private readonly Workqueue _workqueue;
    private readonly ILogger _logger;
    private readonly BackgroundQueueFullMode _mode;
    private readonly int _places; // 0: no bound, and then nothing below is used
    private readonly Lock _lock = new();
    private readonly BackgroundLine _entrance = new(); // who waits for a place; only when all are taken. Under _lock
    private readonly BackgroundLine _waiting = new();  // who has one and has not begun, where the oldest may be dropped. Under _lock
    private int _taken; // places; may be more than there are, by works that works have queued. Under _lock
    private bool _isClosed; // false → true once, under _lock

    internal BackgroundQueue(string name, BackgroundQueueOptions options, KworkerSystem system, IServiceScopeFactory scopes, ILogger logger)
    {
        _workqueue = new Workqueue(name, new WorkqueueOptions { MaxActive = options.MaxActive }, system);
        _mode = options.FullMode;
        _places = options.Capacity is { } capacity ? (int)Math.Min((long)options.MaxActive + capacity, int.MaxValue) : 0;
        Scopes = scopes;
        _logger = logger;
    }

    internal IServiceScopeFactory Scopes { get; }

    private enum Entry
    {
        Admitted,
        Waits,
        Refused,
    }

    public ValueTask QueueAsync<TService>(Func<TService, CancellationToken, Task> work, string? name = null, CancellationToken cancellationToken = default)
        where TService : notnull
    {
        ArgumentNullException.ThrowIfNull(work);
        return QueueAsync(new ServiceItem<TService>(this, work, name), cancellationToken);
    }

    public ValueTask QueueAsync(Func<CancellationToken, Task> work, string? name = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        return QueueAsync(new PlainItem(this, work, name), cancellationToken);
    }

    public bool TryQueue<TService>(Func<TService, CancellationToken, Task> work, string? name = null)
        where TService : notnull
    {
        ArgumentNullException.ThrowIfNull(work);
        return Enter(new ServiceItem<TService>(this, work, name), mayWait: false) == Entry.Admitted;
    }

    public bool TryQueue(Func<CancellationToken, Task> work, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(work);
        return Enter(new PlainItem(this, work, name), mayWait: false) == Entry.Admitted;
    }

    /// <summary>Takes nothing any more where there is a bound (elsewhere the workqueue says so itself), and whoever waits for room is refused.</summary>
    public void Dispose()
    {
        while (true)
        {
            BackgroundItem? item;
            lock (_lock)
            {
                _isClosed = true;
                item = _entrance.RemoveFirst();
            }

            if (item is null)
                return;
            item.Admission!.SetException(Closed(item));
        }
    }

    /// <summary>By its run: false when it has been dropped.</summary>
    internal bool TryBegin(BackgroundItem item)
    {
        if (_places == 0)
            return true;
        if (_mode == BackgroundQueueFullMode.Wait)
            s_current.Value = this; // for this run: its caller's async method has the context back when it returns
        if (_mode != BackgroundQueueFullMode.DropOldest)
            return true;
        lock (_lock)
        {
            _waiting.Remove(item);
            return !item.IsDropped;
        }
    }

    /// <summary>A work that held a place has ended: the place is the next one's.</summary>
    internal void Finish()
    {
        if (_places == 0)
            return;
        while (TryPassOn() is { } next)
        {
            // On behalf of who waits, as if he did: his is the span that it belongs to.
            Activity? current = Activity.Current;
            Activity.Current = next.Origin;
            try
            {
                _workqueue.Queue(next.Work);
                next.Admission!.SetResult();
                return;
            }
            catch (InvalidOperationException e)
            {
                next.Admission!.SetException(e); // and the place is free again
            }
            finally
            {
                Activity.Current = current;
            }
        }
    }

    private ValueTask QueueAsync(BackgroundItem item, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Enter(item, mayWait: true) switch
        {
            Entry.Admitted => default,
            Entry.Waits => WaitAsync(item, cancellationToken),
            _ => throw new BackgroundQueueFullException($"Background queue {_workqueue.Name} is full; {item.WorkName} was not queued."),
        };
    }

    private BackgroundItem? TryPassOn()
    {
        lock (_lock)
        {
            BackgroundItem? next = _taken <= _places ? _entrance.RemoveFirst() : null;
            if (next is null)
                _taken--;
            return next;
        }
    }

    private Entry Enter(BackgroundItem item, bool mayWait)
    {
        BackgroundItem? dropped = null;
        if (_places > 0)
        {
            Entry entry = TakePlace(item, mayWait, out dropped);
            if (entry != Entry.Admitted)
                return entry;
        }

        try
        {
            _workqueue.Queue(item.Work);
        }
        catch
        {
            GiveBack(item);
            throw;
        }
        finally
        {
            if (dropped is not null)
                Drop(dropped);
        }

        return Entry.Admitted;
    }

    private Entry TakePlace(BackgroundItem item, bool mayWait, out BackgroundItem? dropped)
    {
        dropped = null;
        bool waits = _mode == BackgroundQueueFullMode.Wait;
        bool isOwn = waits && ReferenceEquals(s_current.Value, this);
        lock (_lock)
        {
            if (_isClosed)
                throw Closed(item);
            if (_taken < _places || isOwn)
            {
                _taken++;
            }
            else if (_mode == BackgroundQueueFullMode.DropOldest && _waiting.RemoveFirst() is { } oldest)
            {
                oldest.IsDropped = true; // and its place is this one's
                dropped = oldest;
            }
            else if (waits && mayWait)
            {
                item.Admission = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                item.Origin = Activity.Current;
                _entrance.AddLast(item);
                return Entry.Waits;
            }
            else
            {
                return Entry.Refused;
            }

            if (_mode == BackgroundQueueFullMode.DropOldest)
                _waiting.AddLast(item);
            return Entry.Admitted;
        }
    }

    /// <summary>The workqueue did not take it.</summary>
    private void GiveBack(BackgroundItem item)
    {
        if (_places == 0)
            return;
        lock (_lock)
        {
            _waiting.Remove(item);
            if (item.IsDropped)
                return; // its place is another's already
        }

        Finish();
    }

    /// <summary>Out of the workqueue, if it is in there yet; if not, its run finds that it has been dropped.</summary>
    private void Drop(BackgroundItem item)
    {
        item.Work.Cancel();
        KworkerLog.Dropped(_logger, item.WorkName, _workqueue.Name);
    }

    private async ValueTask WaitAsync(BackgroundItem item, CancellationToken cancellationToken)
    {
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
            static (state, token) =>
            {
                (BackgroundQueue queue, BackgroundItem item) = ((BackgroundQueue, BackgroundItem))state!;
                if (queue.TryLeaveEntrance(item))
                    item.Admission!.SetCanceled(token);
            },
            (this, item));
        await item.Admission!.Task;
    }

    private bool TryLeaveEntrance(BackgroundItem item)
    {
        lock (_lock)
            return _entrance.Remove(item);
    }

    private ObjectDisposedException Closed(BackgroundItem item) =>
        new(_workqueue.Name, $"Background queue {_workqueue.Name} takes no works any more; {item.WorkName} was not queued.");
}
