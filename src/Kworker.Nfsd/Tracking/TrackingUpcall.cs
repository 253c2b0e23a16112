using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Kworker.Nfsd.Tracking;

/// <summary>
/// One call of the helper and its outcome (<c>nfsd4_umh_cltrack_upcall</c>). The helper is spawned and waited for by a work item of the tracking's
/// own queue, which bounds how many run; one that has not ended in time gives its place up, so that it keeps nobody from being heard, and is waited for
/// without.
/// </summary>
[DebuggerDisplay("{_command,nq} {_argument,nq}")]
internal sealed class TrackingUpcall
{
    private const int Enoent = 2;
    private const int Eacces = 13;
    private const int MaxErrorText = 4096;

    private readonly UmhTrackingOptions _options;
    private readonly ILogger _logger;
    private readonly string _program;
    private readonly string _command;
    private readonly string? _argument;
    private readonly string? _environment0;
    private readonly string? _environment1;
    private Task<HelperStatus> _ended = Task.FromResult(default(HelperStatus)); // set by the work item, awaited after it
    private string _said = ""; // written, as Status, when it is over; read then
    private volatile bool _isOver; // Status and _said do not change any more

    /// <summary>A call that has not been made yet.</summary>
    public TrackingUpcall(
        UmhTrackingOptions options, ILogger logger, string program, string command, string? argument, string? environment0, string? environment1)
    {
        _options = options;
        _logger = logger;
        _program = program;
        _command = command;
        _argument = argument;
        _environment0 = environment0;
        _environment1 = environment1;
    }

    /// <summary>What is asked for.</summary>
    public string Command => _command;

    /// <summary>Of whom, or since when; null for neither.</summary>
    public string? Argument => _argument;

    /// <summary>The helper.</summary>
    public string Program => _program;

    /// <summary>What call_usermodehelper returned, when it is over.</summary>
    public HelperStatus Status { get; private set; }

    /// <summary>Whether the helper did what it was asked for.</summary>
    public bool IsSuccess => _isOver && Status is { Exited: true, Raw: 0 };

    /// <summary>Whether there is no such program, or none that may be executed: it is no use to ask again.</summary>
    public bool IsProgramMissing => _isOver && Status.IsExecError && Status.Errno is (Enoent or Eacces);

    /// <summary>The end of a sentence that begins with the program: what it ended with, and what it said.</summary>
    public string Outcome => !_isOver ? NotAnswered(_options) : _said.Length == 0 ? Status.ToString() : $"{Status} ({_said})";

    /// <summary>The end of that sentence while it runs.</summary>
    public static string NotAnswered(UmhTrackingOptions options) => $"has not answered for {options.Patience.TotalSeconds:0.#} s";

    /// <summary>Makes the call and waits for the helper's end.</summary>
    /// <param name="queue">Where.</param>
    /// <param name="timers">Where it is seen that the time is over: nothing else takes long there.</param>
    /// <param name="ended">What is to be done before the last line is logged.</param>
    /// <param name="giveUp">Ends the wait; the helper runs on.</param>
    public async ValueTask RunAsync(Workqueue queue, Workqueue timers, Action<TrackingUpcall> ended, CancellationToken giveUp)
    {
        TrackingLog.UpcallCommand(_logger, _command);
        TrackingLog.UpcallArgument(_logger, _argument ?? "(null)");
        TrackingLog.UpcallEnvironment(_logger, 0, _environment0 ?? "(null)");
        TrackingLog.UpcallEnvironment(_logger, 1, _environment1 ?? "(null)");
        var work = new Work<TrackingUpcall>(this, async (upcall, _) => await upcall.HoldPlaceAsync(timers, giveUp));
        queue.Queue(work);
        await work.FlushAsync();
        try
        {
            Status = await _ended;
            _isOver = true;
        }
        catch (OperationCanceledException)
        {
            return; // the server ends
        }
        ended(this);
        TrackingLog.UpcallReturned(_logger, IsProgramMissing ? "" : _program, Status.Raw);
    }

    private async ValueTask HoldPlaceAsync(Workqueue timers, CancellationToken giveUp)
    {
        _ended = CallAsync(giveUp);
        if (!_ended.IsCompleted)
            await TrackingPatience.WaitAsync(_ended, _options.Patience, timers);
    }

    private async Task<HelperStatus> CallAsync(CancellationToken giveUp)
    {
        List<string> arguments = [_program];
        if (_options.StorageDirectory is not null)
            arguments.AddRange(["-f", "-s", _options.StorageDirectory]);
        arguments.Add(_command);
        if (_argument is not null)
            arguments.Add(_argument);
        List<string> environment = [];
        foreach (string? variable in new[] { _environment0, _environment1, TrackingProgram.RuntimeVariable(_program) })
        {
            if (variable is not null)
                environment.Add(variable);
        }
        var options = new HelperOptions { StandardErrorLimit = _options.StorageDirectory is null ? 0 : MaxErrorText };
        UserModeHelperCall call = UserModeHelper.Setup(_program, arguments, environment, options);
        HelperStatus status = await call.ExecAsync(HelperWait.WaitProc, giveUp);
        _said = string.Join("; ", call.StandardError.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        return status;
    }
}
