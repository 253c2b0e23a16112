using System.Globalization;

namespace Kworker.Tests.UserModeHelpers;

/// <summary>What /proc says of this process and its children.</summary>
internal static class HelperProcesses
{
    /// <summary>Open pidfds, epoll sets and eventfds.</summary>
    internal static int KernelObjects => new DirectoryInfo("/proc/self/fd").EnumerateFileSystemInfos()
        .Count(entry => entry.LinkTarget is { } target
            && (target.StartsWith("anon_inode:[", StringComparison.Ordinal) || target.StartsWith("pidfd:", StringComparison.Ordinal)));

    /// <summary>Open ends of pipes.</summary>
    internal static int Pipes => new DirectoryInfo("/proc/self/fd").EnumerateFileSystemInfos()
        .Count(static entry => entry.LinkTarget is { } target && target.StartsWith("pipe:[", StringComparison.Ordinal));

    internal static int Threads => Directory.GetDirectories("/proc/self/task").Length;

    /// <summary>Children that ended and that nobody has reaped.</summary>
    internal static IReadOnlyList<int> Zombies()
    {
        List<int> zombies = [];
        foreach (string task in Directory.GetDirectories("/proc/self/task"))
        {
            string children;
            try
            {
                children = File.ReadAllText(Path.Combine(task, "children"));
            }
            catch (IOException)
            {
                continue; // a thread that ended meanwhile
            }
            foreach (string child in children.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                if (State(int.Parse(child, CultureInfo.InvariantCulture)) == 'Z')
                    zombies.Add(int.Parse(child, CultureInfo.InvariantCulture));
            }
        }
        return zombies;
    }

    /// <summary>The state letter of a process; a blank if there is none of this id.</summary>
    internal static char State(int pid)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[stat.LastIndexOf(')') + 2];
        }
        catch (IOException)
        {
            return ' ';
        }
    }
}
