namespace Kworker;

/// <summary>One who waits in a cycle, and for what.</summary>
public sealed class DeadlockLink
{
    internal DeadlockLink(string function, string? queue, string waitsFor, string? queuedAt, string? waitsAt)
    {
        Function = function;
        Queue = queue;
        WaitsFor = waitsFor;
        QueuedAt = queuedAt;
        WaitsAt = waitsAt;
    }

    /// <summary>The work function that waits, or the name of a kthread that does so outside of work functions.</summary>
    public string Function { get; }

    /// <summary>The workqueue or kthread worker that runs it; null for a kthread.</summary>
    public string? Queue { get; }

    /// <summary>What it waits for, and by which call.</summary>
    public string WaitsFor { get; }

    /// <summary>The stack that queued it; null unless stacks are recorded (<see cref="KworkerSystemOptions.RecordStacks"/>).</summary>
    public string? QueuedAt { get; }

    /// <summary>The stack at the call that waits; null unless stacks are recorded.</summary>
    public string? WaitsAt { get; }

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Function}{(Queue is null ? "" : $" ({Queue})")} in {WaitsFor}{Indented("queued", QueuedAt)}{Indented("waits", WaitsAt)}";

    private static string Indented(string what, string? stack) =>
        stack is null ? "" : $"{Environment.NewLine}    {what}{Environment.NewLine}{StackText.Indent(stack, "      ")}";
}
