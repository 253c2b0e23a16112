using System.Text;
using Kworker;

// A mailer, in small: each of the five primitives does a part of it and checks what came of it. It ends with 0 if all is as it should be, else with
// the number of what is not.
int failures = 0;
void Check(string what, bool holds)
{
    Console.WriteLine($"{(holds ? "ok      " : "NOT SO  ")}{what}");
    if (!holds)
        failures++;
}

using var mail = new Workqueue("mail", new WorkqueueOptions { MaxActive = 4 });

// Completions: say once that something is done; whoever waits for it, thread or async method, goes on.
{
    var connected = new Completion();
    Task login = LoginAsync(connected);
    connected.CompleteAll();
    await login;
    connected.Wait();
    Check("a completion lets an async method and a thread go", connected.IsDone);

    static async Task LoginAsync(Completion connected) => await connected.WaitAsync();
}

// Wait queues: sleep until a condition holds.
{
    var arrivals = new WaitQueue();
    int messages = 0;
    var deliver = new Work<Action>(
        () =>
        {
            Interlocked.Increment(ref messages);
            arrivals.WakeUpAll();
        },
        static deliver => deliver());
    for (int i = 0; i < 3; i++)
    {
        mail.Queue(deliver);
        await deliver.FlushAsync();
    }
    await arrivals.WaitEventAsync(() => Volatile.Read(ref messages) >= 3);
    WaitResult fourth = arrivals.WaitEvent(() => Volatile.Read(ref messages) >= 4, TimeSpan.FromMilliseconds(10));
    Check("a wait for a condition ends when it holds, and one for another when its time is over", messages == 3 && !fourth);
}

// Kthreads: a thread that is told to stop, and gives a result.
{
    var mailbox = new Mailbox();
    Kthread reader = Kthread.Run(static mailbox => mailbox.Read(), mailbox, "mail-reader");
    mailbox.Put(3);
    mailbox.Empty.Wait();
    Check("a kthread does its work, stops when it is asked to, and gives its result", await reader.StopAsync() == 3);

    var entered = new Completion();
    Kthread sleeper = Kthread.Run(
        static async entered =>
        {
            entered.Complete();
            await new WaitQueue().WaitEventAsync(static () => Kthread.ShouldStop);
            return 42;
        },
        entered,
        "mail-sleeper");
    entered.Wait();
    Check("one that awaits, too", sleeper.Stop() == 42);
}

// Workqueues, plain and async work, and delayed work.
{
    var outbox = new Outbox();
    var send = new DelayedWork<Outbox>(outbox, static outbox => outbox.Send());
    for (int i = 0; i < 10; i++)
    {
        outbox.Add();
        mail.Modify(send, TimeSpan.FromHours(1)); // ten times an hour from now: once
    }
    mail.Modify(send, TimeSpan.FromMilliseconds(5));
    await outbox.Sent.WaitAsync();
    Check("what is put off again and again runs once, with all that came meanwhile", outbox.Sends == 1 && outbox.Last == 10);

    mail.Queue(send, TimeSpan.FromHours(1));
    Check("after a cancel it is neither pending nor running", await send.CancelSyncAsync() && send.Busy == WorkBusy.None && outbox.Sends == 1);

    var answers = new Completion();
    var fetch = new Work<Completion>(
        answers,
        static async (answers, cancellationToken) =>
        {
            await answers.WaitAsync(cancellationToken);
            await Task.Yield();
        });
    mail.Queue(fetch);
    answers.Complete();
    await fetch.FlushAsync();
    Check("an async work function is over when its task is", fetch.Busy == WorkBusy.None && !answers.IsDone);

    string? reported = null;
    mail.UnhandledException += (_, e) => reported = e.Exception.Message;
    mail.Queue(new Work<string>("no such mailbox", static message => throw new InvalidOperationException(message)));
    await mail.DrainAsync();
    Check("an exception harms no worker, and is reported", reported == "no such mailbox");
}

// Helpers: programs, without a shell or a thread that waits.
{
    UserModeHelperCall count = UserModeHelper.Setup(
        "/usr/bin/wc",
        ["wc", "-c"],
        [],
        new HelperOptions { StandardInput = Encoding.UTF8.GetBytes("five primitives"), StandardOutputLimit = 100, WorkingDirectory = "/usr" });
    HelperStatus status = await count.ExecAsync(HelperWait.WaitProc);
    Check("a helper reads what it is given, and what it writes comes back", status.IsSuccess && count.StandardOutput.ToString() == "15\n");

    UserModeHelperCall uninterested = UserModeHelper.Setup("/bin/true", ["true"], [], new HelperOptions { StandardInput = new byte[1_000_000] });
    Check("one that does not read is no harm", uninterested.Exec(HelperWait.WaitProc).IsSuccess);
    status = UserModeHelper.Call("/nowhere/program", ["program"], [], HelperWait.WaitProc);
    Check($"one that is not there {status}", status.IsExecError && status.Errno == Errno.ENOENT);
}

return failures;

/// <summary>What the kthread reads.</summary>
internal sealed class Mailbox
{
    private readonly WaitQueue _arrivals = new();
    private int _unread;

    internal Completion Empty { get; } = new();

    internal void Put(int messages)
    {
        Volatile.Write(ref _unread, messages);
        _arrivals.WakeUp();
    }

    internal int Read()
    {
        int read = 0;
        while (true)
        {
            // A kthread that is asked to stop is woken to see it.
            _arrivals.WaitEvent(() => Volatile.Read(ref _unread) > 0 || Kthread.ShouldStop);
            if (Kthread.ShouldStop)
                return read;
            read++;
            if (Interlocked.Decrement(ref _unread) == 0)
                Empty.Complete();
        }
    }
}

/// <summary>What is to be sent, and how often it was.</summary>
internal sealed class Outbox
{
    private int _waiting;

    internal Completion Sent { get; } = new();

    internal int Sends { get; private set; }

    internal int Last { get; private set; }

    internal void Add() => Interlocked.Increment(ref _waiting);

    internal void Send()
    {
        Last = Interlocked.Exchange(ref _waiting, 0);
        Sends++;
        Sent.Complete();
    }
}
