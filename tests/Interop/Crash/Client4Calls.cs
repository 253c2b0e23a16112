using Kworker.Interop.Wire;

namespace Kworker.Interop.Crash;

/// <summary>One connection of an NFSv4 client, with what the server has given it in this life: client id, session, stateids. One call at a time.</summary>
internal sealed class Client4Calls : IDisposable
{
    private const uint MustConfirm = 2; // OPEN4_RESULT_CONFIRM
    private const int StateidLength = 16;
    private const int SessionLength = 16;

    // RFC 7530 section 9.1.7: after these the owner's number stays.
    private static readonly HashSet<uint> s_notCounted = [10018, 10019, 10020, 10022, 10023, 10025, 10026, 10036];

    private readonly RawRpc _rpc;
    private readonly CrashRun _run;
    private readonly CrashLife _life;
    private readonly uint _minorVersion;
    private readonly string _name;
    private readonly Dictionary<string, OpenFile> _open = [];
    private ulong _client;
    private uint _openSeqid = 1;
    private byte[]? _session;
    private uint _sequence;

    private Client4Calls(CrashRun run, CrashLife life, uint minorVersion, string name, RawRpc rpc)
    {
        _run = run;
        _life = life;
        _minorVersion = minorVersion;
        _name = name;
        _rpc = rpc;
    }

    public static async Task<Client4Calls> ConnectAsync(CrashRun run, CrashLife life, uint minorVersion, string name) =>
        new(run, life, minorVersion, name, await RawRpc.ConnectAsync(run.Address));

    public bool IsOpen(string file) => _open.ContainsKey(file);

    public void Dispose() => _rpc.Dispose();

    /// <summary>Makes itself known; with another verifier than before it has nothing any more.</summary>
    public async Task EstablishAsync(ulong verifier)
    {
        _open.Clear();
        _session = null;
        if (_minorVersion == 0)
        {
            var set = Operation4.SetClientId(verifier, _name);
            var reply = await SucceedAsync(set);
            _client = reply.UInt64();
            await SucceedAsync(Operation4.SetClientIdConfirm(_client, reply.UInt64()));
            return;
        }
        var exchanged = await SucceedAsync(Operation4.ExchangeId(verifier, _name));
        _client = exchanged.UInt64();
        var created = await SucceedAsync(Operation4.CreateSession(_client, exchanged.UInt32()));
        _session = created.Fixed(SessionLength);
        _sequence = 0;
    }

    public async Task ReclaimCompleteAsync() => await SucceedAsync(Operation4.ReclaimComplete);

    /// <summary>OPEN, and OPEN_CONFIRM if that is asked for.</summary>
    public async Task<uint> OpenAsync(string file, uint access, uint deny) =>
        await OpenAsync(file, await _run.RootAsync(_rpc), Operation4.Open(_openSeqid, access, deny, _client, Owner, file));

    /// <summary>OPEN of a file that was open before the restart.</summary>
    public async Task<uint> ReclaimAsync(string file, uint deny) =>
        await OpenAsync(file, await _run.HandleAsync(_rpc, file), Operation4.Reclaim(_openSeqid, Operation4.ShareBoth, deny, _client, Owner));

    public async Task CloseAsync(string file)
    {
        _open.Remove(file, out var open);
        var close = Operation4.Close(_openSeqid, open!.Stateid);
        var results = await RunAsync(Operation4.PutFh(open.Handle), close);
        var status = results.Skip(Operation4.PutFh(open.Handle)).Next(close);
        CountOpen(status);
        Assert.Equal(0u, status);
    }

    public async Task<uint> LockAsync(Holdable what, bool isReclaim)
    {
        var open = _open[what.File];
        var offset = (ulong)what.Slot!.Value * 10;
        var isNew = open.Locks is null;
        var operation = isNew
            ? Operation4.LockNew(isReclaim, offset, 10, _openSeqid, open.Stateid, open.LockSeqid, _client, $"{_name}/{what.File}")
            : Operation4.Lock(isReclaim, offset, 10, open.Locks!, open.LockSeqid);
        var results = await RunAsync(Operation4.PutFh(open.Handle), operation);
        var status = results.Skip(Operation4.PutFh(open.Handle)).Next(operation);
        if (isNew)
            CountOpen(status);
        if (status == 0)
            open.Locks = results.Body.Fixed(StateidLength);
        // An owner that did not get its first lock is not known any more: it may count on.
        if (!s_notCounted.Contains(status))
            open.LockSeqid++;
        return status;
    }

    public async Task UnlockAsync(Holdable what)
    {
        var open = _open[what.File];
        var operation = Operation4.Unlock(open.LockSeqid, open.Locks!, (ulong)what.Slot!.Value * 10, 10);
        var results = await RunAsync(Operation4.PutFh(open.Handle), operation);
        Assert.Equal(0u, results.Skip(Operation4.PutFh(open.Handle)).Next(operation));
        open.Locks = results.Body.Fixed(StateidLength);
        open.LockSeqid++;
    }

    public async Task<(RawNfs.Stable Committed, ulong Verifier)> WriteAsync(string file, ulong offset, byte[] data, RawNfs.Stable stable)
    {
        var reply = await SucceedAsync(_open[file].Handle, Operation4.Write(_open[file].Stateid, offset, stable, data));
        Assert.Equal((uint)data.Length, reply.UInt32());
        return ((RawNfs.Stable)reply.UInt32(), reply.UInt64());
    }

    public async Task<ulong> CommitAsync(string file, ulong offset, uint count) =>
        (await SucceedAsync(_open[file].Handle, Operation4.Commit(offset, count))).UInt64();

    public async Task<byte[]> ReadAsync(string file, ulong offset, uint count)
    {
        var reply = await SucceedAsync(_open[file].Handle, Operation4.Read(_open[file].Stateid, offset, count));
        reply.UInt32(); // eof
        return reply.Opaque();
    }

    private string Owner => $"{_name}/open";

    private async Task<uint> OpenAsync(string file, byte[] at, Operation4 operation)
    {
        var results = await RunAsync(Operation4.PutFh(at), operation, Operation4.GetFh);
        var status = results.Skip(Operation4.PutFh(at)).Next(operation);
        CountOpen(status);
        if (status != 0)
            return status;
        var stateid = results.Body.Fixed(StateidLength);
        results.Body.Fixed(4 + 8 + 8); // change_info4
        var flags = results.Body.UInt32();
        for (var words = results.Body.UInt32(); words > 0; words--)
            results.Body.UInt32();
        Assert.Equal(0u, results.Body.UInt32()); // no delegation
        var handle = results.Skip(Operation4.GetFh).Body.Opaque();
        if ((flags & MustConfirm) != 0)
        {
            var confirm = Operation4.OpenConfirm(stateid, _openSeqid);
            results = await RunAsync(Operation4.PutFh(handle), confirm);
            status = results.Skip(Operation4.PutFh(handle)).Next(confirm);
            CountOpen(status);
            Assert.Equal(0u, status);
            stateid = results.Body.Fixed(StateidLength);
        }
        _open[file] = new OpenFile(handle, stateid);
        _run.Know(file, handle);
        return 0;
    }

    private void CountOpen(uint status)
    {
        if (!s_notCounted.Contains(status))
            _openSeqid++;
    }

    private async Task<RawReader> SucceedAsync(Operation4 operation)
    {
        var results = await RunAsync(operation);
        var status = results.Next(operation);
        Assert.True(status == 0, $"operation {operation.Number} of {_name}: status {status}");
        return results.Body;
    }

    private async Task<RawReader> SucceedAsync(byte[] handle, Operation4 operation)
    {
        var results = await RunAsync(Operation4.PutFh(handle), operation);
        var status = results.Skip(Operation4.PutFh(handle)).Next(operation);
        Assert.True(status == 0, $"operation {operation.Number} of {_name}: status {status}");
        return results.Body;
    }

    private async Task<Results4> RunAsync(params Operation4[] operations)
    {
        if (_session is null)
        {
            var results = await Results4.RunAsync(_rpc, _minorVersion, operations);
            _life.Answer();
            return results;
        }
        var sequence = Operation4.Sequence(_session, ++_sequence);
        var ofSession = await Results4.RunAsync(_rpc, _minorVersion, [sequence, .. operations]);
        _life.Answer();
        var status = ofSession.Next(sequence);
        Assert.True(status == 0, $"SEQUENCE of {_name}: status {status}");
        ofSession.Body.Fixed(SessionLength + (5 * 4));
        return ofSession;
    }

    private sealed class OpenFile(byte[] handle, byte[] stateid)
    {
        public byte[] Handle { get; } = handle;

        public byte[] Stateid { get; } = stateid;

        /// <summary>The stateid of this client's locks in it.</summary>
        public byte[]? Locks { get; set; }

        public uint LockSeqid { get; set; } = 1;
    }
}
