using System.Net;
using System.Net.Sockets;
using Kworker.SunRpc;

namespace Kworker.Nfs.Tests;

/// <summary>Byte-range locks of open files, at our own server.</summary>
public sealed class LockTests
{
    // A rpcbind of the clients' own: port 111 may be the machine's.
    private static readonly NfsClientOptions s_options = new() { LocalAddress = IPAddress.Loopback, LocalRpcbindPort = FreePort() };

    [Fact]
    public async Task Two_open_files_stand_in_each_others_way_until_one_unlocks_or_closes()
    {
        await using ServedDirectory served = await ServedDirectory.StartAsync();
        await using NfsClient mount = await MountAsync(served, s_options);
        await using NfsFile one = await mount.OpenAsync("/f", FileMode.Create, FileAccess.ReadWrite);
        await using NfsFile other = await mount.OpenAsync("/f", FileMode.Open, FileAccess.ReadWrite);
        Assert.True(await one.LockAsync(0, 100));
        Assert.False(await other.LockAsync(50, 1, NfsLockKind.Shared));
        NfsLockConflict? conflict = await other.TestLockAsync(50, 0, NfsLockKind.Shared);
        Assert.Equal((0, 100, NfsLockKind.Exclusive), (conflict!.Value.Start, conflict.Value.Length, conflict.Value.Kind));
        await one.UnlockAsync(40, 20);
        Assert.True(await other.LockAsync(50, 1, NfsLockKind.Shared));
        Assert.Null(await other.TestLockAsync(200, 0));
        await one.DisposeAsync();
        Assert.True(await other.LockAsync(0, 0));
    }

    [Fact]
    public async Task A_lost_lock_refuses_reading_and_writing_until_the_range_is_locked_anew()
    {
        await using ServedDirectory served = await ServedDirectory.StartAsync();
        await using NfsClient mount = await MountAsync(served, s_options);
        await using NfsFile file = await mount.OpenAsync("/f", FileMode.Create, FileAccess.ReadWrite);
        await file.WriteAsync(0, new byte[] { 1 });
        Assert.True(await file.LockAsync(0, 10));
        var lost = new Completion();
        NfsLockLostEventArgs? what = null;
        file.LockLost += (_, which) =>
        {
            what = which;
            lost.Complete();
        };
        // Told of a restart that was none: the server knows of no grace period, and takes nothing back.
        file.LockOwner!.Host.Rebooted(1);
        await lost.WaitAsync();
        Assert.Equal((0, 10, NfsLockKind.Exclusive), (what!.Start, what.Length, what.Kind));
        Assert.True(file.HasLostLocks);
        await Assert.ThrowsAsync<NfsException>(() => file.ReadAsync(0, new byte[1]).AsTask());
        await Assert.ThrowsAsync<NfsException>(() => file.WriteAsync(0, new byte[1]).AsTask());
        Assert.True(await file.LockAsync(0, 10));
        Assert.False(file.HasLostLocks);
        Assert.Equal(1, await file.ReadAsync(0, new byte[1]));
    }

    [Fact]
    public async Task With_RecoverLostLocks_reading_and_writing_go_on_and_the_lock_is_taken_anew()
    {
        await using ServedDirectory served = await ServedDirectory.StartAsync();
        await using NfsClient mount = await MountAsync(served, new NfsClientOptions
        {
            LocalAddress = s_options.LocalAddress,
            LocalRpcbindPort = s_options.LocalRpcbindPort,
            RecoverLostLocks = true,
        });
        await using NfsFile file = await mount.OpenAsync("/f", FileMode.Create, FileAccess.ReadWrite);
        await using NfsFile other = await mount.OpenAsync("/f", FileMode.Open, FileAccess.ReadWrite);
        await file.WriteAsync(0, new byte[] { 1 });
        Assert.True(await file.LockAsync(0, 10));
        var lost = new Completion();
        Task<int>? meanwhile = null;
        file.LockLost += (_, _) =>
        {
            meanwhile = WriteAndReadAsync();
            lost.Complete();
        };
        file.LockOwner!.Host.Rebooted(1);
        await lost.WaitAsync();
        Assert.Equal(2, await meanwhile!);
        while (file.HasLostLocks)
            await Task.Yield(); // taken anew behind our back
        Assert.False(await other.LockAsync(0, 1));
        Assert.Equal(2, await WriteAndReadAsync());

        async Task<int> WriteAndReadAsync()
        {
            await file.WriteAsync(1, new byte[] { 2 });
            return await file.ReadAsync(0, new byte[2]);
        }
    }

    [Theory]
    [InlineData("", false, false)]
    [InlineData("", true, true)]
    [InlineData("&lockport=PORT", false, true)]
    public async Task Ports_are_the_URLs_or_those_that_its_rpcbind_knows(string more, bool knowsLocks, bool isGranted)
    {
        await using ServedDirectory served = await ServedDirectory.StartAsync();
        int port = NfsUrl.Parse(served.Url).Port;
        var table = new RpcbindTable();
        await using var rpcbind = new RpcServer(new RpcServerOptions { Name = "rpcbind", Addresses = [IPAddress.Loopback] });
        rpcbind.Add(new RpcbindService(table, TimeProvider.System).CreateProgram());
        await rpcbind.StartAsync();
        (uint Program, uint Version)[] programs = [(100003, 3), (100005, 3), .. knowsLocks ? [(100021u, 4u)] : Array.Empty<(uint, uint)>()];
        foreach ((uint program, uint version) in programs)
            table.Set(new RpcbindRecord(program, version, NetId.Tcp, new IPEndPoint(IPAddress.Loopback, port), RpcbindRecord.Superuser));
        string url = $"nfs://127.0.0.1{served.Path}?rpcbind={rpcbind.Port}{more.Replace("PORT", $"{port}", StringComparison.Ordinal)}";
        await using NfsClient mount = await NfsClient.MountAsync(url, new NfsClientOptions
        {
            LocalAddress = s_options.LocalAddress,
            LocalRpcbindPort = s_options.LocalRpcbindPort,
            IsSoft = true,
        });
        await using NfsFile file = await mount.OpenAsync("/f", FileMode.Create, FileAccess.ReadWrite);
        if (isGranted)
            Assert.True(await file.LockAsync(0, 0));
        else
            Assert.Contains("it has no lock manager", (await Assert.ThrowsAsync<NfsException>(() => file.LockAsync(0, 0).AsTask())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_locks_none_is_asked_for()
    {
        await using ServedDirectory served = await ServedDirectory.StartAsync();
        await using NfsClient mount = await served.MountAsync(new NfsClientOptions { NoLock = true });
        await using NfsFile file = await mount.OpenAsync("/f", FileMode.Create, FileAccess.ReadWrite);
        await Assert.ThrowsAsync<NfsException>(() => file.LockAsync(0, 0).AsTask());
        Assert.Null(file.LockOwner);
    }

    // By the port of its lock manager, too: a rpcbind of the machine may know another one.
    private static ValueTask<NfsClient> MountAsync(ServedDirectory served, NfsClientOptions options) =>
        NfsClient.MountAsync($"{served.Url}?lockport={NfsUrl.Parse(served.Url).Port}", options);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
