using Kworker.Lockd.Locks;
using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.State;
using Kworker.Nfsd.V4;
using Microsoft.Win32.SafeHandles;

namespace Kworker.Nfsd.Tests.State;

/// <summary>What becomes of those who say nothing.</summary>
public sealed class LeaseTests
{
    private const ulong Data = 7;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_client_that_comes_back_late_finds_what_nobody_asked_for(int minor)
    {
        await using StateWorld world = await StateWorld.StartAsync();
        NfsClient client = Make(world, minor, "a");
        Stateid4 open = world.Open(client, "o", Data);
        Assert.Equal(Nfsstat4.Ok, world.Lock(client, open, "l", Data, LockRange.All, out Stateid4 locks));
        await world.PassAsync(StateWorld.Lease * 3);
        Assert.Equal(Nfsstat4.Ok, world.Check(client, open, Data));
        Assert.Equal(Nfsstat4.Ok, world.Check(client, locks, Data));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_lock_of_a_silent_client_is_given_to_who_asks_and_of_a_client_that_is_there_not(int minor)
    {
        await using StateWorld world = await StateWorld.StartAsync();
        NfsClient silent = Make(world, minor, "a");
        Stateid4 open = world.Open(silent, "o", Data);
        Assert.Equal(Nfsstat4.Ok, world.Lock(silent, open, "l", Data, LockRange.All, out _));
        NfsClient other = Make(world, minor, "b");
        Stateid4 rival = world.Open(other, "o", Data);
        Assert.Equal(Nfsstat4.Denied, world.Lock(other, rival, "l", Data, LockRange.All, out _));

        await world.PassAsync(StateWorld.Lease * 0.9);
        other.Renew(world.State.Now);
        await world.PassAsync(StateWorld.Lease * 0.2);
        Assert.Equal(Nfsstat4.Ok, world.Lock(other, rival, "l", Data, LockRange.All, out _));
        Assert.Contains("remove", world.Tracking.Calls);
        Assert.Equal(minor == 0 ? Nfsstat4.Expired : Nfsstat4.BadStateid, world.Check(silent, open, Data));
    }

    [Fact]
    public async Task A_share_of_a_silent_client_goes_likewise()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        NfsClient silent = world.Client40("a");
        world.Open(silent, "o", Data, ShareAccess.Read, ShareAccess.Both);
        NfsClient other = world.Client41("b");
        Assert.Equal(Nfsstat4.ShareDenied, world.Open(other, "o", Data, ShareAccess.Read, out _));
        await world.PassAsync(StateWorld.Lease * 0.9);
        other.Renew(world.State.Now);
        await world.PassAsync(StateWorld.Lease * 0.2);
        Assert.Equal(Nfsstat4.Ok, world.Open(other, "o", Data, ShareAccess.Read, out _));
    }

    [Fact]
    public async Task Without_an_open_one_is_not_refused_what_only_a_silent_client_denies()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        world.Open(world.Client40("a"), "o", Data, ShareAccess.Read, ShareAccess.Both);
        Assert.Equal(Nfsstat4.Locked, world.State.CheckIo(null, Stateid4.Anonymous, world.File(Data), ShareAccess.Write));
        await world.PassAsync(StateWorld.Lease * 1.1);
        Assert.Equal(Nfsstat4.Ok, world.State.CheckIo(null, Stateid4.Anonymous, world.File(Data), ShareAccess.Write));
        Assert.Equal(0, world.State.ClientCount);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_request_of_another_protocol_that_waits_gets_the_lock_when_the_lease_is_over(int minor)
    {
        await using StateWorld world = await StateWorld.StartAsync();
        NfsClient silent = Make(world, minor, "a");
        Assert.Equal(Nfsstat4.Ok, world.Lock(silent, world.Open(silent, "o", Data), "l", Data, LockRange.All, out _));
        NfsClient reader = Make(world, minor, "b"); // whom nobody waits for
        world.Open(reader, "o", Data);
        var request = new WaitingRequest(Data);
        Assert.Equal(LockOutcome.Blocked, world.Locks.Lock(request, out LockConflict conflict));
        Assert.False(conflict.Owner!.GiveWay());
        await world.PassAsync(StateWorld.Lease * 0.9);
        Assert.False(request.IsGranted);
        await world.PassAsync(StateWorld.Lease * 0.5);
        Assert.True(request.IsGranted);
        Assert.True(silent.IsGone);
        Assert.False(reader.IsGone);
        Assert.Contains("remove", world.Tracking.Calls);
    }

    [Fact]
    public async Task Asked_to_give_way_a_silent_client_loses_all()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        NfsClient silent = world.Client41("a");
        Assert.Equal(Nfsstat4.Ok, world.Lock(silent, world.Open(silent, "o", Data), "l", Data, LockRange.All, out _));
        Assert.Equal(LockOutcome.Denied, world.Locks.Lock(WaitingRequest.Key(Data), new OtherOwner(), LockKind.Read, LockRange.All, out LockConflict conflict));
        Assert.False(conflict.Owner!.GiveWay());
        await world.PassAsync(StateWorld.Lease * 1.1);
        Assert.True(conflict.Owner.GiveWay());
        Assert.Equal(0, world.Locks.Count);
        Assert.False(conflict.Owner.GiveWay());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_program_of_this_machine_takes_a_lock_of_a_silent_client_and_of_one_that_is_there_not(int minor)
    {
        if (!OperatingSystem.IsLinux())
            return; // nobody else has locks of open file descriptions
        string path = Path.GetTempFileName();
        using var program = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        await using (StateWorld world = await StateWorld.StartAsync(new OneLocalFile(path)))
        {
            NfsClient client = Make(world, minor, "a");
            Stateid4 open = world.Open(client, "o", Data);
            Assert.Equal(Nfsstat4.Ok, world.Lock(client, open, "l", Data, LockRange.All, out Stateid4 locks));
            Assert.Throws<IOException>(() => program.Lock(0, 10));
            await world.PassAsync(StateWorld.Lease * 1.3);

            // It comes back before a program has asked: it has its locks, and programs see them again.
            Assert.True(client.IsSuspended);
            Assert.True(world.State.Revive(client));
            Assert.Equal(Nfsstat4.Ok, world.Check(client, locks, Data));
            Assert.Throws<IOException>(() => program.Lock(0, 10));

            // And after.
            await world.PassAsync(StateWorld.Lease * 1.3);
            program.Lock(0, 10);
            Assert.Equal(1, world.State.ClientCount);
            Assert.False(world.State.Revive(client));
            Assert.Equal(0, world.State.ClientCount);
            Assert.Equal(0, world.Locks.Count);
            program.Unlock(0, 10);
        }
        File.Delete(path);
    }

    [Fact]
    public async Task Who_holds_nothing_goes_when_the_lease_is_over_and_who_is_silent_for_a_day_goes_whatever_he_holds()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        world.Client40("idle");
        NfsClient holder = world.Client40("holder");
        world.Open(holder, "o", Data);
        await world.PassAsync(StateWorld.Lease * 1.5);
        Assert.Equal(1, world.State.ClientCount);
        await world.PassAsync(TimeSpan.FromDays(2));
        Assert.Equal(0, world.State.ClientCount);
        Assert.Equal(0, world.State.StateCount);
        Assert.Equal(0, world.State.FileCount);
    }

    [Fact]
    public async Task While_a_compound_of_his_runs_nobody_is_late()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        NfsClient busy = world.Client41("a");
        world.Open(busy, "o", Data, ShareAccess.Read, ShareAccess.Both);
        busy.Enter(world.State.Now);
        await world.PassAsync(StateWorld.Lease * 2);
        Assert.Equal(Nfsstat4.ShareDenied, world.Open(world.Client41("b"), "o", Data, ShareAccess.Read, out _));
    }

    [Fact]
    public async Task Of_clients_that_never_confirm_the_oldest_are_dropped()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        var ids = new List<(ulong Id, ulong Verifier)>();
        for (int i = 0; i < 20; i++)
        {
            world.State.SetClientId(StateWorld.Name($"c{i}"), 1, StateWorld.Root, new CallbackAddress(0, "", "", 0), out NfsClient? client);
            ids.Add((client!.Id, client.ConfirmVerifier));
        }
        Assert.Equal(Nfsstat4.StaleClientid, world.State.ConfirmClientId(ids[0].Id, ids[0].Verifier, StateWorld.Root));
        Assert.Equal(Nfsstat4.Ok, world.State.ConfirmClientId(ids[^1].Id, ids[^1].Verifier, StateWorld.Root));
    }

    [Fact]
    public async Task Of_clients_of_4_1_that_never_create_a_session_the_oldest_are_dropped()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        var ids = new List<ulong>();
        for (int i = 0; i < 20; i++)
        {
            Assert.Equal(Nfsstat4.Ok, world.State.ExchangeId(StateWorld.Name($"c{i}"), 1, StateWorld.Root, update: false, out NfsClient? client));
            ids.Add(client!.Id);
        }
        // Eight stay.
        Assert.Equal(Nfsstat4.StaleClientid, world.CreateSession(ids[0], 1, out _, out _));
        Assert.Equal(Nfsstat4.StaleClientid, world.CreateSession(ids[11], 1, out _, out _));
        Assert.Equal(Nfsstat4.Ok, world.CreateSession(ids[12], 1, out _, out _));
        Assert.Equal(Nfsstat4.Ok, world.CreateSession(ids[^1], 1, out _, out _));
    }

    private sealed class OtherOwner : LockOwner;

    private sealed class WaitingRequest(LockFileKey file) : BlockedLock(file, new OtherOwner(), LockKind.Write, LockRange.All)
    {
        public WaitingRequest(ulong file)
            : this(Key(file))
        {
        }

        public bool IsGranted { get; private set; }

        public static LockFileKey Key(ulong file) => new(NfsHandle.FromUInt64(file).Bytes);

        protected internal override void OnGranted() => IsGranted = true;
    }

    /// <summary>Every file is this one.</summary>
    private sealed class OneLocalFile(string path) : ILocalLockFiles
    {
        public SafeFileHandle? Open(LockFileKey file, out bool canWrite)
        {
            canWrite = true;
            return File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        }
    }

    private static NfsClient Make(StateWorld world, int minor, string name) => minor == 0 ? world.Client40(name) : world.Client41(name);
}
