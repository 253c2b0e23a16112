namespace Kworker.SunRpc;

/// <summary>A call that its caller awaits.</summary>
internal sealed class RpcAwaitedTask : RpcTask
{
    /// <summary>Complete when it is done.</summary>
    public Completion Done { get; } = new();

    internal override void Finish() => Done.Complete();
}
