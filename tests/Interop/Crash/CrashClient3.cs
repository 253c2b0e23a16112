using Kworker.Interop.Wire;

namespace Kworker.Interop.Crash;

/// <summary>A client of NFSv3, with locks by NLM 4 (RFC 1813, appendix II). It does not hear the server's notices: it sees that its connection is lost.</summary>
internal sealed class CrashClient3(CrashRun run, int number, int seed) : CrashClient(run, number, seed)
{
    private const uint Nlm = 100021;
    private const uint LockProcedure = 2;
    private const uint UnlockProcedure = 4;
    private const uint Granted = 0;
    private const uint Denied = 1;
    private const uint InGrace = 4;

    private readonly Dictionary<string, byte[]> _handles = []; // for all lives: they survive
    private RawNfs? _nfs;
    private bool _isInRecordAtStart;
    private bool _hasComeBack;

    public override bool IsWaitedFor(CrashLife life) => _isInRecordAtStart && !life.MayGraceBeOver;

    public override void BeginLife(bool isRecordSure) => _isInRecordAtStart = Run.Ledger.HeldBy(this).Count > 0;

    public override void EndLife(CrashLife life, bool stayedAway, bool isRecordSure)
    {
        // NLM's record cannot tell who missed a whole grace: an honest client, which hears of two restarts, does not reclaim what it may have lost at the first.
        if (life.MayGraceBeOver && !_hasComeBack)
            Run.Ledger.DropAll(this);
        _hasComeBack = false;
    }

    protected override async Task ComeAsync(CrashLife life)
    {
        _nfs = await RawNfs.MountAsync(Run.Address, Run.Address.Port, Run.Export);
        foreach (var what in Run.Ledger.HeldBy(this))
        {
            var status = await AskAsync(life, LockProcedure, what, isReclaim: true);
            if (status == Granted)
            {
                Run.Ledger.Granted(this, what, life, isReclaim: true);
                life.Counts.Add("NLM locks reclaimed");
                continue;
            }
            Require(status == InGrace || status == Denied, $"reclaim of {what}: status {status}");
            Require(!IsWaitedFor(life), $"reclaim of {what} refused with {status} after {life.Elapsed.TotalSeconds:f2} s");
            Run.Ledger.Drop(this, what);
            life.Counts.Add("NLM locks lost");
        }
        _hasComeBack = true;
        await CheckAndResendAsync(life);
    }

    protected override void Leave()
    {
        _nfs?.Dispose();
        _nfs = null;
    }

    protected override async Task<(RawNfs.Stable Committed, ulong Verifier)> WriteAsync(CrashLife life, ulong offset, byte[] data, RawNfs.Stable stable) =>
        await _nfs!.WriteAsync(await HandleAsync(DataFile), offset, data, stable);

    protected override async Task<ulong> CommitAsync(CrashLife life, ulong offset, uint count) =>
        await _nfs!.CommitAsync(await HandleAsync(DataFile), offset, count);

    protected override async Task<byte[]> ReadAsync(CrashLife life, ulong offset, uint count) =>
        await _nfs!.ReadAsync(await HandleAsync(DataFile), offset, count);

    protected override Task<bool> HasDataAsync(CrashLife life) => Task.FromResult(true);

    protected override async Task LockAsync(CrashLife life, Holdable what)
    {
        switch (await AskAsync(life, LockProcedure, what))
        {
            case Granted:
                Run.Ledger.Granted(this, what, life, isReclaim: false);
                life.Counts.Add("NLM locks granted");
                break;
            case Denied:
                life.Counts.Add("locks denied");
                break;
            case InGrace:
                life.Counts.Add("refused in grace");
                await PauseAsync();
                break;
            case var status:
                Require(false, $"lock of {what}: status {status}");
                break;
        }
    }

    protected override async Task UnlockAsync(CrashLife life, Holdable what)
    {
        var status = await AskAsync(life, UnlockProcedure, what);
        if (status == InGrace)
            Run.Ledger.Granted(this, what, life, isReclaim: true); // it waits for the end of grace: the lock is still there
        else
            Require(status == Granted, $"unlock of {what}: status {status}");
    }

    protected override async Task OtherStepAsync(CrashLife life)
    {
        var name = $"made-{Name}-{life.Number}-{Made.Count}";
        var (status, _) = await _nfs!.CreateAsync(_nfs.Root, name);
        Require(status == RawNfs.Ok, $"CREATE {name}: status {status}");
        Made.Add(name);
    }

    private async Task<byte[]> HandleAsync(string name)
    {
        if (_handles.TryGetValue(name, out var handle))
            return handle;
        (var status, handle) = await _nfs!.LookupAsync(_nfs.Root, name);
        Require(status == RawNfs.Ok, $"LOOKUP {name}: status {status}");
        return _handles[name] = handle;
    }

    private async Task<uint> AskAsync(CrashLife life, uint procedure, Holdable what, bool isReclaim = false)
    {
        var arguments = new RawWriter().Text("c");
        if (procedure == LockProcedure)
            arguments.UInt32(0).UInt32(1); // it does not wait; exclusive
        arguments.Text(Name).Opaque(await HandleAsync(what.File)).Text("owner").UInt32(1).UInt64((ulong)what.Slot!.Value * LockSize).UInt64(LockSize);
        if (procedure == LockProcedure)
            arguments.UInt32(isReclaim ? 1u : 0).UInt32(1);
        var reply = await _nfs!.Rpc.CallAsync(Nlm, 4, procedure, arguments);
        reply.Opaque(); // cookie
        return reply.UInt32();
    }
}
