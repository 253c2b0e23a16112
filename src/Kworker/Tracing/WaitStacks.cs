using System.Runtime.CompilerServices;

namespace Kworker;

/// <summary>Where waits in progress began, while stacks are recorded (<see cref="Listeners.Stacks"/>).</summary>
internal static class WaitStacks
{
    private static readonly ConditionalWeakTable<Waiter, string> s_stacks = [];

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void Note(Waiter waiter) => s_stacks.AddOrUpdate(waiter, StackText.Capture());

    /// <summary>Null when it is not recorded. When recording has ended it may be that of an earlier wait, so it is asked for only while it goes on.</summary>
    internal static string? Of(Waiter waiter) => Listeners.Stacks && s_stacks.TryGetValue(waiter, out string? stack) ? stack : null;
}
