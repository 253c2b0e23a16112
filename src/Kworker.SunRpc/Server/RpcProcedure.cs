using System.Diagnostics;

namespace Kworker.SunRpc;

/// <summary>One procedure of one version of a program: reads the arguments, runs the handler, writes the results.</summary>
[DebuggerDisplay("{Name,nq} ({Number})")]
internal abstract class RpcProcedure(uint number, string name, RpcProcedureFlags flags)
{
    public uint Number { get; } = number;

    public string Name { get; } = name;

    public RpcProcedureFlags Flags { get; } = flags;

    /// <summary>Tells of a call's arguments whether it is idempotent, for a procedure of which some calls are; null if <see cref="Flags"/> say it of all.</summary>
    public Func<ReadOnlyMemory<byte>, bool>? IdempotentCalls { get; init; }

    public bool IsIdempotent(RpcCall call) => (Flags & RpcProcedureFlags.Idempotent) != 0 || IdempotentCalls?.Invoke(call.Arguments) == true;

    /// <summary>Runs the call. The results stand in <see cref="RpcCall.Reply"/> when the task is done.</summary>
    /// <exception cref="XdrException">Thrown at once, while <see cref="RpcCall.ArgumentsRead"/> is false: the arguments are
    /// garbage.</exception>
    public abstract ValueTask InvokeAsync(RpcCall call);

    /// <summary>What all of them begin with. Bytes after the arguments are ignored, as other servers do.</summary>
    protected static TArguments ReadArguments<TArguments>(RpcCall call)
        where TArguments : IXdr<TArguments>
    {
        var reader = new XdrReader(call.Arguments);
        TArguments arguments = TArguments.Read(ref reader);
        call.ArgumentsRead = true;
        return arguments;
    }
}

/// <summary>The NULL procedure: no arguments are looked at, no results given, any credential accepted.</summary>
internal sealed class RpcNullProcedure() : RpcProcedure(0, "NULL", RpcProcedureFlags.Idempotent)
{
    public static readonly RpcNullProcedure Instance = new();

    public override ValueTask InvokeAsync(RpcCall call) => ValueTask.CompletedTask;
}

internal sealed class RpcProcedure<TArguments, TResult>(
    uint number, string name, RpcProcedureFlags flags, Func<RpcCall, TArguments, TResult> handler)
    : RpcProcedure(number, name, flags)
    where TArguments : IXdr<TArguments>
    where TResult : IXdr<TResult>
{
    public override ValueTask InvokeAsync(RpcCall call)
    {
        handler(call, ReadArguments<TArguments>(call)).Write(call.Reply);
        return ValueTask.CompletedTask;
    }
}

internal sealed class RpcAsyncProcedure<TArguments, TResult>(
    uint number, string name, RpcProcedureFlags flags, Func<RpcCall, TArguments, ValueTask<TResult>> handler)
    : RpcProcedure(number, name, flags)
    where TArguments : IXdr<TArguments>
    where TResult : IXdr<TResult>
{
    public override ValueTask InvokeAsync(RpcCall call)
    {
        ValueTask<TResult> task = handler(call, ReadArguments<TArguments>(call));
        if (!task.IsCompletedSuccessfully)
            return WriteLater(call, task);
        task.Result.Write(call.Reply);
        return ValueTask.CompletedTask;
    }

    private static async ValueTask WriteLater(RpcCall call, ValueTask<TResult> task) => (await task).Write(call.Reply);
}

internal sealed class RpcWritingProcedure<TArguments>(
    uint number, string name, RpcProcedureFlags flags, Action<RpcCall, TArguments, XdrWriter> handler)
    : RpcProcedure(number, name, flags)
    where TArguments : IXdr<TArguments>
{
    public override ValueTask InvokeAsync(RpcCall call)
    {
        handler(call, ReadArguments<TArguments>(call), call.Reply);
        return ValueTask.CompletedTask;
    }
}

internal sealed class RpcAsyncWritingProcedure<TArguments>(
    uint number, string name, RpcProcedureFlags flags, Func<RpcCall, TArguments, XdrWriter, ValueTask> handler)
    : RpcProcedure(number, name, flags)
    where TArguments : IXdr<TArguments>
{
    public override ValueTask InvokeAsync(RpcCall call) => handler(call, ReadArguments<TArguments>(call), call.Reply);
}
