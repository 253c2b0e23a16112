namespace Kworker.Tests.UserModeHelpers;

/// <summary>Counts the callbacks of one call.</summary>
internal sealed class Callbacks
{
    private readonly Completion _init = new();
    private readonly Completion _cleanedUp = new();
    private int _inits;
    private int _cleanups;

    internal int InitResult { get; init; }

    internal Exception? InitThrows { get; init; }

    internal Exception? CleanupThrows { get; init; }

    internal int Inits => Volatile.Read(ref _inits);

    internal int Cleanups => Volatile.Read(ref _cleanups);

    internal async ValueTask<HelperStatus> Exec(string path, HelperWait wait, bool asynchronous, params string[] arguments)
    {
        UserModeHelperCall call = Setup(path, arguments);
        return asynchronous ? await call.ExecAsync(wait) : call.Exec(wait);
    }

    internal UserModeHelperCall Setup(string path, params string[] arguments) =>
        UserModeHelper.Setup(path, [path, .. arguments], HelperPrograms.Environment, Init, Cleanup);

    /// <summary>Waits until init is called.</summary>
    internal ValueTask InitAsync() => _init.WaitAsync();

    /// <summary>Waits for the cleanup, which comes last of all, and compares the counts.</summary>
    internal async ValueTask ExpectAsync(int inits, int cleanups)
    {
        await _cleanedUp.WaitAsync();
        Assert.Equal(inits, Inits);
        Assert.Equal(cleanups, Cleanups);
    }

    private int Init()
    {
        Interlocked.Increment(ref _inits);
        _init.Complete();
        return InitThrows is null ? InitResult : throw InitThrows;
    }

    private void Cleanup()
    {
        Interlocked.Increment(ref _cleanups);
        _cleanedUp.Complete();
        if (CleanupThrows is not null)
            throw CleanupThrows;
    }
}
