using System.Runtime.InteropServices;

namespace Kworker.Apps.Nfsdcltrack;

/// <summary>Where the program says what it does: syslog, or standard error in the foreground.</summary>
internal sealed partial class Log(bool isForeground, bool isDebug)
{
    private const int LogError = 3; // LOG_ERR
    private const int LogDebug = 7; // LOG_DEBUG

    public void Error(string message) => Write(LogError, message);

    public void Debug(string message)
    {
        if (isDebug)
            Write(LogDebug, message);
    }

    private void Write(int priority, string message)
    {
        if (isForeground)
            Console.Error.WriteLine($"nfsdcltrack: {message}");
        else
            SystemLog(priority, "%s", message);
    }

    // Of the arguments that vary there are only pointers: the convention is the same as without.
    [LibraryImport("libc", EntryPoint = "syslog", StringMarshalling = StringMarshalling.Utf8)]
    private static partial void SystemLog(int priority, string format, string message);
}
