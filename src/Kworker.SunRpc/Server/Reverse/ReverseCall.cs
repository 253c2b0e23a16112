namespace Kworker.SunRpc;

/// <summary>A call of the server to a client, over the client's connection.</summary>
internal sealed class ReverseCall(TcpConnection connection) : RpcTask
{
    /// <summary>Where it was sent, and the only place from which its reply is taken.</summary>
    public TcpConnection Connection { get; } = connection;

    /// <summary>Complete when it is done.</summary>
    public Completion Done { get; } = new();

    internal override void Finish() => Done.Complete();
}
