using System.Runtime.InteropServices;

namespace Kworker.Apps.Nfsd;

/// <summary>SIGTERM and SIGINT: the first asks the server to end in order, a second one ends the process at once.</summary>
internal sealed class Termination : IDisposable
{
    private const int ExitCodeOfSignal = 128;

    private readonly Completion _requested = new();
    private readonly PosixSignalRegistration[] _registrations;
    private int _signals;

    public Termination() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => OnSignal(context, ExitCodeOfSignal + 15)),
        PosixSignalRegistration.Create(PosixSignal.SIGINT, context => OnSignal(context, ExitCodeOfSignal + 2)),
    ];

    public ValueTask WaitAsync() => _requested.WaitAsync();

    /// <summary>Asks as the first signal does.</summary>
    public void Request() => _requested.CompleteAll();

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
            registration.Dispose();
    }

    private void OnSignal(PosixSignalContext context, int exitCode)
    {
        context.Cancel = true; // The runtime would end the process while calls run.
        if (Interlocked.Increment(ref _signals) > 1)
            Environment.Exit(exitCode);
        Request();
    }
}
