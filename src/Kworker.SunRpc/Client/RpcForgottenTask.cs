namespace Kworker.SunRpc;

/// <summary>A call whose end nobody waits for. Its client should be soft, or it is tried for ever.</summary>
internal sealed class RpcForgottenTask : RpcTask
{
    internal override void Finish() => ReleaseReply();
}
