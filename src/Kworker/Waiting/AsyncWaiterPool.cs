namespace Kworker;

/// <summary>
/// Async waiters at rest. Each thread has up to two chains of its own, so that taking and giving touch nothing shared; whole chains go to and come from
/// a common store, for those that are taken on one thread and given on another.
/// </summary>
/// <remarks>Within a chain waiters are linked by <c>Next</c>; chains in the store by <c>Previous</c> of their first.</remarks>
internal static class AsyncWaiterPool
{
    private const int ChainLength = 32;
    private const int MaxChains = 128;

    private static Spinlock s_lock;
    private static AsyncWaiter? s_chains; // full ones, under s_lock
    private static int s_count; // of chains, under s_lock

    [ThreadStatic]
    private static AsyncWaiter? t_chain; // the one that is taken from and given to

    [ThreadStatic]
    private static int t_length; // of it

    [ThreadStatic]
    private static AsyncWaiter? t_full; // one in reserve, full, so that a thread at the edge does not go to the store each time

    /// <summary>One that is linked to nothing; null when there is none.</summary>
    internal static AsyncWaiter? Take()
    {
        AsyncWaiter? waiter = t_chain;
        if (waiter is null)
        {
            waiter = TakeChain();
            if (waiter is null)
                return null;
            t_length = ChainLength;
        }

        t_chain = (AsyncWaiter?)waiter.Next;
        t_length--;
        waiter.Next = null;
        return waiter;
    }

    /// <summary>Gives one back; with enough in store it is left to the garbage collector.</summary>
    internal static void Give(AsyncWaiter waiter)
    {
        if (t_length == ChainLength)
        {
            if (t_full is { } full)
                StoreChain(full);
            t_full = t_chain;
            t_chain = null;
            t_length = 0;
        }

        waiter.Next = t_chain;
        t_chain = waiter;
        t_length++;
    }

    private static AsyncWaiter? TakeChain()
    {
        AsyncWaiter? chain = t_full;
        if (chain is not null)
        {
            t_full = null;
            return chain;
        }

        s_lock.Enter();
        chain = s_chains;
        if (chain is not null)
        {
            s_chains = (AsyncWaiter?)chain.Previous;
            chain.Previous = null;
            s_count--;
        }

        s_lock.Exit();
        return chain;
    }

    private static void StoreChain(AsyncWaiter chain)
    {
        s_lock.Enter();
        if (s_count < MaxChains)
        {
            chain.Previous = s_chains;
            s_chains = chain;
            s_count++;
        }

        s_lock.Exit();
    }
}
