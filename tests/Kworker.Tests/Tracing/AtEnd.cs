namespace Kworker.Tests;

/// <summary>Declared last, it comes first at the end: so that a failure is one, and no hang of what is disposed of after it.</summary>
internal sealed class AtEnd(Action action) : IDisposable
{
    public void Dispose() => action();
}
