using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Kworker.Nfsd.Tracking;

/// <summary>
/// The record of clients is kept by a helper that is run for each change of it, as the kernel does (<c>nfsd4_umh_cltrack_ops</c>): program, arguments,
/// environment and log are the kernel's. Thread-safe.
/// </summary>
/// <remarks>
/// <para>
/// <b>Off.</b> A program that is not there or may not be executed is not called again until <see cref="ResumeAsync"/>. The kernel, when already
/// <c>init</c> fails, keeps records in a directory of its own; here there are none then, and nobody may reclaim.
/// </para>
/// <para>
/// <b>Trust.</b> The record may name too few clients, which costs them their locks; never too many, since who is named may take back what others have got
/// meanwhile. So where a client could not be taken out of it, or a whole life of the server went by without it, a file says that it is not to be
/// believed; the next start that finds it empties the record first. Before that, taking out is tried again (<see cref="TrackingDebts"/>).
/// </para>
/// <para>
/// <b>Patience.</b> A helper that does not end holds up its own client alone, and that one only as long as its call can wait: then a check has to be asked for again, a
/// create counts as failed, and what was to be taken out of the record counts as still in it. What was begun goes on, and calls for one name stay in
/// line behind it: a create that hangs cannot come after the remove that follows. (The kernel waits for ever, and with it a thread of its server.)
/// </para>
/// <para>
/// <b>Helpers of before.</b> A server that is killed leaves its helpers running; a start waits for their end.
/// </para>
/// <para>
/// <b>Time.</b> The record counts in seconds, and takes for of this life what is no older than its start. A start in the same second as the last entry of
/// the life before therefore waits for the next second.
/// </para>
/// </remarks>
[DebuggerDisplay("{_program,nq}")]
internal sealed class UmhClientTracking : IClientTracking
{
    private static readonly TimeSpan s_helperLook = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_helperPatience = TimeSpan.FromSeconds(30); // a helper waits 10 s for the database

    private readonly UmhTrackingOptions _options;
    private readonly ILogger _logger;
    private readonly Workqueue _queue;
    private readonly Workqueue _timers; // where nothing takes long
    private readonly CancellationTokenSource _ended = new();
    private readonly NameLines _lines = new();
    private readonly TrackingTrust _trust;
    private readonly TrackingDebts _debts;
    private readonly ClientRecord? _record; // null: the helper has it where it will
    private readonly Lock _lock = new();
    private readonly Queue<NfsUpcallSnapshot> _recent = []; // _lock; the oldest first
    private readonly Completion _resumed = new(); // a token: one at a time turns on
    private volatile string _program = ""; // the empty one: off. Set off by who finds out, on by Init and Resume
    private volatile bool _mayCheck; // since Init, if the record of before is to be believed
    private long _graceStart; // written by Init and Resume before _program is set, read after it
    private Action? _allReclaimed; // _lock: taken by who calls it
    private bool _isInGrace; // _lock
    private Task _paying = Task.CompletedTask; // by who pays, one at a time
    private bool _isTurnedOff; // _lock: that has been warned of

    /// <summary>A tracking that is off until <see cref="InitAsync"/>.</summary>
    public UmhClientTracking(UmhTrackingOptions options, ILogger logger)
    {
        _options = options;
        _logger = logger;
        _queue = new Workqueue("nfsd4-cltrack", new WorkqueueOptions { Unbound = true, MaxActive = options.MaxActive }, options.System);
        _timers = new Workqueue("nfsd4-cltrack-late", new WorkqueueOptions { Unbound = true }, options.System);
        _record = options.StorageDirectory is null ? null : new ClientRecord(options.StorageDirectory);
        _trust = new TrackingTrust(options.TrustFile, options.System.TimeProvider, logger);
        _debts = new TrackingDebts(_trust, _timers, options, logger, PayAsync);
        _resumed.Complete();
    }

    public Action? AllReclaimed { get; set; }

    public Func<IReadOnlyCollection<TrackedClient>>? ActiveClients { get; set; }

    private const string NotBack = "Clients that did not come back";

    private string Late => TrackingUpcall.NotAnswered(_options);

    private static string ClientHasSession(TrackedClient client) => $"NFSDCLTRACK_CLIENT_HAS_SESSION={(client.HasSession ? 'Y' : 'N')}";

    private string GraceStart => $"NFSDCLTRACK_GRACE_START={_graceStart}";

    private string LegacyTopDirectory => $"NFSDCLTRACK_LEGACY_TOPDIR={_options.RecoveryDirectory}";

    public async ValueTask<TrackingStart> InitAsync()
    {
        string program = _options.Program ?? TrackingProgram.Find();
        TrackingUpcall init = await BeginAsync(program);
        if (!init.IsSuccess)
        {
            // Whatever the record says, this life goes by without it.
            _debts.OweAll();
            if (!init.IsProgramMissing)
                TrackingLog.InitFailed(_logger, program, init.Outcome);
            return TrackingStart.Off;
        }
        if (!_trust.IsDistrusted)
            _debts.PayAll();
        else if (!await EmptyAsync(program))
            return TrackingStart.Off;
        TrackingStart start = _trust.WasDistrusted || _record?.Count() == 0 ? TrackingStart.Nobody : TrackingStart.Somebody;
        _mayCheck = start == TrackingStart.Somebody;
        lock (_lock)
        {
            _isInGrace = _mayCheck;
            _allReclaimed = AllReclaimed;
        }
        TurnOn(program);
        return start;
    }

    public async ValueTask<TrackingResult> CreateAsync(TrackedClient client)
    {
        if (client is { HasSession: false, IsRecorded: true })
            return TrackingResult.Recorded;
        Task<TrackingResult> create = CreateInLineAsync(client, isAgain: false);
        if (await IsInTimeAsync(create))
            return await create;
        TrackingLog.CreateFailed(_logger, NameOf(client), _program, Late);
        return TrackingResult.NotRecorded;
    }

    public async ValueTask<TrackingResult> CheckAsync(TrackedClient client)
    {
        if (client.IsRecorded)
            return TrackingResult.Recorded;
        if (!_mayCheck)
            return TrackingResult.Off;
        Task<TrackingResult> check;
        lock (_lock)
            check = client.SlowCheck is { IsCompleted: false } slow ? slow : client.SlowCheck = CheckInLineAsync(client);
        return await IsInTimeAsync(check) ? await check : TrackingResult.Slow;
    }

    public async ValueTask<TrackingResult> RemoveAsync(TrackedClient client)
    {
        client.IsGone = true;
        Task<TrackingResult> remove = RemoveInLineAsync(client, isAgain: false);
        if (await IsInTimeAsync(remove))
            return await remove;
        // Who waits for this gives what the client had to others now. If the helper has done it after all, that is found out by asking again.
        _debts.OweRemove(client);
        TrackingLog.RemoveFailed(_logger, $"The client {NameOf(client)}", _program, $"remove {Late}");
        return TrackingResult.NotRecorded;
    }

    public async ValueTask<TrackingResult> GraceDoneAsync()
    {
        _mayCheck = false;
        lock (_lock)
        {
            _isInGrace = false;
            _allReclaimed = null;
        }
        Task<TrackingResult> done = EndGraceAsync(isAgain: false);
        if (await IsInTimeAsync(done))
            return await done;
        _debts.OweGraceDone();
        TrackingLog.RemoveFailed(_logger, NotBack, _program, $"gracedone {Late}");
        return TrackingResult.NotRecorded;
    }

    /// <summary>Turns the upcalls on again, by what is now the program, and records the clients that are there. The kernel's administrator writes to sysfs for that.</summary>
    /// <returns>Whether they are on.</returns>
    public async ValueTask<bool> ResumeAsync()
    {
        await _resumed.WaitAsync();
        try
        {
            if (_program.Length > 0 && !_trust.IsDistrusted)
            {
                TrackingLog.IsOnAlready(_logger);
                return true;
            }
            string program = _options.Program ?? TrackingProgram.Find();
            lock (_lock)
                _isTurnedOff = false;
            if (_trust.IsDistrusted)
            {
                // Nobody but us calls meanwhile: what others recorded now would be swept away with the rest, and they would not know.
                _program = "";
                _mayCheck = false;
                TrackingUpcall init = await BeginAsync(program);
                if (!init.IsSuccess)
                {
                    if (!init.IsProgramMissing)
                        TrackingLog.InitFailed(_logger, program, init.Outcome);
                    return false;
                }
                if (!await EmptyAsync(program))
                    return false;
            }
            TurnOn(program);
            await IsInTimeAsync(Task.WhenAll([.. (ActiveClients?.Invoke() ?? []).Select(client => CreateInLineAsync(client, isAgain: true))]));
            return _program.Length > 0;
        }
        finally
        {
            _resumed.Complete();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _debts.DisposeAsync();
        await _queue.DisposeAsync(); // waits for helpers, but for those that have not ended in time
        await _ended.CancelAsync();
        await _timers.DisposeAsync();
        _ended.Dispose();
    }

    private async Task<TrackingResult> CheckInLineAsync(TrackedClient client)
    {
        string legacy = $"NFSDCLTRACK_LEGACY_RECDIR={LegacyDirectory(client)}";
        Completion turn = await _lines.EnterAsync(client.HexId);
        try
        {
            if (client.IsRecorded)
                return TrackingResult.Recorded;
            if (_debts.OwesRemove(client.HexId))
                return TrackingResult.NotRecorded; // the record means an instance that has gone in this life
            TrackingUpcall? check = await CallAsync("check", client.HexId, ClientHasSession(client), legacy);
            TrackingResult result = ResultOf(check);
            if (result == TrackingResult.NotRecorded)
                TrackingLog.CheckFailed(_logger, NameOf(client), _program, check!.Outcome);
            if (result != TrackingResult.Recorded)
                return result;
            client.IsRecorded = true;
        }
        finally
        {
            _lines.Leave(client.HexId, turn);
        }
        TellIfReclaimed();
        return TrackingResult.Recorded;
    }

    private async Task<TrackingResult> CreateInLineAsync(TrackedClient client, bool isAgain)
    {
        Completion turn = await _lines.EnterAsync(client.HexId);
        try
        {
            if (client.IsGone)
                return TrackingResult.NotRecorded;
            if (!isAgain && client is { HasSession: false, IsRecorded: true })
                return TrackingResult.Recorded;
            TrackingUpcall? create = await CallAsync("create", client.HexId, ClientHasSession(client), GraceStart);
            TrackingResult result = ResultOf(create);
            if (result == TrackingResult.NotRecorded)
            {
                client.IsInDoubt = true;
                TrackingLog.CreateFailed(_logger, NameOf(client), _program, create!.Outcome);
            }
            if (result != TrackingResult.Recorded)
                return result;
            client.IsRecorded = true;
            if (!client.IsGone)
                _debts.PayRemove(client.HexId); // the name means this instance now
        }
        finally
        {
            _lines.Leave(client.HexId, turn);
        }
        TellIfReclaimed();
        return TrackingResult.Recorded;
    }

    private async Task<TrackingResult> RemoveInLineAsync(TrackedClient client, bool isAgain)
    {
        Completion turn = await _lines.EnterAsync(client.HexId);
        try
        {
            if (isAgain ? !_debts.OwesRemove(client.HexId) : !client.IsRecorded && !client.IsInDoubt)
                return TrackingResult.Recorded;
            TrackingUpcall? remove = await CallAsync("remove", client.HexId, null, null);
            TrackingResult result = ResultOf(remove);
            if (result == TrackingResult.NotRecorded)
            {
                _debts.OweRemove(client);
                if (!isAgain)
                    TrackingLog.RemoveFailed(_logger, $"The client {NameOf(client)}", _program, $"remove {remove!.Outcome}");
            }
            if (result == TrackingResult.Off)
                _debts.OweAll();
            if (result != TrackingResult.Recorded)
                return result;
            client.IsRecorded = false;
            client.IsInDoubt = false;
            _debts.PayRemove(client.HexId);
        }
        finally
        {
            _lines.Leave(client.HexId, turn);
        }
        TellIfReclaimed();
        return TrackingResult.Recorded;
    }

    private async Task<TrackingResult> EndGraceAsync(bool isAgain)
    {
        TrackingUpcall? done = await CallAsync("gracedone", $"{_graceStart}", LegacyTopDirectory, null);
        TrackingResult result = ResultOf(done);
        if (result == TrackingResult.Recorded)
            _debts.PayGraceDone();
        if (result == TrackingResult.Off)
            _debts.OweAll();
        if (result == TrackingResult.NotRecorded)
        {
            _debts.OweGraceDone();
            if (!isAgain)
                TrackingLog.RemoveFailed(_logger, NotBack, _program, $"gracedone {done!.Outcome}");
        }
        return result;
    }

    /// <summary>Asks once more for what failed, unless that hangs already.</summary>
    private async ValueTask PayAsync()
    {
        (bool graceDone, TrackedClient[] clients) = _debts.Open;
        if (_program.Length == 0 || !_paying.IsCompleted || (!graceDone && clients.Length == 0))
            return;
        List<Task<TrackingResult>> payments = [.. clients.Select(client => RemoveInLineAsync(client, isAgain: true))];
        if (graceDone)
            payments.Add(EndGraceAsync(isAgain: true));
        _paying = Task.WhenAll(payments);
        await IsInTimeAsync(_paying);
    }

    /// <summary>Chooses the time from which on an entry is one of this life, and calls <c>init</c>.</summary>
    private async ValueTask<TrackingUpcall> BeginAsync(string program)
    {
        await HelpersOfBeforeEndedAsync();
        // The last entry's time is looked for in a record that may be in the middle of nothing: the helper that was killed is rolled back by the look.
        long latest = (_record is null ? _trust.LatestTime() : _record.LatestTime()) ?? 0;
        DateTimeOffset time = _options.System.TimeProvider.GetUtcNow();
        long now = time.ToUnixTimeSeconds();
        while (latest == now)
        {
            // Of one reading of the clock: what is left of its second is never negative, which would be a wait for ever.
            await TrackingPatience.WaitAsync(new TaskCompletionSource().Task, DateTimeOffset.FromUnixTimeSeconds(now + 1) - time, _timers);
            time = _options.System.TimeProvider.GetUtcNow();
            now = time.ToUnixTimeSeconds();
        }
        if (latest > now)
        {
            TrackingLog.ClockSetBack(_logger, latest - now);
            now = latest + 1;
        }
        _graceStart = now;
        return await CallInTimeAsync(program, "init", null, GraceStart, null);
    }

    /// <summary>
    /// A server that was killed leaves helpers that go on: what they do to the record belongs to that life, and must be done before this one begins. A client
    /// recorded late would count as come back, one removed late would lose what it has just been given.
    /// </summary>
    private async ValueTask HelpersOfBeforeEndedAsync()
    {
        if (_options.StorageDirectory is null)
            return; // they cannot be told from those of others
        TimeProvider clock = _options.System.TimeProvider;
        long start = clock.GetTimestamp();
        bool isTold = false;
        while (TrackingProgram.RunsOn(_options.StorageDirectory))
        {
            if (!isTold)
                TrackingLog.WaitsForHelper(_logger);
            isTold = true;
            if (clock.GetElapsedTime(start) > s_helperPatience)
            {
                // It will do what it will. Nobody reclaims on what it leaves.
                TrackingLog.HelperStuck(_logger, s_helperPatience.TotalSeconds);
                _debts.OweAll();
                return;
            }
            await new Completion().WaitAsync(s_helperLook);
        }
    }

    /// <summary>Takes everybody of before out of a record that is not to be believed.</summary>
    private async ValueTask<bool> EmptyAsync(string program)
    {
        TrackingLog.Distrusted(_logger);
        TrackingUpcall done = await CallInTimeAsync(program, "gracedone", $"{_graceStart}", LegacyTopDirectory, null);
        if (!done.IsSuccess)
        {
            if (!done.IsProgramMissing)
                TrackingLog.InitFailed(_logger, program, $"(gracedone) {done.Outcome}");
            return false;
        }
        _debts.PayAll();
        return true;
    }

    private void TurnOn(string program)
    {
        _program = program;
        TrackingLog.UsingUpcall(_logger);
        TrackingLog.Recording(_logger, program, _options.StorageDirectory is null ? "" : $" in {_options.StorageDirectory}");
    }

    /// <returns>Null: off.</returns>
    private async ValueTask<TrackingUpcall?> CallAsync(string command, string? argument, string? environment0, string? environment1)
    {
        string program = _program;
        if (program.Length == 0)
        {
            TrackingLog.UpcallDisabled(_logger);
            return null;
        }
        return await CallAsync(program, command, argument, environment0, environment1);
    }

    private async ValueTask<TrackingUpcall> CallAsync(string program, string command, string? argument, string? environment0, string? environment1)
    {
        var upcall = new TrackingUpcall(_options, _logger, program, command, argument, environment0, environment1);
        await RunAsync(upcall);
        return upcall;
    }

    /// <returns>What may not be over.</returns>
    private async ValueTask<TrackingUpcall> CallInTimeAsync(string program, string command, string? argument, string? environment0, string? environment1)
    {
        var upcall = new TrackingUpcall(_options, _logger, program, command, argument, environment0, environment1);
        await IsInTimeAsync(RunAsync(upcall));
        return upcall;
    }

    private async Task RunAsync(TrackingUpcall upcall)
    {
        await upcall.RunAsync(
            _queue,
            _timers,
            ended =>
            {
                Note(ended);
                if (ended.IsProgramMissing)
                    TurnOff(ended);
            },
            _ended.Token);
        if (upcall.IsSuccess)
            _trust.Heard();
    }

    private async ValueTask<bool> IsInTimeAsync(Task asked) => asked.IsCompleted || await TrackingPatience.WaitAsync(asked, _options.Patience, _timers);

    /// <summary>Who keeps the record, and the last calls.</summary>
    public NfsTrackingSnapshot Snapshot()
    {
        lock (_lock)
            return new NfsTrackingSnapshot(_program, [.. _recent.Reverse()]);
    }

    private void Note(TrackingUpcall ended)
    {
        const int Most = 32;
        lock (_lock)
        {
            if (_recent.Count == Most)
                _recent.Dequeue();
            _recent.Enqueue(new NfsUpcallSnapshot(_options.System.TimeProvider.GetUtcNow(), ended.Command, ended.Argument ?? "", ended.Outcome, ended.IsSuccess));
        }
    }

    private static TrackingResult ResultOf(TrackingUpcall? upcall) => upcall switch
    {
        null or { IsProgramMissing: true } => TrackingResult.Off,
        { IsSuccess: true } => TrackingResult.Recorded,
        _ => TrackingResult.NotRecorded,
    };

    private void TurnOff(TrackingUpcall upcall)
    {
        string program = upcall.Program;
        TrackingLog.UpcallTurnedOff(_logger, program, upcall.Status.Raw);
        // Of several that find out at the same time one warns.
        lock (_lock)
        {
            if (_program.Length == 0 && _isTurnedOff)
                return;
            _program = "";
            _isTurnedOff = true;
        }
        TrackingLog.TurnedOff(_logger, program, upcall.Outcome);
    }

    private void TellIfReclaimed()
    {
        Action? tell;
        lock (_lock)
        {
            if (!_isInGrace || _allReclaimed is null)
                return;
        }
        if (_record?.CountReclaiming(_graceStart) != 0)
            return;
        lock (_lock)
        {
            tell = _allReclaimed;
            _allReclaimed = null;
        }
        tell?.Invoke();
    }

    // nfs4_make_rec_clidname: the MD5 of the name. Not for secrecy: it is the name that the kernel gave the directory.
    private string LegacyDirectory(TrackedClient client)
    {
        TrackingLog.MakesDirectoryName(_logger, NameOf(client));
#pragma warning disable CA5351
        return $"{_options.RecoveryDirectory}/{Convert.ToHexStringLower(MD5.HashData(client.Name.Span))}";
#pragma warning restore CA5351
    }

    /// <summary>A client's name for the log: whatever bytes it gave, one line.</summary>
    private static string NameOf(TrackedClient client)
    {
        var text = new StringBuilder(client.Name.Length);
        foreach (byte b in client.Name.Span)
            text.Append(b is >= 0x20 and < 0x7f ? (char)b : '?');
        return text.ToString();
    }
}
