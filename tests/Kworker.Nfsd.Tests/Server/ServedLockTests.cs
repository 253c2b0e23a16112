using Kworker.Lockd;
using Kworker.Nfsd.FileSystem.Local;
using Kworker.Nfsd.Tests.V3;
using Kworker.Nfsd.Tests.Wire;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.Nfsd.Tests.Server;

/// <summary>Locks of a server over a directory: who may lock what, what programs of this machine see of it, and what a restart leaves.</summary>
public sealed class ServedLockTests : IDisposable
{
    private const uint Nlm = 100021, Test = 1, Lock = 2, Unlock = 4;
    private const uint Granted = 0, Denied = 1, DeniedGracePeriod = 4, RoFs = 6, StaleFh = 7, FBig = 8, Failed = 9;

    private readonly TemporaryDirectory _directory = new();
    private readonly TemporaryDirectory _state = new();
    private readonly LocalFileSystem _fileSystem;

    public ServedLockTests() => _fileSystem = LocalFileSystem.Open(System.Text.Encoding.UTF8.GetBytes(_directory.Path));

    public void Dispose()
    {
        _fileSystem.Dispose();
        _state.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void Who_may_read_a_file_or_owns_it_may_lock_it()
    {
        using var served = new ServedFileSystem(_fileSystem);
        using Nfs3Client client = served.Connect();
        byte[] root = client.MustMount(ServedFileSystem.Path);
        byte[] file = client.MustCreate(root, "file");
        Assert.Equal(Granted, Ask(client, Lock, file, 1, 0, 10));
        Assert.Equal(Granted, Ask(client, Unlock, file, 1, 0, 0));
        Assert.Equal(Failed, Ask(client, Lock, root, 1, 0, 10)); // a directory
        Assert.Equal(Failed, Ask(client, Lock, [1, 2, 3], 1, 0, 10));
        file[^1] ^= 1;
        Assert.Equal(StaleFh, Ask(client, Lock, file, 1, 0, 10));
        file[^1] ^= 1;
        Assert.Equal(FBig, Ask(client, Lock, file, 1, long.MaxValue, 10));
        if (!Environment.IsPrivilegedProcess)
            return;
        client.SetAttr(file, new Sattr { Mode = 0, Uid = 1000, Gid = 1000 });
        Assert.Equal(Failed, Ask(client.As(2000, 2000), Lock, file, 1, 0, 10));
        Assert.Equal(Granted, Ask(client.As(1000, 1000), Lock, file, 1, 0, 10));
        client.As(0, 0).SetAttr(file, new Sattr { Mode = 0x124 /* r--r--r-- */ });
        Assert.Equal(Granted, Ask(client.As(2000, 2000), Lock, file, 2, 20, 10));
    }

    [Fact]
    public void On_an_export_that_may_be_read_only_nothing_is_locked_for_writing()
    {
        File.WriteAllText(Path.Combine(_directory.Path, "file"), "x");
        using var served = new ServedFileSystem(_fileSystem, "ro,insecure");
        using Nfs3Client client = served.Connect();
        byte[] file = client.Lookup(client.MustMount(ServedFileSystem.Path), "file"u8).Handle;
        Assert.Equal(RoFs, Ask(client, Lock, file, 1, 0, 10));
        Assert.Equal(Granted, Ask(client, Lock, file, 1, 0, 10, exclusive: false));
    }

    [Fact]
    public void Programs_of_this_machine_and_clients_see_each_others_locks()
    {
        using var served = new ServedFileSystem(_fileSystem);
        using Nfs3Client client = served.Connect();
        byte[] file = client.MustCreate(client.MustMount(ServedFileSystem.Path), "file");
        using var local = new FileStream(Path.Combine(_directory.Path, "file"), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        Assert.Equal(Granted, Ask(client, Lock, file, 1, 0, 10));
        Assert.Throws<IOException>(() => local.Lock(5, 10));
        local.Lock(20, 10);
        Assert.Equal(Denied, Ask(client, Lock, file, 1, 25, 10));
        Assert.Equal(Denied, Ask(client, Test, file, 1, 25, 10));
        local.Unlock(20, 10);
        Assert.Equal(Granted, Ask(client, Lock, file, 1, 25, 10));
        Assert.Equal(Granted, Ask(client, Unlock, file, 1, 0, 0));
        local.Lock(0, 100);
    }

    [Fact]
    public void Kept_apart_they_do_not()
    {
        using var served = new ServedFileSystem(_fileSystem, configure: options => options.LocalLocks = false);
        using Nfs3Client client = served.Connect();
        byte[] file = client.MustCreate(client.MustMount(ServedFileSystem.Path), "file");
        using var local = new FileStream(Path.Combine(_directory.Path, "file"), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        local.Lock(0, 100);
        Assert.Equal(Granted, Ask(client, Lock, file, 1, 0, 10));
    }

    [Fact]
    public void A_lock_outlives_its_file()
    {
        using var served = new ServedFileSystem(_fileSystem);
        using Nfs3Client client = served.Connect();
        byte[] root = client.MustMount(ServedFileSystem.Path);
        byte[] file = client.MustCreate(root, "file");
        Assert.Equal(Granted, Ask(client, Lock, file, 1, 0, 10));
        client.Remove(root, "file"u8);
        Assert.Equal(StaleFh, Ask(client, Lock, file, 1, 20, 10));
        Assert.Equal(Granted, Ask(client, Unlock, file, 1, 0, 0));
    }

    [Fact]
    public void After_a_restart_locks_are_reclaimed_first_if_there_were_any()
    {
        byte[] file;
        using (ServedFileSystem first = Serve())
        {
            using Nfs3Client client = first.Connect();
            file = client.MustCreate(client.MustMount(ServedFileSystem.Path), "file");
            Assert.Equal(Granted, Ask(client, Lock, file, 1, 0, 10)); // nobody held locks before: no grace
        }
        using (ServedFileSystem second = Serve())
        {
            using Nfs3Client client = second.Connect();
            Assert.Equal(DeniedGracePeriod, Ask(client, Lock, file, 2, 5, 10));
            Assert.Equal(Granted, Ask(client, Lock, file, 1, 0, 10, reclaim: true));
        }
        using (ServedFileSystem third = Serve())
        {
            using Nfs3Client client = third.Connect();
            Assert.Equal(DeniedGracePeriod, Ask(client, Lock, file, 2, 5, 10));
        }
    }

    [Fact]
    public void Without_a_status_monitor_nobody_is_waited_for()
    {
        for (int i = 0; i < 2; i++)
        {
            using ServedFileSystem served = Serve(options => options.Nsm = NsmMode.None);
            using Nfs3Client client = served.Connect();
            byte[] root = client.MustMount(ServedFileSystem.Path);
            byte[] file = i == 0 ? client.MustCreate(root, "file") : client.Lookup(root, "file"u8).Handle;
            Assert.Equal(Granted, Ask(client, Lock, file, 1, 0, 10));
        }
    }

    [Fact]
    public void Turned_off_there_is_no_lock_manager()
    {
        using var served = new ServedFileSystem(_fileSystem, configure: options => options.Locks = false);
        using Nfs3Client client = served.Connect();
        RpcAnswer answer = client.Rpc.Call(Nlm, 4, 0, []);
        Assert.Equal((true, 1u), (answer.IsAccepted, answer.Status)); // PROG_UNAVAIL
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_of_NFSv4_that_is_silent_gives_way_to_NLM_and_to_programs_of_this_machine(bool isProgram)
    {
        var time = new FakeTimeProvider();
        await using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = time });
        using var served = new ServedFileSystem(_fileSystem, configure: options => options.System = system);
        using var silent = new Nfs41Client(served.Server.EndPoints[0], "silent");
        (byte[] handle, byte[] open, _) = silent.MustOpen(silent.Root("export"), "file");
        Assert.Equal(0u, silent.TryLock(handle, open, "owner").Status);
        string path = Path.Combine(_directory.Path, "file");
        using (Nfs3Client rival = served.Connect())
            Assert.Equal(Denied, Ask(rival, Lock, rival.Lookup(rival.MustMount(ServedFileSystem.Path), "file"u8).Handle, 1, 0, 10));
        using var program = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        Assert.Throws<IOException>(() => program.Lock(5, 10));

        time.Advance(TimeSpan.FromSeconds(120));
        if (isProgram)
        {
            await served.Server.Nfs4.Queue.FlushAsync();
            program.Lock(0, 10);
            program.Unlock(0, 10);
        }
        using (Nfs3Client rival = served.Connect())
        {
            byte[] file = rival.Lookup(rival.MustMount(ServedFileSystem.Path), "file"u8).Handle;
            Assert.Equal(Granted, Ask(rival, Lock, file, 1, 0, 10));
            Assert.Throws<IOException>(() => program.Lock(5, 10));
        }
    }

    private ServedFileSystem Serve(Action<NfsServerOptions>? configure = null) => new(_fileSystem, configure: options =>
    {
        options.StateDirectory = _state.Path;
        options.Grace = TimeSpan.FromHours(1);
        configure?.Invoke(options);
    });

    /// <summary>A call of NLM version 4; the status of its result.</summary>
    private static uint Ask(Nfs3Client client, uint procedure, byte[] file, uint pid, ulong offset, ulong length, bool exclusive = true, bool reclaim = false)
    {
        XdrBytes arguments = new XdrBytes().Opaque("cook"u8);
        if (procedure == Lock)
            arguments.Bool(false).Bool(exclusive);
        else if (procedure == Test)
            arguments.Bool(exclusive);
        arguments.Opaque("here"u8).Opaque(file).Opaque("owner"u8).U32(pid).U64(offset).U64(length);
        if (procedure == Lock)
            arguments.Bool(reclaim).U32(1);
        RpcAnswer answer = client.Rpc.Call(Nlm, 4, procedure, arguments.ToArray());
        Assert.Equal((true, 0u), (answer.IsAccepted, answer.Status));
        Assert.Equal("cook"u8, answer.Body.Opaque());
        return answer.Body.U32();
    }
}
