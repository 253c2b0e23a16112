namespace Kworker.Apps.Nfsd;

/// <summary>
/// The state directory is one server's at a time: two would strike each other's clients from the record, and know nothing of each other's locks.
/// </summary>
/// <remarks>A record lock (fcntl): gone with the process however that ends, and not inherited by the helpers that it starts, as a lock by flock(2) would be.</remarks>
internal sealed class StateLock : IDisposable
{
    private const string Name = "lock";
    private const int Taken = 11; // EAGAIN

    private readonly FileStream _file;

    private StateLock(FileStream file) => _file = file;

    /// <exception cref="StartupException">Another server has the directory, or it cannot be used.</exception>
    public static StateLock Take(string directory)
    {
        FileStream? file = null;
        try
        {
            Directory.CreateDirectory(directory);
            file = new FileStream(Path.Combine(directory, Name), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
            file.Lock(0, 1);
            return new StateLock(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            file?.Dispose();
            throw new StartupException(
                exception.HResult == Taken
                    ? $"{directory} is in use by another nfsd. Stop that one, or name another directory with --state."
                    : $"state cannot be kept in {directory}: {exception.Message} Name another directory with --state.",
                innerException: exception);
        }
    }

    public void Dispose() => _file.Dispose();
}
