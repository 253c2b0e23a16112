namespace Kworker;

/// <summary>What a <see cref="DeferredItem"/> is.</summary>
internal enum ItemKind : byte
{
    /// <summary>No work item: a barrier, a piece of an async run, what has only a time.</summary>
    Other,

    /// <summary>A <see cref="Work"/> with a plain function.</summary>
    PlainWork,

    /// <summary>A <see cref="Work"/> with an async function.</summary>
    AsyncWork,
}
