using System.Diagnostics;

namespace Kworker.SunRpc;

/// <summary>Turns that are not in use, so that a turn costs no allocation. Thread-safe.</summary>
[DebuggerDisplay("{_free.Count} free")]
internal sealed class ReadTurnPool
{
    private const int Capacity = 256;

    private readonly Lock _lock = new();
    private readonly Stack<ReadTurn> _free = new(Capacity); // _lock

    public ReadTurn Rent()
    {
        lock (_lock)
        {
            if (_free.TryPop(out ReadTurn? turn))
                return turn;
        }
        return new ReadTurn(this);
    }

    public void Return(ReadTurn turn)
    {
        lock (_lock)
        {
            if (_free.Count < Capacity)
                _free.Push(turn);
        }
    }
}
