namespace Kworker.Interop.Crash;

/// <summary>Where in its life the server crashes.</summary>
internal enum CrashPoint
{
    /// <summary>So many milliseconds after its process has begun: mostly before it serves.</summary>
    StartUp,

    /// <summary>After so many answers: while clients come back.</summary>
    ComingBack,

    /// <summary>So many answers after somebody has got something new.</summary>
    AfterGrace,

    /// <summary>When the helper has been called to do a certain thing, or a few milliseconds later.</summary>
    Upcall,
}

/// <summary>One life of the server, as the seed has it.</summary>
internal sealed record CrashPlan
{
    private static readonly string[] s_commands = ["init", "check", "create", "create", "gracedone", "remove"];

    public required CrashPoint Point { get; init; }

    public int Answers { get; init; }

    public int Milliseconds { get; init; }

    /// <summary>The helper's command at which it crashes.</summary>
    public string Command { get; init; } = "";

    /// <summary>Which client stays away; -1: none.</summary>
    public int StaysAway { get; init; } = -1;

    /// <summary>Commands of which the helper is killed, if it still runs after so many milliseconds.</summary>
    public IReadOnlyList<(string Command, int Milliseconds)> Kills { get; init; } = [];

    /// <summary>Whether the state is looked at before the next life; else that begins at once, beside helpers that may still run.</summary>
    public bool ChecksState { get; init; }

    public static CrashPlan Next(Random random, int clients, bool isGraceShort, bool killsHelpers)
    {
        var point = random.Next(100) switch
        {
            < 12 => CrashPoint.StartUp,
            < 30 => CrashPoint.ComingBack,
            < 65 => CrashPoint.AfterGrace,
            _ => CrashPoint.Upcall,
        };
        var command = s_commands[random.Next(s_commands.Length)];
        // Who stays away keeps the others in grace to its end.
        var staysAway = random.Next(4) == 0 ? random.Next(clients) : -1;
        if (!isGraceShort && (point == CrashPoint.AfterGrace || command is "gracedone" or "remove"))
            staysAway = -1;
        return new CrashPlan
        {
            Point = point,
            Answers = point == CrashPoint.ComingBack ? 1 + random.Next(100) : random.Next(600),
            Milliseconds = point == CrashPoint.StartUp ? random.Next(600) : random.Next(3) == 0 ? 0 : random.Next(50),
            Command = point == CrashPoint.Upcall ? command : "",
            StaysAway = staysAway,
            Kills = killsHelpers
                ? [.. Enumerable.Range(0, 1 + random.Next(2)).Select(_ => (s_commands[random.Next(s_commands.Length)], random.Next(60)))]
                : [],
            ChecksState = random.Next(2) == 0,
        };
    }

    public override string ToString() =>
        $"{Point} {Command} answers {Answers}, {Milliseconds} ms, away {StaysAway}, helpers killed [{string.Join(' ', Kills)}]";
}
