namespace Kworker.Tests.Guide;

public sealed class FireAndForgetTests : GuideTests
{
    [Fact]
    public async Task All_mail_is_sent_or_its_failure_logged_before_the_mailer_is_gone()
    {
        var log = new List<string>();
        int sent = 0;
        await using (var mailer = new Mailer(e => log.Add(e.Message)))
        {
            for (int i = 0; i < 100; i++)
                mailer.Send(new Message(() => Interlocked.Increment(ref sent)));
            mailer.Send(new Message(() => throw new IOException("no such mailbox")));
        }

        Assert.Equal(100, sent);
        Assert.Equal(["no such mailbox"], log);
    }

    // guide: fire-and-forget
    public sealed class Mailer : IAsyncDisposable
    {
        private readonly Workqueue _queue = new("mail", new WorkqueueOptions { MaxActive = 4 });

        public Mailer(Action<Exception> log) => _queue.UnhandledException += (_, e) => log(e.Exception);

        public void Send(Message message) => _queue.Queue(new Work<Message>(message, static message => message.Send()));

        public ValueTask DisposeAsync() => _queue.DisposeAsync(); // all that was queued is sent first
    }
    // guide end

    public sealed class Message(Action send)
    {
        public void Send() => send();
    }
}
