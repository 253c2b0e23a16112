using System.Diagnostics;

namespace Kworker.Stress;

/// <summary>What is left in the process when all systems have been disposed of: threads of ours, descriptors, objects.</summary>
internal static class Leaks
{
    /// <summary>Names of the threads that the library makes, and of those that the stress makes by it.</summary>
    private static readonly string[] s_names = ["kworker/", "umh-reaper", "st/"];
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    /// <summary>Open descriptors of the kinds that the library makes: pipes and nameless ones (process descriptors, epoll sets, event counters).</summary>
    internal static string[] Descriptors() =>
    [
        .. Directory.GetFiles("/proc/self/fd")
            .Select(static path => new FileInfo(path).LinkTarget ?? "")
            .Where(static target => target.StartsWith("pipe:", StringComparison.Ordinal)
                || target.StartsWith("pidfd:", StringComparison.Ordinal)
                || target.StartsWith("anon_inode:", StringComparison.Ordinal))
            .Select(static target => target.StartsWith("pipe:", StringComparison.Ordinal) ? "pipe" : target)
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>Names of threads of ours that are alive.</summary>
    internal static string[] Threads()
    {
        var names = new List<string>();
        foreach (string task in Directory.GetDirectories("/proc/self/task"))
        {
            try
            {
                string name = File.ReadAllText(Path.Combine(task, "comm")).TrimEnd();
                if (s_names.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal)))
                    names.Add(name);
            }
            catch (IOException)
            {
                // it has ended since it was listed
                continue;
            }
        }

        return [.. names];
    }

    /// <summary>
    /// Waits until a system that was disposed of knows of nothing that is alive, and says what it still knows of when patience ends. Its workers, and helpers that nobody
    /// waited for, end some time after it.
    /// </summary>
    internal static string? WaitUntilEmpty(KworkerSystem system)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            KworkerSnapshot snapshot = system.Snapshot();
            if (snapshot.Workqueues.Count == 0 && snapshot.Kthreads.Count == 0 && snapshot.Helpers.Count == 0 && snapshot.Waits.Count == 0
                && snapshot.Pools.All(static pool => pool is { Workers: 0, Threads.Count: 0, HasWaiting: false }))
            {
                return null;
            }

            if (Stopwatch.GetElapsedTime(start) > s_patience)
                return $"a system that was disposed of still knows of this:\n{snapshot}";
            Thread.Yield();
            Thread.Sleep(20);
        }
    }

    /// <summary>Waits until nothing is left, and says what still is when patience ends.</summary>
    /// <param name="descriptors">Those that there were before.</param>
    /// <param name="objects">What must be dead.</param>
    internal static string? Wait(string[] descriptors, List<(string Name, WeakReference Reference)> objects)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            string[] threads = Threads(), open = Descriptors();
            string[] alive = [.. objects.Where(static each => each.Reference.IsAlive).Select(static each => each.Name)];
            if (threads.Length == 0 && alive.Length == 0 && open.Length <= descriptors.Length)
                return null;
            if (Stopwatch.GetElapsedTime(start) > s_patience)
            {
                return $"left behind: threads [{string.Join(", ", threads)}], objects [{string.Join(", ", alive.Take(20))}] ({alive.Length} of {objects.Count}), "
                    + $"descriptors [{string.Join(", ", open)}] where there were [{string.Join(", ", descriptors)}]";
            }

            // Threads end some time after their system was disposed of: there is nothing to wait on but them.
            Thread.Yield();
            Thread.Sleep(20);
        }
    }
}
