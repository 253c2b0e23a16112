namespace Kworker;

/// <summary>Says of a thread whether it sleeps.</summary>
internal sealed class ThreadProbe
{
    private readonly Thread _thread;
    private readonly string? _path;

    /// <summary>Of the calling thread.</summary>
    internal ThreadProbe()
    {
        _thread = Thread.CurrentThread;
        Id = OsThread.CurrentId;
        if (Id != 0)
            _path = $"/proc/self/task/{Id}/stat";
    }

    /// <summary>Its number in the operating system; 0 where there is no asking.</summary>
    internal int Id { get; }

    /// <summary>In a wait of the runtime, or, where the operating system tells (Linux), in any system call that sleeps. From any thread.</summary>
    internal bool IsAsleep => (_thread.ThreadState & ThreadState.WaitSleepJoin) != 0 || (_path is not null && IsAsleepToTheSystem(_path));

    private static bool IsAsleepToTheSystem(string path)
    {
        try
        {
            using Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle(path);
            Span<byte> text = stackalloc byte[256];
            text = text[..RandomAccess.Read(file, text, 0)];
            // number (name) state ...: the name may contain anything.
            int end = text.LastIndexOf((byte)')');
            return end >= 0 && end + 2 < text.Length && text[end + 2] is (byte)'S' or (byte)'D';
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // it has ended, or nobody says: it counts as running
        }
    }
}
