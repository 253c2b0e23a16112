using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using Kworker.Interop.Peers;
using Kworker.Interop.Wire;

namespace Kworker.Interop.Crash;

/// <summary>What kind of run it is; the rest follows from the seed.</summary>
/// <param name="Seed">Repeats the plan: which clients, where each life ends, who stays away. What the machine makes of it is another matter each time.</param>
/// <param name="IsPowerCut">Whether the back end forgets what was not synced.</param>
/// <param name="HasOlderClients">Clients of 4.0 and of 3 with NLM beside those of 4.1: these wait for the end of grace by the clock.</param>
internal sealed record CrashKind(int Seed, bool IsPowerCut, bool HasOlderClients)
{
    /// <summary>Which helper keeps the record.</summary>
    public HelperKind Helper { get; init; }

    /// <summary>Whether the helper is killed, too.</summary>
    public bool KillsHelpers { get; init; }
}

/// <summary>Who keeps the record of NFSv4's clients.</summary>
internal enum HelperKind
{
    /// <summary>Ours, as it is built.</summary>
    Own,

    /// <summary>nfs-utils', where it is installed.</summary>
    Machine,

    /// <summary>One of them, after a sleep that outlasts the server's death.</summary>
    Slow,
}

/// <summary>A server that crashes again and again under its clients, on one state directory.</summary>
internal sealed class CrashRun : IAsyncDisposable
{
    private const string OfTheMachine = "/sbin/nfsdcltrack";
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(90);

    private readonly CrashKind _kind;
    private readonly Random _random;
    private readonly CrashServer _server;
    private readonly TemporaryDirectory _helper = new();
    private readonly TimeSpan _grace;
    private readonly ConcurrentDictionary<string, byte[]> _handles = new(StringComparer.Ordinal);
    private readonly Counts _counts = new();
    private readonly StringBuilder _story = new(); // the lives so far
    private int _life;
    private string _plan = "";

    public CrashRun(CrashKind kind)
    {
        _kind = kind;
        _random = new Random(kind.Seed);
        // With clients of 4.1 alone grace ends when the last has come back, however long that takes.
        _grace = TimeSpan.FromSeconds(kind.HasOlderClients ? (kind.Helper == HelperKind.Machine ? 2 : 4) : 60);
        _server = new CrashServer(new CrashServerOptions(kind.IsPowerCut ? Machine.PowerCutHost : Machine.Nfsd, kind.IsPowerCut, Helper(), _grace));
        var versions = kind.HasOlderClients ? new uint?[] { 0, 0, 1, 1, null } : [1, 1, 1, 1];
        Clients = [.. versions.Select((version, i) => version is { } minor
            ? (CrashClient)new CrashClient4(this, i, _random.Next(), minor)
            : new CrashClient3(this, i, _random.Next()))];
        foreach (var client in Clients)
            Ledger.Add(client);
        foreach (var file in (string[])["lock-0", "lock-1", "lock-2", .. Clients.Select(client => client.DataFile)])
            File.Create(Path.Combine(Export, file)).Dispose();
    }

    public IReadOnlyList<CrashClient> Clients { get; }

    public Ledger Ledger { get; } = new();

    public string Export => _server.Export;

    public IPEndPoint Address => new(IPAddress.Loopback, _server.Port);

    /// <summary>Crashes the server so many times, then lets it end well and looks at what is on disk.</summary>
    /// <returns>What has happened.</returns>
    public static async Task<Counts> RunAsync(CrashKind kind, int crashes)
    {
        await using var run = new CrashRun(kind);
        try
        {
            for (var i = 0; i < crashes; i++)
                await run.CrashAsync();
            await run.EndAsync();
            TestContext.Current.TestOutputHelper?.WriteLine(run._story.ToString());
            return run._counts;
        }
        catch (Exception exception)
        {
            throw new InvalidDataException(
                $"{kind}, life {run._life} ({run._plan}): {exception.Message}\nThis seed again: KWORKER_CRASH_SEED={kind.Seed}\n{run._story}{run._counts}\n{run._server.Log}", exception);
        }
    }

    /// <summary>The handle of a file: it is looked for once, and stays the same over all lives.</summary>
    public async Task<byte[]> HandleAsync(RawRpc rpc, string file)
    {
        if (_handles.TryGetValue(file, out var known))
            return known;
        var path = (Export + (file.Length > 0 ? $"/{file}" : "")).Split('/', StringSplitOptions.RemoveEmptyEntries);
        Operation4[] operations = [Operation4.PutRootFh, .. path.Select(Operation4.Lookup), Operation4.GetFh];
        var results = await Results4.RunAsync(rpc, 0, operations);
        foreach (var operation in operations)
            results.Skip(operation);
        return _handles[file] = results.Body.Opaque();
    }

    public Task<byte[]> RootAsync(RawRpc rpc) => HandleAsync(rpc, "");

    /// <summary>The server has given a handle: it must be the one of before.</summary>
    public void Know(string file, byte[] handle)
    {
        if (!_handles.GetOrAdd(file, handle).AsSpan().SequenceEqual(handle))
            throw new InvalidDataException($"{file} has another handle than before");
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _helper.Dispose();
    }

    private async Task CrashAsync()
    {
        var plan = CrashPlan.Next(_random, Clients.Count, _kind.HasOlderClients, _kind.KillsHelpers && _random.Next(2) == 0);
        _plan = plan.ToString();
        var life = Begin(isRecordSure: plan.Kills.Count == 0);
        var trigger = TriggerAsync(plan, life);
        var kills = plan.Kills.Select(kill => KillHelperAsync(kill.Command, kill.Milliseconds, life)).ToList();
        _server.Start();
        await Task.WhenAny(_server.Listens, trigger).WaitAsync(s_patience);
        var living = new List<Task>();
        if (!trigger.IsCompleted)
        {
            await _server.Listens;
            living.AddRange(Live(life, plan.StaysAway));
            await Task.WhenAny([trigger, .. living]).WaitAsync(s_patience);
        }
        var crashed = living.Find(task => task.IsFaulted);
        life.Ending();
        if (_server.HasEnded && crashed is null)
            throw new InvalidDataException("the server has ended by itself");
        _counts.Add("bytes lost", (int)await _server.CrashAsync());
        _story.AppendLine(CultureInfo.InvariantCulture, $"life {life.Number}: {plan}; {life.Answers} answers, {life.Elapsed.TotalSeconds:f2} s");
        await EndAsync(life, living, kills, plan.StaysAway, plan.Kills.Count == 0);
        _counts.Add(living.Count == 0 ? "crashes before it served" : $"crashes {plan.Point}{plan.Command}");
        if (plan.ChecksState)
            StateFiles.Check(_server.State);
    }

    private async Task EndAsync()
    {
        _plan = "the last";
        var life = Begin(isRecordSure: true);
        _server.Start();
        await _server.Listens;
        var living = Live(life, staysAway: -1);
        await Task.WhenAny([life.GraceOver, .. living]).WaitAsync(s_patience);
        await Task.WhenAny([life.AnswersAsync(300), .. living]).WaitAsync(s_patience);
        life.Ending();
        var status = await _server.StopAsync();
        await EndAsync(life, living, [], -1, isRecordSure: true);
        if (status != 0)
            throw new InvalidDataException($"asked to end, the server ended with {status}");
        StateFiles.Check(_server.State);
        foreach (var client in Clients)
            client.CheckDisk();
    }

    private CrashLife Begin(bool isRecordSure)
    {
        foreach (var client in Clients)
            client.BeginLife(isRecordSure);
        return new CrashLife(++_life, _grace, _counts);
    }

    private List<Task> Live(CrashLife life, int staysAway) =>
        [.. Clients.Select((client, i) => i == staysAway ? life.Ended : Task.Run(() => client.LiveAsync(life)))];

    private async Task EndAsync(CrashLife life, List<Task> living, List<Task> kills, int staysAway, bool isRecordSure)
    {
        life.HasEnded();
        await Task.WhenAll([.. living, .. kills]);
        for (var i = 0; i < Clients.Count; i++)
            Clients[i].EndLife(life, living.Count == 0 || i == staysAway, isRecordSure);
    }

    /// <summary>Ends when the server is to crash.</summary>
    private async Task TriggerAsync(CrashPlan plan, CrashLife life)
    {
        switch (plan.Point)
        {
            case CrashPoint.StartUp:
                await Task.Delay(plan.Milliseconds);
                break;
            case CrashPoint.ComingBack:
                await life.AnswersAsync(plan.Answers);
                break;
            case CrashPoint.AfterGrace:
                await life.GraceOver;
                await life.AnswersAsync(plan.Answers);
                break;
            default:
                await Task.WhenAny(_server.SaysAsync($"cmd: {plan.Command}"), NothingMoreAsync());
                await Task.Delay(plan.Milliseconds);
                break;
        }

        // It may never come to that: clients reboot when they like.
        async Task NothingMoreAsync()
        {
            await life.GraceOver;
            await life.AnswersAsync(500);
        }
    }

    private async Task KillHelperAsync(string command, int milliseconds, CrashLife life)
    {
        if (await Task.WhenAny(_server.SaysAsync($"cmd: {command}"), life.Ended) == life.Ended)
            return;
        await Task.Delay(milliseconds);
        if (!life.IsEnding)
            _counts.Add("helpers killed", _server.KillHelpers());
    }

    private string Helper()
    {
        var own = Path.Combine(Path.GetDirectoryName(Machine.Nfsd)!, "nfsdcltrack");
        switch (_kind.Helper)
        {
            case HelperKind.Machine when File.Exists(OfTheMachine):
                return OfTheMachine;
            case HelperKind.Slow:
                var slow = Path.Combine(_helper.Path, "nfsdcltrack");
                // Some at once, others long after their server: what it had them do may come when the next has begun.
                File.WriteAllText(
                    slow,
                    $"""
                    #!/bin/sh
                    case $(($$ % 6)) in 3) sleep 0.4;; 4) sleep 0.9;; 5) sleep 1.6;; esac
                    export DOTNET_ROOT='{Machine.DotnetRoot}'
                    exec '{(File.Exists(OfTheMachine) ? OfTheMachine : own)}' "$@"

                    """);
                File.SetUnixFileMode(slow, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                return slow;
            default:
                return own;
        }
    }
}
