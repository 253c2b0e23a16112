using System.Globalization;
using Kworker.Interop.Wire;

namespace Kworker.Interop.Crash;

/// <summary>A client of NFSv4.0 or 4.1: what it knows of the server's record of it, and what it does. <see cref="Client4Calls"/> has its calls.</summary>
internal sealed class CrashClient4(CrashRun run, int number, int seed, uint minorVersion) : CrashClient(run, number, seed)
{
    private const uint Ok = 0;
    private const uint Denied = 10010;
    private const uint Grace = 10013;
    private const uint ShareDenied = 10015;
    private const uint NoGrace = 10033;
    private const uint ReclaimBad = 10034;
    private const uint ReclaimConflict = 10035;

    private readonly HashSet<string> _open = []; // what it believes to have open, over the server's lives
    private Client4Calls? _calls;
    private ulong _verifier = (ulong)(number + 1) << 32; // of this life of the client

    private Standing _standing;
    private bool _isInRecordAtStart;
    private bool _isAsking; // a request is under way that puts the client into the record
    private bool _isRecorded; // such a request was answered in this life
    private bool _saysDone; // RECLAIM_COMPLETE has been sent

    /// <summary>What the server's record must say of the client, as far as can be told from outside.</summary>
    private enum Standing
    {
        /// <summary>It is not in it, and may reclaim nothing.</summary>
        Absent,

        /// <summary>An answer was lost with the server, or a helper was killed.</summary>
        Unknown,

        /// <summary>It is in it, and may reclaim.</summary>
        Recorded,
    }

    public override bool HasOpens => true;

    private Holdable Share => new(DataFile, null);

    // Grace ends early when the last client of the record has said that it is done: those of 4.0 never do.
    public override bool IsWaitedFor(CrashLife life) => _isInRecordAtStart && !life.MayGraceBeOver && !(minorVersion > 0 && _saysDone);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{base.ToString()} (4.{minorVersion}, {_standing})");

    public override void BeginLife(bool isRecordSure)
    {
        if (!isRecordSure && _standing == Standing.Recorded)
            _standing = Standing.Unknown;
        _isInRecordAtStart = _standing == Standing.Recorded;
        _isAsking = _isRecorded = _saysDone = false;
    }

    public override void EndLife(CrashLife life, bool stayedAway, bool isRecordSure)
    {
        if (_isAsking)
        {
            // It may have been put into the record, or the server died before; it was in it already if grace cannot have ended.
            if (_standing != Standing.Recorded || (life.MayGraceBeOver && !_isRecorded))
                _standing = Standing.Unknown;
        }
        else if (!_isRecorded && _standing != Standing.Absent)
        {
            // It has not come back: with the end of grace it is forgotten, before anybody gets anything new.
            if (life.IsGraceOver)
                _standing = Standing.Absent;
            else if (life.MayGraceBeOver)
                _standing = Standing.Unknown;
        }
        if (!isRecordSure && _standing == Standing.Recorded)
            _standing = Standing.Unknown;
    }

    protected override async Task ComeAsync(CrashLife life)
    {
        _calls = await Client4Calls.ConnectAsync(Run, life, minorVersion, Name);
        await _calls.EstablishAsync(_verifier);
        await ReclaimAsync(life);
        await SayDoneAsync();
        while (!await HasDataAsync(life))
            await RivalOpenAsync(life);
        await CheckAndResendAsync(life);
    }

    protected override void Leave()
    {
        _calls?.Dispose();
        _calls = null;
    }

    protected override Task<(RawNfs.Stable Committed, ulong Verifier)> WriteAsync(CrashLife life, ulong offset, byte[] data, RawNfs.Stable stable) =>
        _calls!.WriteAsync(DataFile, offset, data, stable);

    protected override Task<ulong> CommitAsync(CrashLife life, ulong offset, uint count) => _calls!.CommitAsync(DataFile, offset, count);

    protected override Task<byte[]> ReadAsync(CrashLife life, ulong offset, uint count) => _calls!.ReadAsync(DataFile, offset, count);

    protected override async Task<bool> HasDataAsync(CrashLife life) => _calls!.IsOpen(DataFile) || await OpenAsync(life, DataFile, Operation4.DenyWrite);

    protected override async Task LockAsync(CrashLife life, Holdable what)
    {
        if (!_calls!.IsOpen(what.File) && !await OpenAsync(life, what.File, Operation4.DenyNone))
            return;
        var status = await _calls.LockAsync(what, isReclaim: false);
        switch (status)
        {
            case Ok:
                Run.Ledger.Granted(this, what, life, isReclaim: false);
                life.Counts.Add("locks granted");
                break;
            case Denied:
                life.Counts.Add("locks denied");
                break;
            case Grace:
                life.Counts.Add("refused in grace");
                await PauseAsync();
                break;
            default:
                Require(false, $"LOCK {what}: status {status}");
                break;
        }
    }

    protected override async Task UnlockAsync(CrashLife life, Holdable what) => await _calls!.UnlockAsync(what);

    protected override async Task OtherStepAsync(CrashLife life)
    {
        switch (Random.Next(10))
        {
            case < 4:
                await RivalOpenAsync(life);
                break;
            case < 7:
                await MakeAsync(life);
                break;
            case < 9:
                if (!_calls!.IsOpen(DataFile))
                    break;
                Run.Ledger.Drop(this, Share);
                _open.Remove(DataFile);
                await _calls.CloseAsync(DataFile);
                break;
            default:
                if (_isRecorded && life.IsGraceOver)
                    await RebootAsync();
                break;
        }
    }

    /// <summary>All that it had open and locked, or what of it there is to be had.</summary>
    private async Task ReclaimAsync(CrashLife life)
    {
        if (_open.Count == 0)
        {
            // Who is not in the record tries it all the same.
            if (_standing == Standing.Absent)
                await ReclaimOpenAsync(life, "lock-0");
            return;
        }
        foreach (var file in _open.Order(StringComparer.Ordinal).ToList())
        {
            var isBack = await ReclaimOpenAsync(life, file);
            foreach (var what in Run.Ledger.HeldBy(this).Where(what => what.File == file))
            {
                if (!isBack)
                    Run.Ledger.Drop(this, what);
                else if (what.Slot is null)
                    Run.Ledger.Granted(this, what, life, isReclaim: true);
                else
                    await ReclaimLockAsync(life, what);
            }
            if (!isBack)
                _open.Remove(file);
            else if (file != DataFile && Random.Next(3) == 0)
                await LockAsync(life, new Holdable(file, Random.Next(LockSlots))); // something new, before its time
        }
    }

    private async Task<bool> ReclaimOpenAsync(CrashLife life, string file)
    {
        var deny = file == DataFile ? Operation4.DenyWrite : Operation4.DenyNone;
        _isAsking = minorVersion == 0;
        var status = await _calls!.ReclaimAsync(file, deny);
        _isAsking = false;
        if (status == Ok)
        {
            Require(_standing != Standing.Absent, $"it is not in the record, and could reclaim {file}");
            life.Counts.Add("opens reclaimed");
            if (minorVersion == 0)
                Recorded();
            return true;
        }
        CheckRefusal(life, status, file);
        return false;
    }

    private async Task ReclaimLockAsync(CrashLife life, Holdable what)
    {
        var status = await _calls!.LockAsync(what, isReclaim: true);
        if (status == Ok)
        {
            Run.Ledger.Granted(this, what, life, isReclaim: true);
            life.Counts.Add("locks reclaimed");
            return;
        }
        CheckRefusal(life, status, what.ToString());
        Run.Ledger.Drop(this, what);
    }

    private void CheckRefusal(CrashLife life, uint status, string what)
    {
        Require(status is NoGrace or ReclaimBad or ReclaimConflict, $"reclaim of {what}: status {status}");
        Require(!IsWaitedFor(life), $"reclaim of {what} refused with {status} after {life.Elapsed.TotalSeconds:f2} s");
        life.Counts.Add($"reclaims refused ({_standing})");
    }

    private async Task SayDoneAsync()
    {
        if (minorVersion == 0)
            return;
        _isAsking = _saysDone = true;
        await _calls!.ReclaimCompleteAsync();
        _isAsking = false;
        Recorded();
    }

    private void Recorded()
    {
        _isRecorded = true;
        _standing = Standing.Recorded;
    }

    /// <summary>Opens a file that it does not have open; false if it has to come again.</summary>
    private async Task<bool> OpenAsync(CrashLife life, string file, uint deny)
    {
        var status = await AskOpenAsync(file, Operation4.ShareBoth, deny);
        switch (status)
        {
            case Ok:
                if (deny == Operation4.DenyNone)
                    Run.Ledger.GrantedToMany(this, new Holdable(file, null), life);
                else
                    Run.Ledger.Granted(this, new Holdable(file, null), life, isReclaim: false);
                _open.Add(file);
                return true;
            case Grace:
                life.Counts.Add("refused in grace");
                break;
            default:
                Require(status == ShareDenied && file == DataFile, $"OPEN {file}: status {status}"); // somebody has a look whether he may write to it
                break;
        }
        await PauseAsync();
        return false;
    }

    // The record has a client of 4.0 with its first open, one of 4.1 has said that it is done.
    private async Task<uint> AskOpenAsync(string file, uint access, uint deny)
    {
        _isAsking = minorVersion == 0;
        var status = await _calls!.OpenAsync(file, access, deny);
        _isAsking = false;
        if (status == Ok && minorVersion == 0)
            Recorded();
        return status;
    }

    /// <summary>Tries to write to another's file, which that one has open so that nobody else may.</summary>
    private async Task RivalOpenAsync(CrashLife life)
    {
        var others = Run.Clients.Where(other => other != this && other.HasOpens).ToList();
        var file = others[Random.Next(others.Count)].DataFile;
        switch (await AskOpenAsync(file, Operation4.ShareBoth, Operation4.DenyNone))
        {
            case Ok:
                Run.Ledger.GrantedToMany(this, new Holdable(file, null), life);
                await _calls!.CloseAsync(file);
                life.Counts.Add("others' files opened");
                break;
            case ShareDenied:
                life.Counts.Add("opens denied");
                break;
            case Grace:
                life.Counts.Add("refused in grace");
                await PauseAsync();
                break;
            case var status:
                Require(false, $"OPEN {file}: status {status}");
                break;
        }
    }

    private async Task MakeAsync(CrashLife life)
    {
        var name = $"made-{Name}-{life.Number}-{Made.Count}";
        if (!await OpenAsync(life, name, Operation4.DenyNone))
            return;
        Made.Add(name);
        _open.Remove(name);
        await _calls!.CloseAsync(name);
    }

    /// <summary>The client itself begins a new life: what it had is given up, and it leaves the record until it opens something.</summary>
    private async Task RebootAsync()
    {
        Run.Ledger.DropAll(this);
        _open.Clear();
        _verifier++;
        _standing = Standing.Unknown;
        _isAsking = true;
        await _calls!.EstablishAsync(_verifier);
        _isAsking = _isRecorded = false;
        _standing = Standing.Absent;
        await SayDoneAsync();
    }
}
