namespace Kworker.StatePage.Tests;

/// <summary>A program that has something of everything to do, for pictures.</summary>
internal sealed class PostOffice : IAsyncDisposable
{
    private readonly KworkerSystem _system;
    private readonly Workqueue _letters;
    private readonly Workqueue _parcels;
    private readonly Workqueue _archive;
    private readonly Workqueue _urgent;
    private readonly KthreadWorker _scales;
    private readonly Kthread _doorman;
    private readonly Completion _closing = new();
    private readonly DelayedWork<PostOffice> _round;
    private readonly Random _random = new(7);
    private int _rounds;

    public PostOffice(KworkerSystem system)
    {
        _system = system;
        _letters = new Workqueue("letters", new() { MaxActive = 4 }, system);
        _parcels = new Workqueue("parcels", new() { MaxActive = 4 }, system);
        _archive = Workqueue.Ordered("archive", system);
        _urgent = new Workqueue("urgent", new() { HighPriority = true }, system);
        _scales = new KthreadWorker("scales", system);
        _doorman = Kthread.Run(static office =>
        {
            office._closing.Wait();
            return 0;
        }, this, "doorman", system);
        _round = new DelayedWork<PostOffice>(this, GoRound);
        foreach (double hours in new[] { 0.02, 0.03, 0.05, 0.2, 0.21, 0.22, 0.25, 0.5, 0.8, 1.5, 1.6, 2, 3, 6, 12, 30 })
            _archive.Queue(new DelayedWork<PostOffice>(this, Shelve), TimeSpan.FromHours(hours));
        for (int i = 0; i < 240; i++)
            _letters.Queue(new DelayedWork<PostOffice>(this, Deliver), TimeSpan.FromSeconds(4 + i / 8.0));
        _parcels.Queue(new Work<PostOffice>(this, AwaitCustomsAsync));
        _archive.Queue(new Work<PostOffice>(this, WaitForParcels));
        _letters.Queue(_round, TimeSpan.FromMilliseconds(30));
        UserModeHelper.Call("/bin/true", ["true"], [], HelperWait.WaitProc);
        var helpers = new Work<PostOffice>(this, PrintLabels);
        _parcels.Queue(helpers);
    }

    public async ValueTask DisposeAsync()
    {
        await _round.DisableSyncAsync();
        _closing.CompleteAll();
        _doorman.Stop();
        foreach (Workqueue queue in new[] { _letters, _parcels, _archive, _urgent })
            await queue.DisposeAsync();
        _scales.Dispose();
    }

    private static void PrintLabels(PostOffice office)
    {
        UserModeHelper.Call("/usr/bin/env", ["env"], [], HelperWait.WaitProc);
        UserModeHelper.Call("/bin/sh", ["sh", "-c", "exit 3"], [], HelperWait.WaitProc);
        UserModeHelper.Call("/usr/sbin/label-printer", ["label-printer"], [], HelperWait.WaitProc);
    }

    private static void GoRound(PostOffice office) => office.HandOut();

    private void HandOut()
    {
        int many = 6 + (int)(5 * Math.Sin(_rounds++ / 9.0)) + _random.Next(4);
        for (int i = 0; i < many; i++)
            _letters.Queue(new Work<PostOffice>(this, Sort));
        for (int i = 0; i < many / 3; i++)
            _parcels.Queue(new Work<PostOffice>(this, Weigh));
        if (_rounds % 7 == 0)
            _urgent.Queue(new Work<PostOffice>(this, SendTelegram));
        _letters.Queue(_round, TimeSpan.FromMilliseconds(25));
    }

    private static void Sort(PostOffice office) => office.Busy(0.4);

    private static void Weigh(PostOffice office) => office.Block(12);

    private static void Deliver(PostOffice office) => office.Busy(1);

    private static void Shelve(PostOffice office) => office.Block(2);

    private static void SendTelegram(PostOffice office) => office.Busy(0.2);

    private static void Hold(PostOffice office) => office._closing.Wait();

    private static void WaitForParcels(PostOffice office)
    {
        var last = new Work<PostOffice>(office, Hold);
        office._parcels.Queue(last);
        last.Flush();
    }

    private static async ValueTask AwaitCustomsAsync(PostOffice office, CancellationToken cancellationToken) => await office._closing.WaitAsync();

    private void Busy(double milliseconds)
    {
        long start = _system.TimeProvider.GetTimestamp();
        while (_system.TimeProvider.GetElapsedTime(start).TotalMilliseconds < milliseconds)
            Thread.SpinWait(50);
    }

    private void Block(int milliseconds)
    {
        using (Worker.Blocking())
            _closing.Wait(TimeSpan.FromMilliseconds(milliseconds));
    }
}
