using System.Runtime.Versioning;
using CsCheck;
using Kworker.Lockd.Locks;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.Lockd.Tests.Locks;

/// <summary>Owners of the table and programs of this machine see each other's locks.</summary>
[SupportedOSPlatform("linux")]
public sealed class LocalLocksTests : IAsyncDisposable
{
    private static readonly LockFileKey s_file = new("file"u8);
    private readonly string _path = Path.GetTempFileName();
    private readonly FakeTimeProvider _time = new();
    private readonly KworkerSystem _system;
    private readonly LocalFiles _files;
    private readonly LockTable _table;
    private readonly TestOwner _owner = new(1);

    public LocalLocksTests()
    {
        _files = new LocalFiles(_path);
        _system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = _time });
        _table = new LockTable(new LockTableOptions { LocalFiles = _files, System = _system });
    }

    public async ValueTask DisposeAsync()
    {
        await _table.DisposeAsync();
        await _system.DisposeAsync();
        File.Delete(_path);
    }

    [Fact]
    public void The_local_file_holds_the_union_of_all_owners_locks() => ModelSteps.Sample(RunModel, iter: ModelRun.Times(500));

    [Fact]
    public async Task A_program_of_this_machine_is_named_by_its_process()
    {
        await using LockHolder program = await LockHolder.StartAsync(_path);
        await program.AskAsync("write 10 5", "ok");
        Assert.Equal(LockOutcome.Denied, _table.Lock(s_file, _owner, LockKind.Read, new LockRange(0, 99), out LockConflict conflict));
        Assert.Equal(new LockConflict(null, program.Pid, LockKind.Write, new LockRange(10, 14)), conflict);
        Assert.Equal(program.Pid, conflict.Svid);
        Assert.False(_table.Test(s_file, _owner, LockKind.Write, new LockRange(14, 14), out conflict));
        Assert.Equal(program.Pid, conflict.LocalPid);
        Assert.Equal(LockOutcome.Granted, _table.Lock(s_file, _owner, LockKind.Write, new LockRange(0, 9), out _));
        Assert.Equal(1, _files.Opened - 2); // the two before held nothing afterwards
    }

    [Fact]
    public async Task A_program_of_this_machine_is_refused_what_an_owner_holds()
    {
        await using LockHolder program = await LockHolder.StartAsync(_path);
        var other = new TestOwner(2);
        _table.Lock(s_file, _owner, LockKind.Read, new LockRange(0, 9), out _);
        _table.Lock(s_file, other, LockKind.Read, new LockRange(5, 14), out _);
        await program.AskAsync("read 0 20", "ok");
        await program.AskAsync("unlock 0 20", "ok");
        await program.AskAsync("write 14 1", "denied");
        _table.Unlock(s_file, _owner, LockRange.All);
        await program.AskAsync("write 0 5", "ok"); // only the first owner had these
        await program.AskAsync("write 5 1", "denied"); // the second has this one still
        _table.Unlock(s_file, other, LockRange.All);
        Assert.Equal(0, _table.FileCount);
        Assert.True(_files.Last!.IsClosed);
        await program.AskAsync("write 0 0", "ok");
    }

    [Fact]
    public async Task A_request_waits_for_a_program_of_this_machine()
    {
        await using LockHolder program = await LockHolder.StartAsync(_path);
        await program.AskAsync("write 0 10", "ok");
        var request = new TestRequest(s_file, _owner, LockKind.Write, new LockRange(0, 9));
        Assert.Equal(LockOutcome.Blocked, _table.Lock(request, out LockConflict conflict));
        Assert.Equal(program.Pid, conflict.LocalPid);
        // While the program holds it, looks find it so.
        for (int i = 0; i < 3; i++)
            _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(request.IsGranted);
        await program.AskAsync("unlock 0 10", "ok");
        await AdvanceUntilAsync(request.Told);
        Assert.True(request.IsGranted);
        await program.AskAsync("write 0 10", "denied");
    }

    [Fact]
    public async Task Who_cancels_waiting_for_a_program_leaves_nothing_behind()
    {
        await using LockHolder program = await LockHolder.StartAsync(_path);
        await program.AskAsync("write 0 10", "ok");
        var request = new TestRequest(s_file, _owner, LockKind.Write, new LockRange(0, 9));
        Assert.Equal(LockOutcome.Blocked, _table.Lock(request, out _));
        Assert.True(_table.Cancel(request));
        Assert.Equal(0, _table.FileCount);
        Assert.True(_files.Last!.IsClosed);
        var another = new TestRequest(s_file, _owner, LockKind.Write, new LockRange(0, 9));
        Assert.Equal(LockOutcome.Blocked, _table.Lock(another, out _));
        _table.ReleaseOwner(_owner);
        Assert.Equal(0, _table.FileCount);
        Assert.True(_owner.IsIdle);
    }

    [Fact]
    public async Task A_program_that_dies_lets_go()
    {
        LockHolder program = await LockHolder.StartAsync(_path);
        await program.AskAsync("write 0 10", "ok");
        Assert.Equal(LockOutcome.Denied, _table.Lock(s_file, _owner, LockKind.Write, LockRange.All, out _));
        await program.DisposeAsync();
        Assert.Equal(LockOutcome.Granted, _table.Lock(s_file, _owner, LockKind.Write, LockRange.All, out _));
    }

    [Fact]
    public void A_file_that_cannot_be_opened_now_is_not_locked()
    {
        _files.Failure = new IOException("Too many open files");
        Assert.Equal(LockOutcome.NoLocks, _table.Lock(s_file, _owner, LockKind.Read, LockRange.All, out _));
        Assert.True(_owner.IsIdle);
        Assert.Equal(0, _table.FileCount);
    }

    [Fact]
    public async Task A_file_that_can_only_be_read_is_locked_against_writers_at_least()
    {
        _files.CanWrite = false;
        await using LockHolder program = await LockHolder.StartAsync(_path);
        Assert.Equal(LockOutcome.Granted, _table.Lock(s_file, _owner, LockKind.Write, LockRange.All, out _));
        await program.AskAsync("write 0 10", "denied");
        await program.AskAsync("read 0 10", "ok");
    }

    [Fact]
    public void What_the_kernel_has_no_offsets_for_is_locked_in_the_table_alone()
    {
        Assert.Equal(LockOutcome.Granted, _table.Lock(s_file, _owner, LockKind.Write, new LockRange(1UL << 63, ulong.MaxValue), out _));
        using LocalLocks program = LocalFiles.Open(_path);
        Assert.True(program.Test(LockKind.Write, LockRange.All, out _));
        Assert.Equal(LockOutcome.Granted, _table.Lock(s_file, _owner, LockKind.Write, new LockRange(100, 1UL << 63), out _));
        Assert.False(program.Test(LockKind.Write, LockRange.All, out LockConflict conflict));
        Assert.Equal(new LockRange(100, ulong.MaxValue), conflict.Range);
    }

    private async Task AdvanceUntilAsync(Completion completion)
    {
        // The next look is planned when the last one is over, on a worker: time is moved until then.
        while (!completion.IsDone)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
    }

    private const int Owners = 4; // the last is a program of this machine
    private const int Program = Owners - 1;
    private const int Bytes = 16;

    private static readonly Gen<(int What, int Owner, LockKind Kind, int Start, int Length)[]> ModelSteps =
        Gen.Select(
            Gen.Int[0, 9], Gen.Int[0, Owners - 1], Gen.Bool, Gen.Int[0, Bytes - 1], Gen.Int[1, 10],
            (what, owner, write, start, length) => (what, owner, write ? LockKind.Write : LockKind.Read, start, length)).Array[1, 50];

    private static void RunModel((int What, int Owner, LockKind Kind, int Start, int Length)[] steps)
    {
        string path = Path.GetTempFileName();
        using LocalLocks program = LocalFiles.Open(path);
        using LocalLocks observer = LocalFiles.Open(path);
        try
        {
            var table = new LockTable(new LockTableOptions { LocalFiles = new LocalFiles(path) });
            var model = new ByteModel(Owners, Bytes, 1);
            TestOwner[] owners = [.. Enumerable.Range(0, Program).Select(number => new TestOwner(number))];
            foreach ((int what, int owner, LockKind kind, int start, int length) in steps)
            {
                int end = Math.Min(Bytes - 1, start + length - 1);
                var range = new LockRange((ulong)start, (ulong)end);
                bool isFree = model.Conflicts(0, owner, kind, start, end).Count == 0;
                if (what < 4)
                {
                    if (owner == Program)
                        program.Clear(range);
                    else
                        table.Unlock(s_file, owners[owner], range);
                    model.Set(0, owner, null, start, end);
                    continue;
                }
                LockOutcome outcome = owner == Program
                    ? program.Set(kind, range, out LockConflict conflict)
                    : table.Lock(s_file, owners[owner], kind, range, out conflict);
                Assert.Equal(isFree ? LockOutcome.Granted : LockOutcome.Denied, outcome);
                if (isFree)
                    model.Set(0, owner, kind, start, end);
                AssertUnion(model, observer);
            }
            foreach (TestOwner owner in owners)
                table.ReleaseOwner(owner);
            program.Clear(LockRange.All);
            Assert.True(observer.Test(LockKind.Write, LockRange.All, out _));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static void AssertUnion(ByteModel model, LocalLocks observer)
    {
        const int nobody = -1;
        for (int at = 0; at < Bytes; at++)
        {
            var one = new LockRange((ulong)at, (ulong)at);
            Assert.Equal(model.Conflicts(0, nobody, LockKind.Read, at, at).Count == 0, observer.Test(LockKind.Read, one, out _));
            Assert.Equal(model.Conflicts(0, nobody, LockKind.Write, at, at).Count == 0, observer.Test(LockKind.Write, one, out _));
        }
    }
}
