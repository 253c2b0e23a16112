using Kworker.Lockd.Locks;

namespace Kworker.Lockd.Client;

/// <summary>Ranges as NLM writes them.</summary>
internal static class NlmRange
{
    /// <summary>The length; 0: to the end of the file.</summary>
    public static ulong Length(LockRange range) => range.End == ulong.MaxValue ? 0 : range.End - range.Start + 1;

    /// <summary>Whether a server that writes this length means this range: to the last offset that has a sign is to the end of the file.</summary>
    public static bool LengthIs(LockRange range, ulong length) => length == Length(range) ||
        (range.End >= long.MaxValue && (length == 0 || length > long.MaxValue - range.Start));
}
