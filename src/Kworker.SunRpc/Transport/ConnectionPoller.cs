using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Kworker.SunRpc;

/// <summary>
/// Waits for bytes on all connections of a server that nobody reads, and for room on those whose client reads slowly, and looks after those whose reader runs a call itself, or
/// whose replies wait to be sent: one thread, which never reads nor runs calls, and so is never held up.
/// </summary>
/// <remarks>
/// <para>On Linux it is the only one who waits: a connection that a worker reads is not in the wait, so what arrives wakes that worker alone. Elsewhere
/// the runtime's sockets wait, and readers run no calls. (On Linux the runtime must not wait for a socket even once: it would be
/// told of whatever comes from then on, too, and each time wake two threads.)</para>
/// <para>Wake-up argument: <see cref="Arm"/> comes after the reader has given the connection away, and epoll looks at the socket when it is armed: bytes
/// that came before are told, too. So it is with <see cref="ArmWritable"/>, which the sender calls after it has said that it waits; the end of a connection is told as room. Who begins to be watched while nobody else is signals the counter, which ends a wait that has no end.</para>
/// </remarks>
internal sealed class ConnectionPoller : IAsyncDisposable
{
    /// <summary>How long a worker waits for the next call of a connection that it has just served, before it lets others wait for it, in microseconds.</summary>
    public const int LingerTime = 2_000;

    private const int MostLingering = 16;
    private const int Period = 2; // milliseconds: a reader that runs one call for one to two of these is relieved
    private const int EventsAtOnce = 64;
    private const long CounterId = 0;
    private const long WritableId = -1;

    private readonly string _name;
    private readonly Action<Exception> _failed;
    private readonly int _maximumLingering;
    private readonly Lock _lock = new();
    private readonly Dictionary<long, TcpConnection> _connections = []; // _lock
    private readonly List<TcpConnection> _watched = []; // _lock
    private readonly Completion _ended = new();
    private SafeFileHandle? _epoll; // made under _lock, then not changed
    private SafeFileHandle? _counter; // likewise
    private SafeFileHandle? _writable; // likewise; waits for room, and is waited for by the first
    private long _lastId; // _lock; from 1
    private int _lingering; // interlocked
    private int _isSpinning; // interlocked; one of those that linger looks instead of sleeping
    private volatile bool _isStopping;

    /// <param name="name">Names the thread.</param>
    /// <param name="maximumCalls">Calls that run at once: few of these places may be taken by those that wait.</param>
    /// <param name="failed">Told of what should not happen.</param>
    public ConnectionPoller(string name, int maximumCalls, Action<Exception> failed)
    {
        _name = name;
        _failed = failed;
        _maximumLingering = Math.Min(MostLingering, maximumCalls / 4);
    }

    /// <summary>Whether readers may run calls themselves, as they are relieved when that takes long.</summary>
    public static bool IsRelieving => OperatingSystem.IsLinux();

    /// <summary>Makes a connection known. Nobody waits for it yet.</summary>
    /// <exception cref="IOException">There is no descriptor left.</exception>
    public void Add(TcpConnection connection)
    {
        if (!OperatingSystem.IsLinux())
            return;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isStopping, this);
            Start();
            connection.PollId = ++_lastId;
            _connections.Add(connection.PollId, connection);
        }
        Epoll.Add(_epoll!, connection.Socket.SafeHandle, connection.PollId);
        Epoll.Add(_writable!, connection.Socket.SafeHandle, connection.PollId);
    }

    /// <summary>Forgets a connection. Before its socket is closed.</summary>
    public void Remove(TcpConnection connection)
    {
        lock (_lock)
        {
            _connections.Remove(connection.PollId);
            _watched.Remove(connection);
        }
    }

    /// <summary>
    /// Has <see cref="TcpConnection.BecameReadable"/> called when there is something to read, or has been. By whoever has just given up the
    /// reading; somebody else may have taken it meanwhile, and is not harmed.
    /// </summary>
    public void Arm(TcpConnection connection)
    {
        if (!OperatingSystem.IsLinux())
        {
            _ = WaitAsync(connection);
            return;
        }
        try
        {
            Epoll.Arm(_epoll!, connection.Socket.SafeHandle, connection.PollId);
        }
        catch (ObjectDisposedException)
        {
            // Whoever took the reading over has come to the end, and closed it.
        }
    }

    /// <summary>Has <see cref="TcpConnection.BecameWritable"/> called when there is room to send, or the connection has ended. By its sender, as the last that it does.</summary>
    /// <exception cref="IOException">The kernel has no memory.</exception>
    [SupportedOSPlatform("linux")]
    public void ArmWritable(TcpConnection connection) => Epoll.ArmWritable(_writable!, connection.Socket.SafeHandle, connection.PollId);

    /// <summary>The connection's reader runs a call: it is watched until it is seen at rest.</summary>
    public void Watch(TcpConnection connection)
    {
        bool isFirst;
        lock (_lock)
        {
            if (connection.IsWatched)
                return;
            connection.IsWatched = true;
            isFirst = _watched.Count == 0;
            _watched.Add(connection);
        }
        if (isFirst && OperatingSystem.IsLinux())
            Epoll.Signal(_counter!);
    }

    /// <summary>Whether one more worker may wait for a socket. Then <see cref="EndLinger"/>.</summary>
    public bool TryBeginLinger()
    {
        if (Interlocked.Increment(ref _lingering) <= _maximumLingering)
            return true;
        Interlocked.Decrement(ref _lingering);
        return false;
    }

    /// <summary>The worker waits no longer.</summary>
    public void EndLinger() => Interlocked.Decrement(ref _lingering);

    /// <summary>Whether one of those that wait may do so awake: no more than one processor is spent on it. Then <see cref="EndSpin"/>.</summary>
    public bool TryBeginSpin() => Volatile.Read(ref _isSpinning) == 0 && Interlocked.Exchange(ref _isSpinning, 1) == 0;

    /// <summary>The worker sleeps, or goes on.</summary>
    public void EndSpin() => Volatile.Write(ref _isSpinning, 0);

    /// <summary>Ends the thread. Once all connections are closed.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            if (_isStopping)
                return;
            _isStopping = true;
            if (_epoll is null)
                return;
        }
        if (OperatingSystem.IsLinux())
            Epoll.Signal(_counter!);
        await _ended.WaitAsync().ConfigureAwait(false);
        _epoll.Dispose();
        _counter!.Dispose();
        _writable!.Dispose();
    }

    private static async Task WaitAsync(TcpConnection connection)
    {
        try
        {
            await connection.Socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The reader will see it.
        }
        connection.BecameReadable();
    }

    // Under the lock.
    private void Start()
    {
        if (_epoll is not null || !OperatingSystem.IsLinux())
            return;
        SafeFileHandle epoll = Epoll.Create();
        try
        {
            _counter = Epoll.CreateEvent();
            Epoll.AddEvent(epoll, _counter, CounterId);
            _writable = Epoll.Create();
            Epoll.AddEvent(epoll, _writable, WritableId);
            _epoll = epoll;
            new Thread(static poller => ((ConnectionPoller)poller!).Run()) { IsBackground = true, Name = $"{_name}/poll" }.Start(this);
        }
        catch
        {
            _epoll = null;
            epoll.Dispose();
            _counter?.Dispose();
            _writable?.Dispose();
            throw;
        }
    }

    private void Run()
    {
        if (!OperatingSystem.IsLinux())
            return;
        long[] ids = new long[EventsAtOnce];
        var ready = new List<TcpConnection>();
        var relieved = new List<TcpConnection>();
        var late = new List<TcpConnection>();
        long lastLook = Stopwatch.GetTimestamp();
        while (!_isStopping)
        {
            try
            {
                bool isWatching;
                lock (_lock)
                    isWatching = _watched.Count > 0;
                int count = Epoll.Wait(_epoll!, ids, isWatching ? Period : Timeout.Infinite);
                bool isRoom = Find(ids.AsSpan(0, count), ready);
                foreach (TcpConnection connection in ready)
                    connection.BecameReadable();
                ready.Clear();
                if (isRoom)
                {
                    Find(ids.AsSpan(0, Epoll.Wait(_writable!, ids, milliseconds: 0)), ready); // what is left of it ends the next wait
                    foreach (TcpConnection connection in ready)
                        connection.BecameWritable();
                    ready.Clear();
                }
                if (Stopwatch.GetElapsedTime(lastLook).TotalMilliseconds < Period)
                    continue;
                lastLook = Stopwatch.GetTimestamp();
                Look(relieved, late);
                foreach (TcpConnection connection in relieved)
                    connection.AwaitBytes();
                foreach (TcpConnection connection in late)
                    TcpConnection.SendReady(connection);
                relieved.Clear();
                late.Clear();
            }
            catch (Exception exception)
            {
                // A fault of ours is not the end of all connections.
                _failed(exception);
            }
        }
        _ended.CompleteAll();
    }

    /// <summary>The connections that are meant; true when there is room on others.</summary>
    private bool Find(ReadOnlySpan<long> ids, List<TcpConnection> found)
    {
        bool isSignalled = false;
        bool isRoom = false;
        lock (_lock)
        {
            foreach (long id in ids)
            {
                isSignalled |= id == CounterId;
                isRoom |= id == WritableId;
                if (_connections.TryGetValue(id, out TcpConnection? connection))
                    found.Add(connection);
            }
        }
        if (isSignalled && OperatingSystem.IsLinux())
            Epoll.Clear(_counter!);
        return isRoom;
    }

    private void Look(List<TcpConnection> relieved, List<TcpConnection> late)
    {
        lock (_lock)
        {
            for (int i = _watched.Count - 1; i >= 0; i--)
            {
                TcpConnection connection = _watched[i];
                if (connection.IsAtRest)
                {
                    connection.IsWatched = false;
                    Interlocked.MemoryBarrier(); // who begins a call, or leaves replies to the item, says so, and then looks whether it is watched: one of us sees the other
                    if (connection.IsAtRest)
                    {
                        _watched.RemoveAt(i);
                        continue;
                    }
                    connection.IsWatched = true;
                }
                if (connection.TryRelieve())
                    relieved.Add(connection);
                if (connection.IsSenderLate())
                    late.Add(connection);
            }
        }
    }
}
