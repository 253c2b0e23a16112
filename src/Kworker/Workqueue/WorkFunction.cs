using System.Runtime.CompilerServices;

namespace Kworker;

/// <summary>A work function, plain or async, in one word.</summary>
internal readonly struct WorkFunction<TOwner>
{
    private readonly Delegate _function;

    internal WorkFunction(Action<TOwner> function) => _function = function ?? throw new ArgumentNullException(nameof(function));

    internal WorkFunction(Func<TOwner, CancellationToken, ValueTask> function) =>
        _function = function ?? throw new ArgumentNullException(nameof(function));

    /// <summary>Type and method, as the kernel prints the symbol.</summary>
    internal string Name => FunctionName.Of(_function);

    internal void Run(TOwner owner) => Unsafe.As<Action<TOwner>>(_function)(owner);

    internal ValueTask RunAsync(TOwner owner, CancellationToken cancellationToken) =>
        Unsafe.As<Func<TOwner, CancellationToken, ValueTask>>(_function)(owner, cancellationToken);
}
