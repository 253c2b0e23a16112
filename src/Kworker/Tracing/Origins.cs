using System.Runtime.CompilerServices;

namespace Kworker;

/// <summary>Where items were queued last, while stacks are recorded (<see cref="Listeners.Stacks"/>). Kept beside the items: they pay nothing for it.</summary>
internal static class Origins
{
    private static readonly ConditionalWeakTable<DeferredItem, string> s_stacks = [];

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void Note(DeferredItem item) => Note(item, StackText.Capture());

    internal static void Note(DeferredItem item, string stack) => s_stacks.AddOrUpdate(item, stack);

    internal static string? Of(DeferredItem item) => s_stacks.TryGetValue(item, out string? stack) ? stack : null;
}
