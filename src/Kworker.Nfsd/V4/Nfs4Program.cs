using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.Nfsd.State;
using Kworker.SunRpc;
using Microsoft.Extensions.Logging;

namespace Kworker.Nfsd.V4;

/// <summary>
/// NFS version 4, minor versions 0 (RFC 7530), 1 (RFC 8881) and 2 (RFC 7862, of whose own operations, all optional, those are here that a local
/// file system has by nature): program 100003, one procedure, COMPOUND; a file for each operation in Operations/, the table of them in
/// Nfs4Program.Table.cs, how a compound runs in Compound/. Thread-safe.
/// </summary>
internal sealed partial class Nfs4Program
{
    public const uint Number = 100003;
    public const uint Version = 4;

    /// <summary>Most operations of a compound outside a session. Linux's nfsd takes 50.</summary>
    public const int MaxOperations = 128;

    private readonly ServedExports _exports;
    private readonly TimeProvider _clock;
    private volatile PseudoFileSystem _tree; // of the exports as a compound saw them last; any thread may replace it by a later one
    private readonly NfsState _state;
    private readonly WriteVerifier _verifier;
    private readonly uint _maxTransfer;
    private readonly ILogger _logger;

    /// <summary>Which minor versions are spoken. What holds for 1 holds for 2.</summary>
    public NfsVersions Versions { get; init; } = NfsVersions.All;

    /// <param name="exports">What is served.</param>
    /// <param name="state">Clients and what they hold.</param>
    /// <param name="verifier">This start's write verifier.</param>
    /// <param name="maxTransfer">Most data of a READ or WRITE, in bytes.</param>
    /// <param name="clock">Dates the directories above the exports.</param>
    /// <param name="logger">Takes faults of file systems.</param>
    public Nfs4Program(ServedExports exports, NfsState state, WriteVerifier verifier, int maxTransfer, TimeProvider clock, ILogger logger)
    {
        _exports = exports;
        _clock = clock;
        _tree = new PseudoFileSystem(exports, clock);
        _state = state;
        _verifier = verifier;
        _maxTransfer = (uint)maxTransfer;
        _logger = logger;
        _operations = MakeTable();
    }

    /// <summary>Adds the version to the program that an RPC server offers, over TCP alone (RFC 7530 section 3.1: a transport that controls congestion).</summary>
    public void AddTo(RpcProgram program) =>
        program.WritingProcedure<CompoundArguments>(Version, 1, "COMPOUND", Compound, idempotentCalls: CompoundReplay.IsIdempotent).TcpOnly(Version);

    /// <summary>The tree of what is exported now. A compound takes it once.</summary>
    private PseudoFileSystem CurrentTree()
    {
        PseudoFileSystem tree = _tree;
        return ReferenceEquals(tree.Exports, _exports.Now) ? tree : _tree = new PseudoFileSystem(_exports, _clock);
    }

    /// <summary>Finds what a handle from the wire names, and checks the export's rules anew for this client, this port and this caller.</summary>
    private Nfsstat4 Open(CompoundContext context, ReadOnlySpan<byte> wire, out NfsObject found)
    {
        found = default;
        NfsStatus status = _exports.TakeApart(wire, out uint id, out NfsHandle handle);
        if (status != NfsStatus.Ok)
            return Nfs4Errors.Of(status);
        PseudoFileSystem tree = context.Tree;
        if (id == tree.ExportId)
            return tree.Open(context, handle, out found);
        if (tree.Exports.Find(id) is not { } export || export.Match(context.Call.RemoteEndPoint.Address) is not { } options)
            return Nfsstat4.Stale;
        if (!_exports.MayUsePort(context.Call, export, options))
            return Nfsstat4.Perm;
        found = new NfsObject(export, tree.Exports.FileSystemOf(export), options, context.CallerUnder(options), handle);
        return Nfsstat4.Ok;
    }
}
