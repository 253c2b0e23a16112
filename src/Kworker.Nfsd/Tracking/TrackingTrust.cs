using Microsoft.Extensions.Logging;

namespace Kworker.Nfsd.Tracking;

/// <summary>
/// Whether the record is to be believed, in a file that outlives the server; and when the record was last changed, as the time of another file, for a record
/// that cannot be looked into. Thread-safe.
/// </summary>
internal sealed class TrackingTrust
{
    private const byte Believed = (byte)'b';
    private const byte NotBelieved = (byte)'n';

    private readonly string _file;
    private readonly string _heardFile;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private bool _isDistrusted; // _lock

    /// <summary>As the file says. One that is not there yet says nothing against the record.</summary>
    public TrackingTrust(string file, TimeProvider clock, ILogger logger)
    {
        _file = file;
        _heardFile = file + ".heard";
        _clock = clock;
        _logger = logger;
        WasDistrusted = _isDistrusted = Read();
    }

    /// <summary>Whether the life before left it so.</summary>
    public bool WasDistrusted { get; }

    /// <summary>Whether the record says more than is true.</summary>
    public bool IsDistrusted
    {
        get
        {
            lock (_lock)
                return _isDistrusted;
        }
    }

    /// <summary>The record says more than is true: on disk when it returns.</summary>
    public void Distrust() => Set(true);

    /// <summary>The record is as it should be.</summary>
    public void Trust() => Set(false);

    /// <summary>The record has been changed, as far as can be told.</summary>
    public void Heard()
    {
        try
        {
            if (!File.Exists(_heardFile))
                File.Create(_heardFile).Dispose();
            File.SetLastWriteTimeUtc(_heardFile, _clock.GetUtcNow().UtcDateTime);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            TrackingLog.CannotWriteTrust(_logger, _heardFile, exception.Message);
        }
    }

    /// <summary>When it was last changed, in seconds since 1970; null: never.</summary>
    public long? LatestTime() => File.Exists(_heardFile) ? new DateTimeOffset(File.GetLastWriteTimeUtc(_heardFile)).ToUnixTimeSeconds() : null;

    private bool Read()
    {
        try
        {
            return File.Exists(_file) && File.ReadAllBytes(_file) is not [Believed];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            TrackingLog.CannotWriteTrust(_logger, _file, exception.Message);
            return true;
        }
    }

    // One byte in a file that is there since the first start: no name has to be synced when it counts.
    private void Set(bool isDistrusted)
    {
        lock (_lock)
        {
            if (_isDistrusted == isDistrusted && File.Exists(_file))
                return;
            _isDistrusted = isDistrusted;
            using BlockingScope blocking = Worker.Blocking();
            try
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(_file))!);
                using var file = new FileStream(_file, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
                file.Write([isDistrusted ? NotBelieved : Believed]);
                file.Flush(flushToDisk: true);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                TrackingLog.CannotWriteTrust(_logger, _file, exception.Message);
            }
        }
    }
}
