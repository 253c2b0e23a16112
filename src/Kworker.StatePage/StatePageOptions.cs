namespace Kworker.StatePage;

/// <summary>How the state page is served; see <see cref="KworkerEndpoints.MapKworker"/>.</summary>
public sealed class StatePageOptions
{
    /// <summary>The system that it shows; <see cref="KworkerSystem.Default"/> at each look unless given.</summary>
    public KworkerSystem? System { get; set; }

    /// <summary>What stands at its head; the program's name unless given.</summary>
    public string? Title { get; set; }

    /// <summary>How often an open page is updated, and what is shown at most measured anew.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How many rows of a table are sent unless more are asked for (<c>?rows=</c>, up to 10,000); the counts are exact all the same.</summary>
    public int MaxRows { get; set; } = 200;

    /// <summary>How many items of each queue are looked at.</summary>
    public int MaxItems { get; set; } = 2000;

    /// <summary>How many pages may be open at a time; more are refused, and ask again.</summary>
    public int MaxWatchers { get; set; } = 32;

    /// <summary>Measure latencies all the time, for the metrics; otherwise while a page is open. It costs some tens of nanoseconds for each item.</summary>
    public bool AlwaysMeasureLatencies { get; set; }

    /// <summary>
    /// Names under which this machine may be asked for, beside localhost and its addresses, while no authorization is required: what else is asked for may be a
    /// stranger's name that has been made to point here.
    /// </summary>
    public IList<string> AllowedHosts { get; } = [];

    /// <summary>Sections of the program's own. Called for each look, on a thread of the web server's; must not block. What one throws is shown in its place.</summary>
    public IList<Func<IEnumerable<StateSection>>> Sections { get; } = [];

    /// <summary>Which meters' observable instruments the metrics have.</summary>
    public IList<string> Meters { get; } = ["Kworker"];

    /// <summary>Somebody else lets in only those who may see it.</summary>
    internal bool IsGuarded { get; set; }
}
