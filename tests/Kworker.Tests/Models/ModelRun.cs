using System.Globalization;

namespace Kworker.Tests.Models;

/// <summary>How often each model is tried: KWORKER_MODELS_PERCENT of what suits a short run. CsCheck prints the seed of a failure; CsCheck_Seed repeats it.</summary>
internal static class ModelRun
{
    internal static int Times(int usual) =>
        Environment.GetEnvironmentVariable("KWORKER_MODELS_PERCENT") is { Length: > 0 } percent
            ? usual * int.Parse(percent, CultureInfo.InvariantCulture) / 100
            : usual;

    /// <summary>Runs all at once, each on a thread of its own, beginning together; what one throws is thrown here.</summary>
    internal static void Together(params Action[] bodies)
    {
        using var start = new Barrier(bodies.Length);
        var failures = new List<Exception>();
        Thread[] threads = [.. bodies.Select(body => new Thread(() =>
        {
            start.SignalAndWait();
            try
            {
                body();
            }
            catch (Exception e)
            {
                lock (failures)
                    failures.Add(e);
            }
        }))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        if (failures.Count > 0)
            throw new AggregateException(failures);
    }
}
