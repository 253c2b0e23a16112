using System.Diagnostics;

namespace Kworker.SunRpc;

/// <summary>
/// A worker's turn at reading a connection: a work item. A connection may have several, since one that runs a call may be relieved of the reading
/// meanwhile; only one of them reads (<see cref="TcpConnection"/>).
/// </summary>
[DebuggerDisplay("{_connection}")]
internal sealed class ReadTurn
{
    private readonly ReadTurnPool _pool;
    private TcpConnection? _connection; // set before it is queued; its run's from then on

    public ReadTurn(ReadTurnPool pool)
    {
        _pool = pool;
        Work = new Work<ReadTurn>(this, Run);
    }

    public Work<ReadTurn> Work { get; }

    public void Begin(TcpConnection connection) => _connection = connection;

    private static void Run(ReadTurn turn)
    {
        TcpConnection connection = turn._connection!;
        turn._connection = null;
        connection.Read();
        turn._pool.Return(turn); // last: whoever queues it anew has it run when this run is over, and it nearly is
    }
}
