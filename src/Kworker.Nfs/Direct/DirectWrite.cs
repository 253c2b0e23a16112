using System.Runtime.CompilerServices;
using Kworker.SunRpc;

namespace Kworker.Nfs;

/// <summary>
/// A write that is split by wsize: unstable writes, then a COMMIT; what the server forgot in between, which its verifier tells, is sent
/// again, stable (<c>nfs_direct_write_schedule_work</c>). When it returns, all is on the server's disk.
/// </summary>
internal sealed class DirectWrite : DirectRequest
{
    /// <summary>A part that was written but not to disk, and the verifier of the server's life in which it was.</summary>
    private readonly record struct Unstable(int Start, int Count, ulong Verifier);

    private readonly ReadOnlyMemory<byte> _source;
    private readonly Work<DirectWrite> _work;
    private readonly Lock _lock = new();
    private readonly StableHow _firstHow;
    private List<Unstable> _unstable = []; // _lock; to be committed
    private List<Unstable> _lost = []; // of the work item alone; to be sent again

    public DirectWrite(NfsMount mount, Inode inode, string path, ulong offset, ReadOnlyMemory<byte> source)
        : base(mount, inode, path, offset, source.Length)
    {
        _source = source;
        _work = new Work<DirectWrite>(this, static write => write.ScheduleWork());
        // One request needs no second one to make it stable.
        _firstHow = source.Length <= mount.WriteSize ? StableHow.FileSync : StableHow.Unstable;
    }

    /// <summary>Parts that the server forgot and that were sent again.</summary>
    public int Resent { get; private set; }

    protected override int RequestSize => Mount.WriteSize;

    /// <summary>Writes; all of it is on the server's disk after that.</summary>
    public ValueTask WriteAsync(CancellationToken cancellationToken) => RunAsync(cancellationToken);

    protected override void Start(int start, int count) => Send(start, count, _firstHow);

    private void Send(int start, int count, StableHow how) => Call(
        new WriteTask(this, start, count, how),
        Nfs3Procedure.Write,
        new Write3Args(Inode.Handle, Offset + (ulong)start, (uint)count, how, _source.Slice(start, count)));

    private void SendHeld(int start, int count, StableHow how)
    {
        Hold();
        try
        {
            Send(start, count, how);
        }
        catch (Exception exception)
        {
            Fail(exception);
            Put();
        }
    }

    // What is written may be committed; what is not, need not be.
    protected override bool AllDown()
    {
        lock (_lock)
        {
            if (Error is not null || (_unstable.Count == 0 && _lost.Count == 0))
                return true;
        }
        Mount.Queue.Queue(_work);
        return false;
    }

    // nfs_direct_write_schedule_work: with no request under way. What is started here completes the write, or queues this again.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ScheduleWork()
    {
        Hold();
        if (_lost.Count > 0)
        {
            List<Unstable> lost = _lost;
            _lost = [];
            Resent += lost.Count;
            foreach (Unstable part in lost)
                SendHeld(part.Start, part.Count, StableHow.FileSync);
        }
        else
        {
            SendCommit();
        }
        Put();
    }

    private void SendCommit()
    {
        Hold();
        try
        {
            Call(new CommitTask(this), Nfs3Procedure.Commit, new Commit3Args(Inode.Handle, Offset, (uint)Length));
        }
        catch (Exception exception)
        {
            Fail(exception);
            Put();
        }
    }

    // nfs_direct_write_completion
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void WriteCompletion(WriteTask task)
    {
        Done(task);
        try
        {
            XdrReader reader = task.Results();
            var result = Write3Res.Read(ref reader);
            Inode.Changed((result.Status == Nfsstat3.Ok ? result.Ok.FileWcc : result.Fail).After.Attributes, task.StartedAt);
            if (result.Status == Nfsstat3.Jukebox)
            {
                Mount.RetryLater(() =>
                {
                    SendHeld(task.Offset, task.Count, task.How);
                    Put();
                });
                return;
            }
            Nfs3Calls.Check(Nfs3Procedure.Write, Path, result.Status);
            TakeIn(task, result.Ok);
        }
        catch (Exception exception)
        {
            // To whoever waits for the whole.
            Fail(Nfs3Calls.IsTransports(exception) ? Nfs3Calls.Failure("WRITE", Path, exception) : exception);
        }
        StartNext();
        Put();
    }

    private void TakeIn(WriteTask task, in Write3ResOk ok)
    {
        if (ok.Count > task.Count || ok.Count == 0)
            throw new XdrException($"a WRITE of {task.Count} bytes claims to have written {ok.Count}");
        int count = (int)ok.Count;
        if (ok.Committed == StableHow.Unstable)
        {
            lock (_lock)
                _unstable.Add(new Unstable(task.Offset, count, ok.Verf));
        }
        if (count < task.Count)
            SendHeld(task.Offset + count, task.Count - count, task.How); // short: the rest is sent
    }

    // nfs_direct_commit_complete
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void CommitCompletion(CommitTask task)
    {
        Done(task);
        try
        {
            XdrReader reader = task.Results();
            var result = Commit3Res.Read(ref reader);
            Inode.Update((result.Status == Nfsstat3.Ok ? result.Ok.FileWcc : result.Fail).After.Attributes, task.StartedAt);
            if (result.Status == Nfsstat3.Jukebox)
            {
                Mount.RetryLater(() =>
                {
                    SendCommit();
                    Put();
                });
                return;
            }
            Nfs3Calls.Check(Nfs3Procedure.Commit, Path, result.Status);
            List<Unstable> written;
            lock (_lock)
            {
                written = _unstable;
                _unstable = [];
            }
            // A verifier other than the commit's is that of a life of the server that has ended, with all that was not on disk.
            _lost = [.. written.Where(part => part.Verifier != result.Ok.Verf)];
        }
        catch (Exception exception)
        {
            Fail(Nfs3Calls.IsTransports(exception) ? Nfs3Calls.Failure("COMMIT", Path, exception) : exception);
        }
        Put();
    }

    private sealed class WriteTask(DirectWrite write, int offset, int count, StableHow how) : RpcAsyncTask
    {
        public int Offset { get; } = offset;

        public int Count { get; } = count;

        public StableHow How { get; } = how;

        public long StartedAt { get; } = write.Mount.Time.GetTimestamp();

        protected override void Released() => write.WriteCompletion(this);
    }

    private sealed class CommitTask(DirectWrite write) : RpcAsyncTask
    {
        public long StartedAt { get; } = write.Mount.Time.GetTimestamp();

        protected override void Released() => write.CommitCompletion(this);
    }
}
