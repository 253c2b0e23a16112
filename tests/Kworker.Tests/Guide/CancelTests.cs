namespace Kworker.Tests.Guide;

public sealed class CancelTests : GuideTests
{
    [Fact]
    public async Task Nobody_writes_to_the_stream_once_it_is_closed()
    {
        for (int i = 0; i < 200; i++)
        {
            var stream = new MemoryStream();
            using var queue = new Workqueue("cancel");
            var errors = new List<Exception>();
            queue.UnhandledException += (_, e) => errors.Add(e.Exception);
            var connection = new Connection(queue, stream);
            connection.Ping();
            await connection.DisposeAsync();
            Assert.False(stream.CanWrite);
            await queue.DrainAsync();
            Assert.Empty(errors);
        }
    }

    // guide: cancel
    public sealed class Connection : IAsyncDisposable
    {
        private readonly Workqueue _queue;
        private readonly Stream _stream;
        private readonly Work<Connection> _ping;

        public Connection(Workqueue queue, Stream stream)
        {
            _queue = queue;
            _stream = stream;
            _ping = new Work<Connection>(this, static connection => connection._stream.WriteByte(0));
        }

        public void Ping() => _queue.Queue(_ping);

        public async ValueTask DisposeAsync()
        {
            await _ping.CancelSyncAsync();
            await _stream.DisposeAsync(); // no run is under way, and none will come
        }
    }
    // guide end
}
