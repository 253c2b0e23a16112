namespace Kworker.Hosting;

/// <summary>
/// A work that takes services: each execution has an instance of its own, made with a scope's services, and both are disposed of when it is done. Added by
/// <see cref="KworkerBuilder.AddWork"/> or <see cref="KworkerBuilder.AddPeriodicWork"/>.
/// </summary>
public interface IScopedWork
{
    /// <summary>Runs on a worker of the queue; holds none while it awaits.</summary>
    /// <param name="cancellationToken">Cancelled when it is cancelled, and when a shutdown's time is over.</param>
    Task ExecuteAsync(CancellationToken cancellationToken);
}
