using System.Globalization;

namespace Kworker.Lockd.Tests;

/// <summary>How often each model is tried: KWORKER_MODELS_PERCENT of what suits a short run. CsCheck prints the seed of a failure; CsCheck_Seed repeats it.</summary>
internal static class ModelRun
{
    internal static int Times(int usual) =>
        Environment.GetEnvironmentVariable("KWORKER_MODELS_PERCENT") is { Length: > 0 } percent
            ? usual * int.Parse(percent, CultureInfo.InvariantCulture) / 100
            : usual;
}
