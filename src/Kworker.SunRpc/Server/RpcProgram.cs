using System.Diagnostics;

namespace Kworker.SunRpc;

/// <summary>
/// A program that a server offers: its number, its versions, their procedures (RFC 5531, 8.1). Procedure 0 of each version is there by
/// itself.
/// </summary>
/// <remarks>
/// Declared first, then given to a server; not changed afterwards. Handlers run as work items of the server's queue, many at once; one
/// that blocks where this library cannot see it (a system call, a lock) says so with <see cref="Worker.Blocking"/>, so that others go on.
/// One that throws <see cref="RpcAuthException"/> refuses its caller; any other exception is logged and answered with SYSTEM_ERR.
/// Arguments that hold <see cref="ReadOnlyMemory{T}"/> share the request's buffer, which is gone once the call has been answered.
/// </remarks>
[DebuggerDisplay("{Name,nq} ({Number}), versions {LowestVersion} to {HighestVersion}")]
public sealed class RpcProgram
{
    private readonly SortedDictionary<uint, RpcProcedure?[]> _versions = [];
    private readonly HashSet<uint> _tcpOnly = [];

    /// <summary>A program without versions.</summary>
    /// <param name="number">Its number, as 100003.</param>
    /// <param name="name">Its name for logs, as "nfs".</param>
    public RpcProgram(uint number, string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Number = number;
        Name = name;
    }

    /// <summary>The program's number.</summary>
    public uint Number { get; }

    /// <summary>The program's name for logs.</summary>
    public string Name { get; }

    /// <summary>The versions, lowest first.</summary>
    public IReadOnlyCollection<uint> Versions => _versions.Keys;

    private uint LowestVersion => _versions.Count == 0 ? 0 : _versions.Keys.First();

    private uint HighestVersion => _versions.Count == 0 ? 0 : _versions.Keys.Last();

    /// <summary>Says that a version needs a transport that controls congestion: over UDP the program then is as if it had no such version.</summary>
    /// <returns>The program, so that calls can be chained.</returns>
    public RpcProgram TcpOnly(uint version)
    {
        _tcpOnly.Add(version);
        return this;
    }

    /// <summary>Whether a version is there for who comes by this transport.</summary>
    internal bool HasVersion(uint version, RpcTransport transport) =>
        _versions.ContainsKey(version) && (transport == RpcTransport.Tcp || !_tcpOnly.Contains(version));

    /// <summary>The lowest and the highest version for who comes by this transport, as PROG_MISMATCH tells them.</summary>
    internal (uint Low, uint High) VersionsFor(RpcTransport transport)
    {
        uint[] versions = [.. _versions.Keys.Where(version => HasVersion(version, transport))];
        return versions.Length == 0 ? (0, 0) : (versions[0], versions[^1]);
    }

    /// <summary>Adds a procedure: the handler takes the arguments and gives the result.</summary>
    /// <param name="version">The version that it belongs to.</param>
    /// <param name="number">Its number, from 1 to 1023.</param>
    /// <param name="name">Its name for logs, as "LOOKUP".</param>
    /// <param name="handler">What runs it; may block.</param>
    /// <param name="flags">What may be assumed of it.</param>
    /// <returns>The program, so that calls can be chained.</returns>
    public RpcProgram Procedure<TArguments, TResult>(
        uint version, uint number, string name, Func<RpcCall, TArguments, TResult> handler,
        RpcProcedureFlags flags = RpcProcedureFlags.None)
        where TArguments : IXdr<TArguments>
        where TResult : IXdr<TResult>
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Add(version, new RpcProcedure<TArguments, TResult>(number, name, flags, handler));
    }

    /// <summary>As <see cref="Procedure"/>, for a handler that awaits.</summary>
    public RpcProgram ProcedureAsync<TArguments, TResult>(
        uint version, uint number, string name, Func<RpcCall, TArguments, ValueTask<TResult>> handler,
        RpcProcedureFlags flags = RpcProcedureFlags.None)
        where TArguments : IXdr<TArguments>
        where TResult : IXdr<TResult>
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Add(version, new RpcAsyncProcedure<TArguments, TResult>(number, name, flags, handler));
    }

    /// <summary>
    /// As <see cref="Procedure"/>, for a handler that writes its result into the reply itself, so that data need not be copied.
    /// </summary>
    /// <param name="version">The version that it belongs to.</param>
    /// <param name="number">Its number, from 1 to 1023.</param>
    /// <param name="name">Its name for logs, as "COMPOUND".</param>
    /// <param name="handler">What runs it; may block.</param>
    /// <param name="flags">What may be assumed of it.</param>
    /// <param name="idempotentCalls">
    /// Where it depends on the arguments: whether a call with these bytes is idempotent. Called before they are read: they may be anything.
    /// </param>
    public RpcProgram WritingProcedure<TArguments>(
        uint version, uint number, string name, Action<RpcCall, TArguments, XdrWriter> handler,
        RpcProcedureFlags flags = RpcProcedureFlags.None, Func<ReadOnlyMemory<byte>, bool>? idempotentCalls = null)
        where TArguments : IXdr<TArguments>
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Add(version, new RpcWritingProcedure<TArguments>(number, name, flags, handler) { IdempotentCalls = idempotentCalls });
    }

    /// <summary>As <see cref="WritingProcedure"/>, for a handler that awaits.</summary>
    public RpcProgram WritingProcedureAsync<TArguments>(
        uint version, uint number, string name, Func<RpcCall, TArguments, XdrWriter, ValueTask> handler,
        RpcProcedureFlags flags = RpcProcedureFlags.None)
        where TArguments : IXdr<TArguments>
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Add(version, new RpcAsyncWritingProcedure<TArguments>(number, name, flags, handler));
    }

    /// <summary>Finds the procedure, or says which of the RFC's errors the call gets.</summary>
    internal RpcAcceptStatus Find(uint version, uint number, RpcTransport transport, out RpcProcedure? procedure)
    {
        procedure = null;
        if (!HasVersion(version, transport) || !_versions.TryGetValue(version, out RpcProcedure?[]? procedures))
            return RpcAcceptStatus.ProgramMismatch;
        if (number < (uint)procedures.Length)
            procedure = procedures[number];
        return procedure is null ? RpcAcceptStatus.ProcedureUnavailable : RpcAcceptStatus.Success;
    }

    private RpcProgram Add(uint version, RpcProcedure procedure)
    {
        ArgumentOutOfRangeException.ThrowIfZero(procedure.Number, "number");
        ArgumentOutOfRangeException.ThrowIfGreaterThan(procedure.Number, 1023u, "number");
        RpcProcedure?[] procedures = _versions.GetValueOrDefault(version) ?? [RpcNullProcedure.Instance];
        if (procedure.Number >= procedures.Length)
            Array.Resize(ref procedures, (int)procedure.Number + 1);
        if (procedures[procedure.Number] is { } there)
            throw new ArgumentException($"Procedure {procedure.Number} of {Name} version {version} is {there.Name} already.");
        procedures[procedure.Number] = procedure;
        _versions[version] = procedures;
        return this;
    }
}
