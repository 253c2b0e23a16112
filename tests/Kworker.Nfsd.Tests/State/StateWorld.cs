using System.Text;
using Kworker.Lockd.Grace;
using Kworker.Lockd.Locks;
using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.State;
using Kworker.Nfsd.V4;
using Kworker.Samples;
using Kworker.SunRpc;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.Nfsd.Tests.State;

/// <summary>A server's state without sockets, and without time but that which a test lets pass. It can die and start again.</summary>
internal sealed class StateWorld : IAsyncDisposable
{
    private readonly KworkerSystem _system;
    private readonly MemoryFileSystem _files = new();

    private readonly ILocalLockFiles? _localFiles;
    private readonly Func<KworkerSystem, NfsStateOptions> _options;

    private StateWorld(ILocalLockFiles? localFiles, Func<KworkerSystem, NfsStateOptions>? options)
    {
        _localFiles = localFiles;
        _options = options ?? (static system => new NfsStateOptions { Lease = Lease, Grace = Lease, System = system, MaximumUnconfirmed = 8 });
        _system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = Time });
    }

    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(90);
    public static readonly Principal Root = new(RpcAuthFlavor.Sys, 0, 0);
    public static readonly ChannelLimits Channel = new(0, 1 << 16, 1 << 16, 4096, 16, 8);

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));

    public RememberingTracking Tracking { get; } = new();

    public GraceManagers Managers { get; private set; } = null!;

    public LockTable Locks { get; private set; } = null!;

    public NfsState State { get; private set; } = null!;

    /// <param name="localFiles">Opens files of this machine, on which locks are held, too; null: there are none.</param>
    /// <param name="options">How much there may be; null: what the server takes, of clients that have yet to confirm eight.</param>
    public static async Task<StateWorld> StartAsync(ILocalLockFiles? localFiles = null, Func<KworkerSystem, NfsStateOptions>? options = null)
    {
        var world = new StateWorld(localFiles, options);
        await world.StartServerAsync();
        return world;
    }

    /// <summary>The server dies, and starts again on the same record of clients.</summary>
    public async Task RestartAsync()
    {
        await State.DisposeAsync();
        await Locks.DisposeAsync();
        await StartServerAsync();
    }

    public async Task PassAsync(TimeSpan time)
    {
        Time.Advance(time);
        await State.Queue.FlushAsync();
    }

    public FileKey File(ulong number) => new(_files, NfsHandle.FromUInt64(number));

    public static OwnerName Name(string name) => new(Encoding.ASCII.GetBytes(name));

    /// <summary>A confirmed client of 4.0.</summary>
    public NfsClient Client40(string name, ulong verifier = 1)
    {
        Assert.Equal(Nfsstat4.Ok, State.SetClientId(Name(name), verifier, Root, new CallbackAddress(0, "tcp", "", 0), out NfsClient? client));
        Assert.Equal(Nfsstat4.Ok, State.ConfirmClientId(client!.Id, client.ConfirmVerifier, Root));
        Assert.Equal(Nfsstat4.Ok, State.Find(client.Id, out client));
        return client!;
    }

    /// <summary>A client of 4.1 with a session, which has said that it reclaims nothing more if <paramref name="isComplete"/>.</summary>
    public NfsClient Client41(string name, ulong verifier = 1, bool isComplete = true)
    {
        Assert.Equal(Nfsstat4.Ok, State.ExchangeId(Name(name), verifier, Root, update: false, out NfsClient? client));
        Assert.Equal(Nfsstat4.Ok, CreateSession(client!.Id, client.CreateSequence + 1, out _, out _));
        if (isComplete)
            Assert.Equal(Nfsstat4.Ok, State.CompleteReclaim(client, ofOneFileSystem: false));
        return client;
    }

    public Nfsstat4 CreateSession(ulong id, uint sequence, out CreatedSession? created, out Session? session) =>
        State.CreateSession(id, sequence, 0, Channel, Channel, 0, RpcCredential.None, Root, out created, out session);

    /// <summary>What the operation OPEN does, by an owner that is confirmed.</summary>
    public Nfsstat4 Open(
        NfsClient client, string owner, ulong file, ShareAccess access, out Stateid4 stateid, ShareAccess deny = ShareAccess.None, bool isReclaim = false)
    {
        stateid = default;
        Nfsstat4 status = State.FindOpenOwner(client, Name(owner), out OpenOwner? found);
        if (status == Nfsstat4.Ok)
            status = State.CheckOpen(client, isReclaim);
        if (status != Nfsstat4.Ok)
            return status;
        found!.IsConfirmed = true;
        return State.Open(found, File(file), access, deny, isReclaim, out stateid);
    }

    public Stateid4 Open(NfsClient client, string owner, ulong file, ShareAccess access = ShareAccess.Both, ShareAccess deny = ShareAccess.None)
    {
        Assert.Equal(Nfsstat4.Ok, Open(client, owner, file, access, out Stateid4 stateid, deny));
        return stateid;
    }

    /// <summary>What LOCK does, by an owner that is new to the open.</summary>
    public Nfsstat4 Lock(NfsClient client, Stateid4 open, string owner, ulong file, LockRange range, out Stateid4 stateid, bool isReclaim = false)
    {
        stateid = default;
        Nfsstat4 status = Find(client, open, out OpenState? state);
        if (status != Nfsstat4.Ok)
            return status;
        status = State.IntroduceLockOwner(state!, open.Seqid, File(file), Name(owner), 0, out LockState? locks, out bool isNew);
        if (status != Nfsstat4.Ok)
            return status;
        status = State.Lock(locks!, null, File(file), LockKind.Write, range, isReclaim, out stateid, out _);
        if (status != Nfsstat4.Ok && isNew)
            State.DropUnused(locks!);
        return status;
    }

    public Nfsstat4 Close(NfsClient client, Stateid4 open, ulong file)
    {
        Nfsstat4 status = Find(client, open, out OpenState? state);
        return status == Nfsstat4.Ok ? State.Close(state!, open.Seqid, File(file), out _) : status;
    }

    public Nfsstat4 Check(NfsClient client, Stateid4 stateid, ulong file, ShareAccess access = ShareAccess.Write) =>
        State.CheckIo(client.MinorVersion > 0 ? client : null, stateid, File(file), access);

    public Nfsstat4 Find<T>(NfsClient client, Stateid4 stateid, out T? state)
        where T : StateObject
    {
        Nfsstat4 status = State.Find(client.MinorVersion > 0 ? client : null, stateid, out StateObject? found);
        state = found as T;
        return status;
    }

    public async ValueTask DisposeAsync()
    {
        await State.DisposeAsync();
        await Locks.DisposeAsync();
        await _system.DisposeAsync();
    }

    private async Task StartServerAsync()
    {
        Managers = new GraceManagers();
        Locks = new LockTable(new LockTableOptions { System = _system, LocalFiles = _localFiles });
        State = new NfsState(_options(_system), Locks, static file => new LockFileKey(file.Handle.Bytes), Managers, Tracking);
        await State.StartAsync();
    }
}
