using System.Net.Sockets;
using Kworker.Nfsd.Tests.V3;
using Kworker.Nfsd.Tests.Wire;
using Kworker.Samples;

namespace Kworker.Nfsd.Tests.Server;

/// <summary>How a server starts, ends, and remembers.</summary>
public sealed class NfsServerTests
{
    [Fact]
    public async Task Stopping_waits_for_calls_that_run_and_syncs_then()
    {
        var entered = new Completion();
        var release = new Completion();
        var fileSystem = new ScriptedFileSystem();
        var served = new ServedFileSystem(fileSystem);
        byte[] root;
        using (Nfs3Client first = served.Connect())
            root = first.MustMount(ServedFileSystem.Path);
        fileSystem.OnRead = () =>
        {
            entered.Complete();
            release.Wait();
        };
        using Nfs3Client client = served.Connect();
        Task<DataRead> read = Task.Run(() => client.Read(root, 0, 100));
        await entered.WaitAsync();

        Task stop = served.Server.StopAsync().AsTask();
        Assert.False(stop.IsCompleted);
        Assert.Equal(0, fileSystem.Syncs);
        release.Complete();
        DataRead answer = await read;
        Assert.Equal("hello"u8, answer.Data);
        await stop;
        Assert.Equal(1, fileSystem.Syncs);
        Assert.ThrowsAny<Exception>(() => client.GetAttr(root)); // The connection is closed.
        served.Dispose();
        Assert.Equal(1, fileSystem.Syncs);
    }

    [Fact]
    public async Task Patience_with_calls_can_end_and_data_is_synced_all_the_same()
    {
        var entered = new Completion();
        var release = new Completion();
        var fileSystem = new ScriptedFileSystem();
        var served = new ServedFileSystem(fileSystem);
        using Nfs3Client client = served.Connect();
        byte[] root = client.MustMount(ServedFileSystem.Path);
        fileSystem.OnRead = () =>
        {
            entered.Complete();
            release.Wait();
        };
        Task read = Task.Run(() => Assert.ThrowsAny<Exception>(() => client.Read(root, 0, 100)));
        await entered.WaitAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => served.Server.StopAsync(new CancellationToken(canceled: true)).AsTask());
        Assert.Equal(1, fileSystem.Syncs);
        release.Complete();
        await read;
        served.Dispose();
    }

    [Fact]
    public void A_file_system_that_is_exported_twice_is_synced_once_and_a_failure_stops_nobody()
    {
        var broken = new ScriptedFileSystem { Fault = new InvalidOperationException("planted by the test") };
        var twice = new ScriptedFileSystem();
        using (new ServedFileSystem(broken, configure: options =>
        {
            options.Exports.Add(NfsExport.Parse("/one:insecure", twice));
            options.Exports.Add(NfsExport.Parse("/two:insecure", twice));
        }))
        {
        }
        Assert.Equal((1, 1), (broken.Syncs, twice.Syncs));
    }

    [Fact]
    public void Two_starts_have_two_verifiers()
    {
        var fileSystem = new MemoryFileSystem();
        using var one = new ServedFileSystem(fileSystem);
        using var two = new ServedFileSystem(fileSystem);
        using Nfs3Client first = one.Connect();
        using Nfs3Client second = two.Connect();
        byte[] file = first.MustCreate(first.MustMount(ServedFileSystem.Path), "file");
        byte[] same = second.Lookup(second.MustMount(ServedFileSystem.Path), "file"u8).Handle;
        Assert.NotEqual(file, same); // Each without state has a key of its own.
        Assert.Equal(Stat.Stale, second.GetAttr(file).Status);
        Assert.NotEqual(first.Commit(file).Verifier, second.Commit(same).Verifier);
    }

    [Theory]
    [InlineData(7u)] // WRITE
    [InlineData(8u)] // CREATE
    [InlineData(12u)] // REMOVE
    public void A_call_that_comes_again_is_answered_again_not_done_again(uint procedure)
    {
        using var served = new ServedFileSystem(new MemoryFileSystem());
        using Nfs3Client client = served.Connect();
        byte[] root = client.MustMount(ServedFileSystem.Path);
        byte[] file = client.MustCreate(root, "file");
        byte[] arguments = (procedure switch
        {
            7 => new XdrBytes().Opaque(file).U64(0).U32(3).U32(2).Opaque("abc"u8),
            8 => new XdrBytes().Opaque(root).Opaque("new"u8).U32(1).Raw(new byte[24]),
            _ => new XdrBytes().Opaque(root).Opaque("file"u8),
        }).ToArray();
        byte[] message = RpcConnection.Message(77, Nfs3Client.Nfs, 3, procedure, RpcConnection.SysCredential(0, 0), arguments);
        client.Rpc.Send(message);
        byte[] reply = client.Rpc.Receive();
        client.Rpc.Send(message);
        Assert.Equal(reply, client.Rpc.Receive());
        Assert.Equal(0u, RpcConnection.Parse(77, reply).Body.U32());
    }

    [Fact]
    public void A_server_with_nothing_to_serve_is_refused()
    {
        Assert.Throws<ArgumentException>(() => new NfsServer(new NfsServerOptions()));
        Assert.Throws<ArgumentException>(() => new NfsServer(
            new NfsServerOptions { MaximumTransfer = 5000, Exports = { NfsExport.Parse("/x", new MemoryFileSystem()) } }));
    }

    [Fact]
    public void A_larger_transfer_is_served_when_asked_for()
    {
        using var served = new ServedFileSystem(new MemoryFileSystem(), configure: options => options.MaximumTransfer = 4 << 20);
        using Nfs3Client client = served.Connect();
        byte[] file = client.MustCreate(client.MustMount(ServedFileSystem.Path), "file");
        var data = new byte[4 << 20];
        new Random(3).NextBytes(data);
        Assert.Equal(4u << 20, client.Write(file, 0, data).Count);
        Assert.True(client.Read(file, 0, 4 << 20).Data.AsSpan().SequenceEqual(data));
    }

    [Fact]
    public void A_damaged_key_is_told()
    {
        using var state = new TemporaryDirectory();
        File.WriteAllText(Path.Combine(state.Path, "file-handle-key"), "damaged");
        Assert.Throws<InvalidDataException>(() => new NfsServer(
            new NfsServerOptions { StateDirectory = state.Path, Exports = { NfsExport.Parse("/x", new MemoryFileSystem()) } }));
    }

    [Fact]
    public async Task A_port_that_is_taken_is_told_and_the_server_can_be_thrown_away()
    {
        using var served = new ServedFileSystem(new MemoryFileSystem());
        await using var second = new NfsServer(new NfsServerOptions
        {
            Port = served.Server.Port,
            Addresses = [System.Net.IPAddress.Loopback],
            Exports = { NfsExport.Parse("/x", new MemoryFileSystem()) },
        });
        SocketException refused = await Assert.ThrowsAsync<SocketException>(() => second.StartAsync().AsTask());
        Assert.Contains($"127.0.0.1:{served.Server.Port}", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_serves_its_own_file_system_in_a_few_lines()
    {
        await using var server = new NfsServer(new NfsServerOptions
        {
            Port = 0,
            Exports = { NfsExport.Parse("/memory:rw,insecure", new MemoryFileSystem()) },
        });
        await server.StartAsync();

        using var client = new Nfs3Client(server.EndPoints[0]);
        byte[] root = client.MustMount("/memory");
        Assert.Equal(Stat.Ok, client.Write(client.MustCreate(root, "todo"), 0, "sleep"u8).Status);
        Assert.Equal("sleep"u8, client.Read(client.Lookup(root, "todo"u8).Handle, 0, 100).Data);
    }
}
