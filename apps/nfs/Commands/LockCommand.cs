using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Kworker.Nfs;

namespace Kworker.Apps.Nfs.Commands;

/// <summary>
/// <c>nfs lock</c>: holds a lock while a command runs, over restarts of the server. The exit status is the command's; 1 if the lock was not
/// to be had, or was lost while the command ran.
/// </summary>
internal sealed partial class LockCommand(Func<string?, NfsClientOptions> options, TextWriter error)
{
    private const int NotFound = 127; // as shells say that there is no such command

    public async Task<int> RunAsync(
        string url, LockedRange range, bool isShared, bool waits, string[] command, CancellationToken cancellationToken)
    {
        try
        {
            return await RunAsync(new Session(options(StateDirectory())), url, range, isShared, waits, command, cancellationToken);
        }
        catch (NfsException exception) when (exception is { Operation: "LOCK", InnerException: UnauthorizedAccessException or IOException and not NfsException })
        {
            // Another one keeps its state there, or we may not. Without, a server learns only of an end by our own word, not of a crash.
            await error.WriteLineAsync($"nfs: {exception.Message}; going on without what outlives a crash of this machine");
        }
        return await RunAsync(new Session(options(null)), url, range, isShared, waits, command, cancellationToken);
    }

    private async Task<int> RunAsync(
        Session session, string url, LockedRange range, bool isShared, bool waits, string[] command, CancellationToken cancellationToken)
    {
        await using (session)
        {
            (NfsClient client, string path) = await session.OpenNameAsync(url, cancellationToken);
            await using NfsFile file = isShared
                ? await client.OpenAsync(path, cancellationToken: cancellationToken)
                : await client.OpenAsync(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, cancellationToken: cancellationToken);
            int isLost = 0;
            file.LockLost += (_, lost) =>
            {
                Volatile.Write(ref isLost, 1);
                error.WriteLine($"nfs: {url}: the server restarted and did not give the lock back: somebody else may have had it since");
                error.Flush();
            };
            NfsLockKind kind = isShared ? NfsLockKind.Shared : NfsLockKind.Exclusive;
            if (!await file.LockAsync(range.Start, range.Length, kind, waits, cancellationToken))
            {
                await error.WriteLineAsync($"nfs: {url}: somebody else has locked it, {range}");
                return Program.Failure;
            }
            int status = await ExecuteAsync(command, cancellationToken);
            return Volatile.Read(ref isLost) != 0 && status == 0 ? Program.Failure : status;
        }
    }

    // Its input and output are ours. Told to end, we tell it, and wait: the lock is held as long as it runs.
    private async Task<int> ExecuteAsync(string[] command, CancellationToken cancellationToken)
    {
        Process? process;
        try
        {
            process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { UseShellExecute = false });
        }
        catch (Win32Exception exception)
        {
            await error.WriteLineAsync($"nfs: {command[0]}: {Marshal.GetPInvokeErrorMessage(exception.NativeErrorCode)}");
            return NotFound;
        }
        using (process)
        {
            int id = process!.Id;
            await using (cancellationToken.Register(() => Terminate(id)))
            {
                await process.WaitForExitAsync(CancellationToken.None);
                return process.ExitCode;
            }
        }
    }

    private static void Terminate(int process)
    {
        const int terminate = 15;
        _ = Kill(process, terminate); // it may have ended by itself
    }

    private static string? StateDirectory()
    {
        if (Environment.IsPrivilegedProcess)
            return "/var/lib/kworker/nfs-client";
        string? states = Environment.GetEnvironmentVariable("XDG_STATE_HOME");
        if (!string.IsNullOrEmpty(states))
            return Path.Combine(states, "kworker", "nfs-client");
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
        return home.Length == 0 ? null : Path.Combine(home, ".local", "state", "kworker", "nfs-client");
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
