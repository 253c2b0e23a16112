using Kworker.Nfsd.FileSystem.Local;
using Kworker.Nfsd.Tests.V3;
using Kworker.Nfsd.Tests.Wire;
using Kworker.Nfsd.Tracking;

namespace Kworker.Nfsd.Tests.Tracking;

/// <summary>The record of clients as a server keeps it, and the grace after a start, which is one with NLM's (RFC 7530 section 9.6.2, RFC 8881 section 8.4.2.1).</summary>
public sealed class ServedTrackingTests : IDisposable
{
    private const uint Nlm = 100021, NlmLock = 2, NlmGranted = 0, NlmDeniedGracePeriod = 4;
    private const uint Ok = 0, Grace = 10013, NoGrace = 10033;

    private readonly TemporaryDirectory _directory = new();
    private readonly TemporaryDirectory _state = new();
    private readonly TemporaryDirectory _programs = new();
    private readonly LocalFileSystem _fileSystem;

    public ServedTrackingTests() => _fileSystem = LocalFileSystem.Open(System.Text.Encoding.UTF8.GetBytes(_directory.Path));

    public void Dispose()
    {
        _fileSystem.Dispose();
        _programs.Dispose();
        _state.Dispose();
        _directory.Dispose();
    }

    private string Program => Path.Combine(_programs.Path, TrackingProgram.Name);

    private string Record => Path.Combine(_state.Path, TrackingProgram.Name, "main.sqlite");

    [Fact]
    public async Task A_program_that_was_missing_records_who_is_there_when_it_has_come_and_the_record_is_resumed()
    {
        if (!OperatingSystem.IsLinux())
            return; // helpers are run on Linux alone
        using (ServedFileSystem first = Serve())
        {
            using var client = new Nfs41Client(first.Server.EndPoints[0], "client");
            client.MustOpen(client.Root("export"), "file"); // served all the same
            Assert.False(await first.Server.ResumeClientTrackingAsync());
            Assert.False(File.Exists(Record));
            Install();
            Assert.True(await first.Server.ResumeClientTrackingAsync()); // what SIGHUP asks for
            Assert.True(File.Exists(Record));
        }
        using ServedFileSystem second = Serve();
        using var again = new Nfs41Client(second.Server.EndPoints[0], "client", completes: false);
        Assert.Equal(Ok, Reclaim(again));
    }

    [Fact]
    public async Task When_all_of_NFSv4_have_reclaimed_nobody_gets_anything_new_while_NLM_waits()
    {
        if (!OperatingSystem.IsLinux())
            return;
        Install();
        using (ServedFileSystem first = Serve())
        {
            using var client = new Nfs41Client(first.Server.EndPoints[0], "client");
            client.MustOpen(client.Root("export"), "file");
            Assert.True(File.Exists(Record));
            using Nfs3Client other = first.Connect();
            Assert.Equal(NlmGranted, Lock(other, 1));
        }
        using ServedFileSystem second = Serve();
        using var back = new Nfs41Client(second.Server.EndPoints[0], "client", completes: false);
        Assert.Equal(Ok, Reclaim(back));
        Assert.Equal(Ok, back.Run(new Op4(Nfs41Client.ReclaimComplete, Op4.U32(0))).Status);
        await second.Server.Nfs4.Queue.FlushAsync();
        // The grace of NFSv4 itself is over, and that of the server is not.
        using (var late = new Nfs41Client(second.Server.EndPoints[0], "late", completes: false))
            Assert.Equal(NoGrace, Reclaim(late));
        Assert.True(second.Server.Nfs4.IsInGrace);
        Assert.Equal(Grace, Open(back));
        using Nfs3Client locker = second.Connect();
        Assert.Equal(NlmDeniedGracePeriod, Lock(locker, 2));
        Assert.Equal(NlmGranted, Lock(locker, 1, reclaim: true));
    }

    [Fact]
    public async Task Where_only_NFSv4_waits_NLM_gives_nothing_new_either_until_all_have_reclaimed()
    {
        if (!OperatingSystem.IsLinux())
            return;
        Install();
        using (ServedFileSystem first = Serve())
        {
            using var client = new Nfs41Client(first.Server.EndPoints[0], "client");
            client.MustOpen(client.Root("export"), "file");
        }
        using ServedFileSystem second = Serve();
        using Nfs3Client locker = second.Connect();
        Assert.Equal(NlmDeniedGracePeriod, Lock(locker, 1));
        using var back = new Nfs41Client(second.Server.EndPoints[0], "client", completes: false);
        Assert.Equal(Ok, Reclaim(back));
        Assert.Equal(NlmDeniedGracePeriod, Lock(locker, 1));
        Assert.Equal(Ok, back.Run(new Op4(Nfs41Client.ReclaimComplete, Op4.U32(0))).Status);
        await second.Server.Nfs4.Queue.FlushAsync();
        Assert.False(second.Server.Nfs4.IsInGrace);
        Assert.Equal(NlmGranted, Lock(locker, 1));
        Assert.Equal(Ok, Open(back));
    }

    private ServedFileSystem Serve() => new(_fileSystem, configure: options =>
    {
        options.StateDirectory = _state.Path;
        options.ClientTrackingProgram = Program;
        options.Grace = TimeSpan.FromHours(1);
    });

    /// <summary>Our own program comes to where the server looks for it.</summary>
    private void Install()
    {
        foreach (string file in (string[])[TrackingProgram.Name, $"{TrackingProgram.Name}.dll"])
            File.CreateSymbolicLink(Path.Combine(_programs.Path, file), Path.Combine(AppContext.BaseDirectory, file));
    }

    private static uint Open(Nfs41Client client) => client.Run(Op4.PutFh(client.Root("export")), client.OpenOf("file")).Status;

    /// <summary>OPEN by CLAIM_PREVIOUS.</summary>
    private static uint Reclaim(Nfs41Client client)
    {
        byte[] handle = client.Run(Op4.PutFh(client.Root("export")), Op4.Lookup("file"u8), Op4.GetFh).Skip(Op4.PutFh([]), Op4.Lookup([]), Op4.GetFh).Body.Opaque();
        const uint previous = 1, noDelegation = 0;
        XdrBytes arguments = new XdrBytes().U32(0).U32(3).U32(0).U64(client.ClientId).Opaque("owner"u8).U32(0).U32(previous).U32(noDelegation);
        return client.Run(Op4.PutFh(handle), new Op4(Nfs41Client.Open, arguments.ToArray())).Status;
    }

    /// <summary>LOCK of NLM version 4, by a host that is monitored.</summary>
    private static uint Lock(Nfs3Client client, uint pid, bool reclaim = false)
    {
        byte[] file = client.Lookup(client.MustMount(ServedFileSystem.Path), "file"u8).Handle;
        byte[] arguments = new XdrBytes().Opaque("cook"u8).Bool(false).Bool(true).Opaque("here"u8).Opaque(file).Opaque("owner"u8).U32(pid).U64(pid * 100).U64(10)
            .Bool(reclaim).U32(1).ToArray();
        RpcAnswer answer = client.Rpc.Call(Nlm, 4, NlmLock, arguments);
        Assert.Equal((true, 0u), (answer.IsAccepted, answer.Status));
        Assert.Equal("cook"u8, answer.Body.Opaque());
        return answer.Body.U32();
    }
}
