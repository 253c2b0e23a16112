using System.Diagnostics;

namespace Kworker.SunRpc;

/// <summary>Call objects that are not in use, so that a call costs no allocation. Thread-safe.</summary>
[DebuggerDisplay("{_count} free")]
internal sealed class RpcCallPool(RpcDispatcher dispatcher)
{
    private const int Capacity = 1024;

    private readonly Lock _lock = new();
    private readonly RpcCall?[] _free = new RpcCall?[Capacity]; // _lock
    private int _count; // _lock

    public RpcCall Rent()
    {
        lock (_lock)
        {
            if (_count > 0)
            {
                RpcCall call = _free[--_count]!;
                _free[_count] = null;
                return call;
            }
        }
        return new RpcCall(dispatcher);
    }

    public void Return(RpcCall call)
    {
        call.Reset();
        lock (_lock)
        {
            if (_count < Capacity)
                _free[_count++] = call;
        }
    }
}
