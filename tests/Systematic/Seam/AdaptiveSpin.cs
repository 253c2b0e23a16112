using Kworker.Systematic;

namespace Kworker;

/// <summary>The library's spin before a sleep in this assembly: two more looks, each where another thread may go on.</summary>
internal struct AdaptiveSpin
{
    private const int MostLooks = 2;
    private int _looks;

    public AdaptiveSpin() => _looks = MostLooks;

    internal static long Now => 0;

    internal void Begin() => _looks = 0;

    internal bool Next()
    {
        Schedule.Point(Step.Spin);
        return ++_looks <= MostLooks;
    }

    internal void Sleeping() => _looks = MostLooks;

    internal void Came() => _looks = MostLooks;

    internal void Woken(long resumed) => _looks = MostLooks;
}
