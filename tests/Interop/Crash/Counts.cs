using System.Collections.Concurrent;
using System.Globalization;

namespace Kworker.Interop.Crash;

/// <summary>What has happened over all lives: to see that a run has tried what it is there for. Thread-safe.</summary>
internal sealed class Counts
{
    private readonly ConcurrentDictionary<string, int> _counts = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<ulong, int> _verifiers = new();

    public void Add(string what, int number = 1) => _counts.AddOrUpdate(what, number, (_, before) => before + number);

    /// <summary>Each life has a verifier of its own.</summary>
    public void NewVerifier(ulong verifier, int life)
    {
        var first = _verifiers.GetOrAdd(verifier, life);
        if (first != life)
            throw new InvalidDataException($"the write verifier {verifier:x} of life {life} is that of life {first}: nobody learns of the restart");
    }

    public void Add(Counts others)
    {
        foreach (var (what, number) in others._counts)
            Add(what, number);
    }

    public override string ToString() =>
        string.Join(", ", _counts.OrderBy(count => count.Key, StringComparer.Ordinal).Select(count => string.Create(CultureInfo.InvariantCulture, $"{count.Key} {count.Value}")));
}
