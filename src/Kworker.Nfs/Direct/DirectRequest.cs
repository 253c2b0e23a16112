using System.Diagnostics;
using System.Runtime.CompilerServices;
using Kworker.SunRpc;

namespace Kworker.Nfs;

/// <summary>
/// A large read or write, split into requests that are under way together (<c>struct nfs_direct_req</c>). The last one down completes it, on
/// a worker.
/// </summary>
/// <remarks>
/// References (<c>io_count</c>): one for whoever starts it, one a request under way. A request that was answered starts the next one in
/// its place before it lets go, so the count reaches zero once, when all is done.
/// </remarks>
[DebuggerDisplay("{Offset}..{Offset + Length}, {_ioCount} under way")]
internal abstract class DirectRequest(NfsMount mount, Inode inode, string path, ulong offset, int length)
{
    private readonly Lock _lock = new();
    private readonly Completion _completion = new();
    private int _ioCount; // interlocked
    private int _next; // _lock; bytes for which a request has been made
    private Exception? _error; // _lock; the first
    private readonly HashSet<RpcTask> _underWay = []; // _lock; so that an abort can end them

    protected NfsMount Mount { get; } = mount;

    protected Inode Inode { get; } = inode;

    protected string Path { get; } = path;

    protected ulong Offset { get; } = offset;

    protected int Length { get; } = length;

    /// <summary>Called by the last one down, on its worker, before whoever waits goes on (<c>ki_complete</c>).</summary>
    internal Action<DirectRequest>? Completed { get; init; }

    /// <summary>What went wrong first; null if nothing did.</summary>
    protected Exception? Error
    {
        get
        {
            lock (_lock)
                return _error;
        }
    }

    /// <summary>Most bytes of one request.</summary>
    protected abstract int RequestSize { get; }

    /// <summary>Starts what may be under way together, and waits for the last one.</summary>
    /// <remarks>An abort ends the requests under way; even then it does not return before they are done with the caller's memory.</remarks>
    protected async ValueTask RunAsync(CancellationToken abort)
    {
        Hold();
        using (abort.UnsafeRegister(static (request, token) => ((DirectRequest)request!).Abort(token), this))
        {
            for (int i = 0; i < Mount.Options.MaximumConcurrency; i++)
            {
                if (!StartNext())
                    break;
            }
            Put();
            await _completion.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        }
        switch (Error)
        {
            case null:
                return;
            case OperationCanceledException:
                throw new OperationCanceledException(abort);
            case NfsException { Status: { } status } exception:
                throw new NfsException(exception.Operation, Path, status); // anew, for this stack
            case NfsException exception:
                throw new NfsException(exception.Operation, Path, exception.InnerException?.Message ?? exception.Message, exception);
            case Exception exception:
                throw exception;
        }
    }

    /// <summary>Starts the next request, if there is one and nothing has gone wrong.</summary>
    protected bool StartNext()
    {
        int start;
        int count;
        lock (_lock)
        {
            if (_error is not null || _next >= Length)
                return false;
            start = _next;
            count = Math.Min(RequestSize, Length - start);
            _next += count;
        }
        StartHeld(start, count);
        return true;
    }

    /// <summary>Starts a request for a part, with a reference of its own.</summary>
    protected void StartHeld(int start, int count)
    {
        Hold();
        try
        {
            Start(start, count);
        }
        catch (Exception exception)
        {
            // Not under way, then: a client that is being closed, say.
            Fail(exception);
            Put();
        }
    }

    /// <summary>One more is under way (<c>get_dreq</c>).</summary>
    protected void Hold() => Interlocked.Increment(ref _ioCount);

    /// <summary>Sends one request; its end calls <see cref="Put"/>.</summary>
    protected abstract void Start(int start, int count);

    /// <summary>All requests are down. On a worker. Starts further ones and returns false, or returns true: then it is done.</summary>
    protected abstract bool AllDown();

    /// <summary>Sends a request's call, which <see cref="Done"/> must be told the end of.</summary>
    protected void Call<TArguments>(RpcTask task, Nfs3Procedure procedure, TArguments arguments)
        where TArguments : IXdr<TArguments>
    {
        lock (_lock)
            _underWay.Add(task);
        Mount.Calls.Rpc.Start(task, Nfs3Calls.Program, Nfs3Calls.Version, (uint)procedure, arguments);
        // Aborted between the two: nobody else ends it.
        if (Error is OperationCanceledException cancelled)
            Mount.Calls.Rpc.Cancel(task, cancelled);
    }

    /// <summary>A call has ended.</summary>
    protected void Done(RpcTask task)
    {
        lock (_lock)
            _underWay.Remove(task);
    }

    private void Abort(CancellationToken token)
    {
        var cancelled = new OperationCanceledException(token);
        Fail(cancelled);
        RpcTask[] tasks;
        lock (_lock)
            tasks = [.. _underWay];
        foreach (RpcTask task in tasks)
            Mount.Calls.Rpc.Cancel(task, cancelled);
    }

    /// <summary>Something went wrong: no further requests are started.</summary>
    protected void Fail(Exception error)
    {
        lock (_lock)
            _error ??= error;
    }

    /// <summary>A request is down; the last one completes the whole (<c>put_dreq</c>).</summary>
    protected void Put()
    {
        if (Interlocked.Decrement(ref _ioCount) == 0 && AllDown())
            Complete();
    }

    // nfs_direct_complete. It and its callers up to the worker stand in every stack that is taken below, as the kernel's do: never inlined.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Complete()
    {
        Completed?.Invoke(this);
        _completion.Complete();
    }
}
