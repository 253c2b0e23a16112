using System.Net.Sockets;
using Kworker.Interop.Wire;

namespace Kworker.Interop.Crash;

/// <summary>
/// A client: comes to each life of the server, takes back what it held, checks what it wrote, and then opens, locks and writes until the server is gone.
/// Whatever the server answers is held against what it has promised before.
/// </summary>
internal abstract class CrashClient(CrashRun run, int number, int seed)
{
    protected const int LockFiles = 3;
    protected const int LockSlots = 8;
    protected const ulong LockSize = 10;

    // How long a client waits that was told to come again: it need not be, but the server has better things to do.
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(5);

    protected CrashRun Run { get; } = run;

    protected Random Random { get; } = new(seed);

    protected FileModel Data { get; } = new(number);

    protected string Name { get; } = $"crash-{number}";

    /// <summary>The file that this client alone writes.</summary>
    public string DataFile { get; } = $"data-{number}";

    /// <summary>Names that the server has said to have made.</summary>
    public List<string> Made { get; } = [];

    /// <summary>Whether others may be denied the file of this client while it has it open.</summary>
    public virtual bool HasOpens => false;

    public override string ToString() => $"client {number}";

    /// <summary>Whether nobody may get anything new yet, because this client was in the record at the start and may come back.</summary>
    public abstract bool IsWaitedFor(CrashLife life);

    /// <summary>Before a life begins.</summary>
    /// <param name="isRecordSure">Whether the record will be kept as it should: no helper is killed.</param>
    public abstract void BeginLife(bool isRecordSure);

    /// <summary>After a life has ended.</summary>
    /// <param name="life">The life.</param>
    /// <param name="stayedAway">Whether this client was not there.</param>
    /// <param name="isRecordSure">Whether the record was kept as it should.</param>
    public abstract void EndLife(CrashLife life, bool stayedAway, bool isRecordSure);

    /// <summary>Lives with the server until that is gone.</summary>
    public async Task LiveAsync(CrashLife life)
    {
        try
        {
            await ComeAsync(life);
            while (true)
                await StepAsync(life);
        }
        catch (Exception exception) when (exception is SocketException or IOException)
        {
            if (!life.IsEnding)
                throw new InvalidDataException($"{this} lost its connection, and nobody has crashed the server: {exception.Message}", exception);
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>What is on disk when the server is gone for good.</summary>
    public void CheckDisk()
    {
        Data.Check(0, FileModel.Slots, File.ReadAllBytes(Path.Combine(Run.Export, DataFile)), afterCrash: true);
        foreach (var name in Made)
            Require(File.Exists(Path.Combine(Run.Export, name)), $"{name} was made, and is not there");
    }

    /// <summary>Connects, and takes back what it had.</summary>
    protected abstract Task ComeAsync(CrashLife life);

    protected abstract void Leave();

    protected abstract Task<(RawNfs.Stable Committed, ulong Verifier)> WriteAsync(CrashLife life, ulong offset, byte[] data, RawNfs.Stable stable);

    protected abstract Task<ulong> CommitAsync(CrashLife life, ulong offset, uint count);

    protected abstract Task<byte[]> ReadAsync(CrashLife life, ulong offset, uint count);

    /// <summary>Whether it can write to its file.</summary>
    protected abstract Task<bool> HasDataAsync(CrashLife life);

    protected abstract Task LockAsync(CrashLife life, Holdable what);

    protected abstract Task UnlockAsync(CrashLife life, Holdable what);

    /// <summary>Something that only this kind of client does.</summary>
    protected abstract Task OtherStepAsync(CrashLife life);

    protected void Require(bool isSo, string otherwise)
    {
        if (!isSo)
            throw new InvalidDataException($"{this}: {otherwise}");
    }

    protected static Task PauseAsync() => Task.Delay(s_pause);

    protected Task ReadAllAsync(CrashLife life, bool afterCrash) => CheckAsync(life, 0, FileModel.Slots, afterCrash);

    /// <summary>After a restart: what is on disk is checked, and what is not known to be is sent again, as the verifier says, and committed.</summary>
    protected async Task CheckAndResendAsync(CrashLife life)
    {
        await ReadAllAsync(life, afterCrash: true);
        var verifier = await CommitAsync(life, 0, 0);
        life.See(verifier);
        Data.Committed(0, FileModel.Slots, verifier);
        foreach (var (slot, bytes) in Data.ToResend(verifier))
        {
            var (committed, of) = await WriteAsync(life, FileModel.OffsetOf(slot), bytes, RawNfs.Stable.Unstable);
            life.See(of);
            Data.Answered(slot, 1, committed, of);
            life.Counts.Add("slots sent again");
        }
        verifier = await CommitAsync(life, 0, 0);
        life.See(verifier);
        Data.Committed(0, FileModel.Slots, verifier);
        await ReadAllAsync(life, afterCrash: false);
    }

    private async Task StepAsync(CrashLife life)
    {
        var what = Random.Next(100);
        if (what < 60)
            await DataStepAsync(life, what);
        else if (what < 78)
            await LockAsync(life, SomeRange());
        else if (what < 90)
            await UnlockOneAsync(life);
        else
            await OtherStepAsync(life);
    }

    private Holdable SomeRange() => new($"lock-{Random.Next(LockFiles)}", Random.Next(LockSlots));

    private async Task UnlockOneAsync(CrashLife life)
    {
        var held = Run.Ledger.HeldBy(this).Where(held => held.Slot is not null).ToList();
        if (held.Count == 0)
            return;
        var what = held[Random.Next(held.Count)];
        Run.Ledger.Drop(this, what);
        await UnlockAsync(life, what);
    }

    private async Task DataStepAsync(CrashLife life, int what)
    {
        if (!await HasDataAsync(life))
            return;
        var first = Random.Next(FileModel.Slots);
        var count = 1 + Random.Next(Math.Min(4, FileModel.Slots - first));
        if (what < 40)
        {
            var stable = what < 14 ? RawNfs.Stable.FileSync : what < 18 ? RawNfs.Stable.DataSync : RawNfs.Stable.Unstable;
            var (committed, verifier) = await WriteAsync(life, FileModel.OffsetOf(first), Data.Send(first, count), stable);
            life.See(verifier);
            Require(committed >= stable, $"{stable} was asked for, and answered {committed}");
            Data.Answered(first, count, committed, verifier);
            life.Counts.Add($"writes {stable}");
        }
        else if (what < 50)
        {
            var whole = Random.Next(2) == 0;
            if (whole)
                (first, count) = (0, FileModel.Slots);
            var verifier = await CommitAsync(life, FileModel.OffsetOf(first), whole ? 0 : (uint)(count * FileModel.SlotSize));
            life.See(verifier);
            Data.Committed(first, count, verifier);
            life.Counts.Add("commits");
        }
        else
        {
            await CheckAsync(life, first, count, afterCrash: false);
        }
    }

    private async Task CheckAsync(CrashLife life, int first, int count, bool afterCrash)
    {
        var read = await ReadAsync(life, FileModel.OffsetOf(first), (uint)(count * FileModel.SlotSize));
        Data.Check(first, count, read, afterCrash || life.IsEnding);
        life.Counts.Add("reads");
    }
}
