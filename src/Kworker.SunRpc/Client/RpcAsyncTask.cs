using System.Runtime.CompilerServices;

namespace Kworker.SunRpc;

/// <summary>A call whose end is handled on a worker (<c>rpc_call_done</c> and <c>rpc_release</c> of an asynchronous <c>rpc_task</c>).</summary>
internal abstract class RpcAsyncTask : RpcTask
{
    private readonly Work<RpcAsyncTask> _release;
    private Workqueue? _queue; // set before the task starts

    protected RpcAsyncTask() => _release = new Work<RpcAsyncTask>(this, static task => task.AsyncRelease());

    /// <summary>Says on which queue the end is to be handled.</summary>
    internal void BindTo(Workqueue queue) => _queue = queue;

    internal override void Finish() => _queue!.Queue(_release);

    /// <summary>The reply is there, or an error: <see cref="RpcTask.Results"/>. On a worker.</summary>
    protected abstract void Released();

    // rpc_async_release: not inlined, so that stacks read as the kernel's.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void AsyncRelease()
    {
        try
        {
            Released();
        }
        finally
        {
            ReleaseReply();
        }
    }
}
