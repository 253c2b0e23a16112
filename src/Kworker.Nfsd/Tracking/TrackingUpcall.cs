using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Kworker.Nfsd.Tracking;

/// <summary>
/// One call of the helper and its outcome (<c>nfsd4_umh_cltrack_upcall</c>). The helper is spawned and waited for by a work item of the tracking's
/// own queue, which bounds how many run.
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
    private string _said = ""; // written by the work item, read when it is over; so is Status

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

    /// <summary>What call_usermodehelper returned.</summary>
    public HelperStatus Status { get; private set; }

    /// <summary>Whether the helper did what it was asked for.</summary>
    public bool IsSuccess => Status is { Exited: true, Raw: 0 };

    /// <summary>Whether there is no such program, or none that may be executed: it is no use to ask again.</summary>
    public bool IsProgramMissing => Status.IsExecError && Status.Errno is (Enoent or Eacces);

    /// <summary>The end of a sentence that begins with the program: what it ended with, and what it said.</summary>
    public string Outcome => _said.Length == 0 ? Status.ToString() : $"{Status} ({_said})";

    /// <summary>Makes the call and waits for the helper's end.</summary>
    /// <param name="queue">Where.</param>
    /// <param name="ended">What is to be done before the last line is logged.</param>
    public async ValueTask RunAsync(Workqueue queue, Action<TrackingUpcall> ended)
    {
        TrackingLog.UpcallCommand(_logger, _command);
        TrackingLog.UpcallArgument(_logger, _argument ?? "(null)");
        TrackingLog.UpcallEnvironment(_logger, 0, _environment0 ?? "(null)");
        TrackingLog.UpcallEnvironment(_logger, 1, _environment1 ?? "(null)");
        var work = new Work<TrackingUpcall>(this, static (upcall, _) => upcall.CallAsync());
        queue.Queue(work);
        await work.FlushAsync();
        ended(this);
        TrackingLog.UpcallReturned(_logger, IsProgramMissing ? "" : _program, Status.Raw);
    }

    private async ValueTask CallAsync()
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
        Status = await call.ExecAsync(HelperWait.WaitProc);
        _said = string.Join("; ", call.StandardError.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
    }
}
