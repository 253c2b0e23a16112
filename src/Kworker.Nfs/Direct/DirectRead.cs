using System.Runtime.CompilerServices;
using Kworker.SunRpc;

namespace Kworker.Nfs;

/// <summary>A read that is split by rsize.</summary>
internal sealed class DirectRead(NfsMount mount, Inode inode, string path, ulong offset, Memory<byte> target)
    : DirectRequest(mount, inode, path, offset, target.Length)
{
    private long _end = target.Length; // interlocked; where the file was found to end, in bytes from the start

    protected override int RequestSize => Mount.ReadSize;

    /// <summary>Reads; the bytes read, fewer than asked for only at the end of the file.</summary>
    public async ValueTask<int> ReadAsync(CancellationToken cancellationToken)
    {
        await RunAsync(cancellationToken).ConfigureAwait(false);
        return (int)Volatile.Read(ref _end);
    }

    protected override void Start(int start, int count)
    {
        if (start >= Volatile.Read(ref _end))
        {
            Put(); // behind the end
            return;
        }
        Call(new ReadTask(this, start, count), Nfs3Procedure.Read, new Read3Args(Inode.Handle, Offset + (ulong)start, (uint)count));
    }

    protected override bool AllDown() => true;

    // nfs_direct_read_completion
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ReadCompletion(ReadTask task)
    {
        Done(task);
        try
        {
            XdrReader reader = task.Results();
            var status = (Nfsstat3)reader.ReadInt32();
            Inode.Update(PostOpAttr.Read(ref reader).Attributes, task.StartedAt);
            if (status == Nfsstat3.Jukebox)
            {
                Mount.RetryLater(() => Restart(task.Offset, task.Count));
                return;
            }
            Nfs3Calls.Check(Nfs3Procedure.Read, Path, status);
            int count = reader.ReadInt32();
            bool isEnd = reader.ReadBoolean();
            ReadOnlySpan<byte> data = reader.ReadOpaque(task.Count);
            if (count != data.Length)
                throw new XdrException($"a READ of {data.Length} bytes claims {count}");
            data.CopyTo(target.Span[task.Offset..]);
            TakeIn(task, count, isEnd);
        }
        catch (Exception exception)
        {
            // To whoever waits for the whole.
            Fail(Nfs3Calls.IsTransports(exception) ? Nfs3Calls.Failure("READ", Path, exception) : exception);
        }
        StartNext();
        Put();
    }

    private void TakeIn(ReadTask task, int count, bool isEnd)
    {
        if (isEnd || count == 0)
        {
            // Nothing behind: the nearest end counts.
            long end = task.Offset + count;
            long known = Volatile.Read(ref _end);
            while (end < known)
            {
                long seen = Interlocked.CompareExchange(ref _end, end, known);
                if (seen == known)
                    break;
                known = seen;
            }
        }
        else if (count < task.Count)
        {
            StartHeld(task.Offset + count, task.Count - count); // short: the rest is asked for
        }
    }

    private void Restart(int start, int count)
    {
        StartHeld(start, count);
        Put();
    }

    private sealed class ReadTask(DirectRead read, int offset, int count) : RpcAsyncTask
    {
        public int Offset { get; } = offset;

        public int Count { get; } = count;

        public long StartedAt { get; } = read.Mount.Time.GetTimestamp();

        protected override void Released() => read.ReadCompletion(this);
    }
}
