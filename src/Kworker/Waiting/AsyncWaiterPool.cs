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
    private static Rest? t_rest;

    /// <summary>One that is linked to nothing; null when there is none.</summary>
    internal static AsyncWaiter? Take()
    {
        Rest rest = t_rest ??= new Rest();
        AsyncWaiter? waiter = rest.Chain;
        if (waiter is null)
        {
            waiter = TakeChain(rest);
            if (waiter is null)
                return null;
            rest.Length = ChainLength;
        }

        rest.Chain = (AsyncWaiter?)waiter.Next;
        rest.Length--;
        waiter.Next = null;
        return waiter;
    }

    /// <summary>Gives one back; with enough in store it is left to the garbage collector.</summary>
    internal static void Give(AsyncWaiter waiter)
    {
        Rest rest = t_rest ??= new Rest();
        if (rest.Length == ChainLength)
        {
            if (rest.Full is { } full)
                StoreChain(full);
            rest.Full = rest.Chain;
            rest.Chain = null;
            rest.Length = 0;
        }

        waiter.Next = rest.Chain;
        rest.Chain = waiter;
        rest.Length++;
    }

    private static AsyncWaiter? TakeChain(Rest rest)
    {
        AsyncWaiter? chain = rest.Full;
        if (chain is not null)
        {
            rest.Full = null;
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

    /// <summary>What one thread has.</summary>
    private sealed class Rest
    {
        /// <summary>The chain that is taken from and given to.</summary>
        internal AsyncWaiter? Chain;

        /// <summary>Of <see cref="Chain"/>.</summary>
        internal int Length;

        /// <summary>One in reserve, full, so that a thread at the edge does not go to the store each time.</summary>
        internal AsyncWaiter? Full;
    }
}
