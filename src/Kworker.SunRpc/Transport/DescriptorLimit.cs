using System.Globalization;

namespace Kworker.SunRpc;

/// <summary>
/// How many descriptors the process may have (<c>RLIMIT_NOFILE</c>). Once there are none left, nothing can be accepted, and no thread
/// made.
/// </summary>
internal static class DescriptorLimit
{
    /// <summary>The limit; null where it is not known.</summary>
    public static int? Read()
    {
        try
        {
            // "Max open files            1024                 524288               files": the first number is the one in force.
            foreach (string line in File.ReadLines("/proc/self/limits"))
            {
                if (!line.StartsWith("Max open files", StringComparison.Ordinal))
                    continue;
                string[] words = line["Max open files".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
                return int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out int limit) ? limit : null;
            }
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Not Linux, or no /proc: the configured limits stand alone.
            return null;
        }
    }
}
