namespace Kworker;

/// <summary>A work function or kthread that waits for another.</summary>
/// <param name="Waiter">The function, or the kthread.</param>
/// <param name="In">The workqueue or kthread worker that runs the function; null for a kthread of its own.</param>
/// <param name="Target">The call and its object, as in "Flush of workqueue mail".</param>
/// <param name="Stack">The stack at the beginning of the wait; null unless stacks are recorded.</param>
public sealed record WaitSnapshot(string Waiter, string? In, string Target, string? Stack);
