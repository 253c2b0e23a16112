using System.Diagnostics;
using Kworker.Nfsd.Exports;
using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.Nfsd.State;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

/// <summary>
/// A COMPOUND while it runs: who calls, and what its operations hand on to one another (RFC 7530 section 15.1, RFC 8881 section 16.2.3). Used again for
/// other calls: keep nothing of it past the compound.
/// </summary>
/// <remarks>Not thread-safe: a compound's operations run one after the other on one worker.</remarks>
[DebuggerDisplay("4.{MinorVersion}, operation {OperationIndex} of {OperationCount}")]
internal sealed class CompoundContext
{
    [ThreadStatic]
    private static CompoundContext? s_idle; // Of this thread: a worker runs one compound at a time.

    private NfsObject _current;
    private NfsObject _saved;
    private NfsCredentials _caller = NfsCredentials.Nobody; // The last caller seen, kept over compounds: it is mostly the next one, too.
    private NfsCredentials _squashed = NfsCredentials.Nobody; // _caller as _squashedBy has it
    private ExportOptions? _squashedBy;

    private CompoundContext()
    {
    }

    /// <summary>The RPC call: transport, addresses, credential.</summary>
    public RpcCall Call { get; private set; } = null!;

    /// <summary>The exports and the directories above them, as they were when the compound began.</summary>
    public PseudoFileSystem Tree { get; private set; } = null!;

    /// <summary>0 or 1.</summary>
    public uint MinorVersion { get; private set; }

    /// <summary>How many operations the compound has.</summary>
    public int OperationCount { get; private set; }

    /// <summary>Which of them runs, from 0.</summary>
    public int OperationIndex { get; set; }

    /// <summary>Where in the reply the body of the running operation begins.</summary>
    public int BodyStart { get; set; }

    /// <summary>Set by a handler that fails and whose body says more than the status: LOCK that is denied, say.</summary>
    public bool KeepsBody { get; set; }

    /// <summary>Whether there is a current filehandle.</summary>
    public bool HasCurrent => _current.FileSystem is not null;

    /// <summary>Whether there is a saved filehandle.</summary>
    public bool HasSaved => _saved.FileSystem is not null;

    /// <summary>The object of the current filehandle; look at <see cref="HasCurrent"/> first. A directory of the pseudo file system, too, is one.</summary>
    public ref readonly NfsObject Current => ref _current;

    /// <summary>The object of the saved filehandle; look at <see cref="HasSaved"/> first.</summary>
    public ref readonly NfsObject Saved => ref _saved;

    /// <summary>4.1: the current stateid, which an operation that returns one leaves; null if there is none.</summary>
    public Stateid4? CurrentStateid { get; set; }

    /// <summary>4.1: the stateid that SAVEFH put away with the filehandle.</summary>
    public Stateid4? SavedStateid { get; private set; }

    /// <summary>The slot that the compound runs in; null in 4.0, and in 4.1 before SEQUENCE.</summary>
    public ICompoundSlot? Slot { get; set; }

    /// <summary>4.1: the client whose session it is, as the state knows it; null if there is none. Set by SEQUENCE.</summary>
    public NfsClient? Client { get; set; }

    /// <summary>
    /// Set by SEQUENCE that finds a retry: what the first run was answered (<see cref="ICompoundSlot.End"/>). The compound ends there, and this becomes its
    /// answer. The slot is not set then.
    /// </summary>
    public ReadOnlyMemory<byte>? Replay { get; set; }

    /// <summary>The caller as it says itself, before any export squashes it; nobody for AUTH_NONE.</summary>
    public NfsCredentials Caller => _caller;

    /// <summary>Takes a context for a call.</summary>
    public static CompoundContext Take(RpcCall call, PseudoFileSystem tree, uint minorVersion, int operationCount)
    {
        CompoundContext context = s_idle ?? new CompoundContext();
        s_idle = null;
        context.Call = call;
        context.Tree = tree;
        context.MinorVersion = minorVersion;
        context.OperationCount = operationCount;
        context.KnowCaller(call.Sys);
        return context;
    }

    /// <summary>Gives it back.</summary>
    public void Return()
    {
        Call = null!;
        Tree = null!;
        _current = default;
        _saved = default;
        CurrentStateid = null;
        SavedStateid = null;
        Slot = null;
        Client = null;
        Replay = null;
        KeepsBody = false;
        OperationIndex = 0;
        s_idle = this;
    }

    /// <summary>Makes an object the current one. The current stateid, which was another object's, is gone.</summary>
    public void SetCurrent(in NfsObject found)
    {
        _current = found;
        CurrentStateid = null;
    }

    /// <summary>Makes a file of the same export as the current one the current one (LOOKUP, CREATE, OPEN).</summary>
    public void SetCurrent(in NfsHandle handle) =>
        SetCurrent(new NfsObject(_current.Export, _current.FileSystem, _current.Options, _current.Caller, handle));

    /// <summary>No filehandle is current any more: after SECINFO (RFC 8881 section 2.6.3.1.1.8).</summary>
    public void ClearCurrent()
    {
        _current = default;
        CurrentStateid = null;
    }

    /// <summary>SAVEFH.</summary>
    public void Save()
    {
        _saved = _current;
        SavedStateid = CurrentStateid;
    }

    /// <summary>RESTOREFH.</summary>
    public void Restore()
    {
        _current = _saved;
        CurrentStateid = SavedStateid;
    }

    /// <summary>4.1: puts the current stateid in the place of the special value that stands for it (RFC 8881 section 16.2.3.1.2).</summary>
    /// <returns>OK, or BADSTATEID if there is no current stateid.</returns>
    public Nfsstat4 Resolve(ref Stateid4 stateid)
    {
        if (MinorVersion == 0 || stateid != Stateid4.Current)
            return Nfsstat4.Ok;
        if (CurrentStateid is not { } current)
            return Nfsstat4.BadStateid;
        stateid = current;
        return Nfsstat4.Ok;
    }

    /// <summary>Who the caller counts as under <paramref name="options"/>; made once for a compound that stays within one export.</summary>
    public NfsCredentials CallerUnder(ExportOptions options)
    {
        if (!ReferenceEquals(_squashedBy, options))
        {
            _squashed = options.Apply(Call.Sys is null ? null : _caller);
            _squashedBy = options;
        }
        return _squashed;
    }

    private void KnowCaller(AuthSys? sys)
    {
        if (sys is null)
        {
            if (ReferenceEquals(_caller, NfsCredentials.Nobody))
                return;
            _caller = NfsCredentials.Nobody;
        }
        else if (!ReferenceEquals(_caller, NfsCredentials.Nobody) && _caller.Uid == sys.Uid && _caller.Gid == sys.Gid
            && _caller.Groups.SequenceEqual(sys.Groups.Span))
        {
            return;
        }
        else
        {
            _caller = new NfsCredentials(sys.Uid, sys.Gid, sys.Groups.Span);
        }
        _squashedBy = null;
    }
}
