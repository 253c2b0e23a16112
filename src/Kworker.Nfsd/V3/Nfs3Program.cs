using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;
using Microsoft.Extensions.Logging;

namespace Kworker.Nfsd.V3;

/// <summary>NFS version 3 (RFC 1813): program 100003, a file for each procedure in Procedures/. Thread-safe.</summary>
/// <remarks>
/// Every procedure goes the same way: open the handle (<see cref="ServedExports.Open"/>, which checks the export's rules anew),
/// check what the protocol forbids whatever the file system, call the file system, answer with the attributes that it gave or can still be had, and with
/// an error that the RFC lists for the procedure (<see cref="Nfs3Errors"/>).
/// </remarks>
internal sealed partial class Nfs3Program
{
    public const uint Number = 100003;
    public const uint Version = 3;

    /// <summary>Longest name, in bytes, whatever the file system: no system has longer ones.</summary>
    private const int MaxNameLength = 255;

    /// <summary>Most data of a READ or WRITE over UDP, in bytes: what Linux allows, far enough below the 64 KiB of a datagram.</summary>
    private const uint MaxUdpTransfer = 32 << 10;

    private readonly ServedExports _exports;
    private readonly WriteVerifier _verifier;
    private readonly uint _maxTransfer;
    private readonly ILogger _logger;

    /// <param name="exports">What is served.</param>
    /// <param name="verifier">This start's write verifier.</param>
    /// <param name="maxTransfer">Most data of a READ or WRITE over TCP, in bytes.</param>
    /// <param name="logger">Takes faults of file systems.</param>
    public Nfs3Program(ServedExports exports, WriteVerifier verifier, int maxTransfer, ILogger logger)
    {
        _exports = exports;
        _verifier = verifier;
        _maxTransfer = (uint)maxTransfer;
        _logger = logger;
    }

    /// <summary>The program for an RPC server. Which procedures go through the duplicate-request cache is as in Linux.</summary>
    public RpcProgram ToRpcProgram()
    {
        var program = new RpcProgram(Number, "nfs");
        Add<GetAttr3Args, GetAttr3Res>(program, 1, "GETATTR", GetAttr, RpcProcedureFlags.Idempotent);
        Add<SetAttr3Args, SetAttr3Res>(program, 2, "SETATTR", SetAttr);
        Add<Lookup3Args, Lookup3Res>(program, 3, "LOOKUP", Lookup, RpcProcedureFlags.Idempotent);
        Add<Access3Args, Access3Res>(program, 4, "ACCESS", Access, RpcProcedureFlags.Idempotent);
        AddWriting<ReadLink3Args, ReadLink3ResFail>(program, 5, "READLINK", ReadLink);
        AddWriting<Read3Args, Read3ResFail>(program, 6, "READ", Read);
        Add<Write3Args, Write3Res>(program, 7, "WRITE", Write);
        Add<Create3Args, Create3Res>(program, 8, "CREATE", Create);
        Add<MkDir3Args, Create3Res>(program, 9, "MKDIR", MkDir);
        Add<SymLink3Args, Create3Res>(program, 10, "SYMLINK", SymLink);
        Add<MkNod3Args, Create3Res>(program, 11, "MKNOD", MkNod);
        Add<Remove3Args, Remove3Res>(program, 12, "REMOVE", Remove);
        Add<Remove3Args, Remove3Res>(program, 13, "RMDIR", RmDir);
        Add<Rename3Args, Rename3Res>(program, 14, "RENAME", Rename);
        Add<Link3Args, Link3Res>(program, 15, "LINK", Link);
        AddWriting<ReadDir3Args, ReadDir3ResFail>(program, 16, "READDIR", ReadDir);
        AddWriting<ReadDirPlus3Args, ReadDir3ResFail>(program, 17, "READDIRPLUS", ReadDirPlus);
        Add<FsStat3Args, FsStat3Res>(program, 18, "FSSTAT", FsStat, RpcProcedureFlags.Idempotent);
        Add<FsInfo3Args, FsInfo3Res>(program, 19, "FSINFO", FsInfo, RpcProcedureFlags.Idempotent);
        Add<PathConf3Args, PathConf3Res>(program, 20, "PATHCONF", PathConf, RpcProcedureFlags.Idempotent);
        Add<Commit3Args, Commit3Res>(program, 21, "COMMIT", Commit, RpcProcedureFlags.Idempotent);
        return program;
    }

    private delegate TResult Handler<TArguments, TResult>(RpcCall call, in TArguments arguments);

    private delegate void WritingHandler<TArguments>(RpcCall call, in TArguments arguments, XdrWriter reply);

    private void Add<TArguments, TResult>(
        RpcProgram program, uint number, string name, Handler<TArguments, TResult> handler, RpcProcedureFlags flags = RpcProcedureFlags.None)
        where TArguments : IXdr<TArguments>
        where TResult : INfs3Result<TResult>
    {
        program.Procedure<TArguments, TResult>(
            Version,
            number,
            name,
            (call, arguments) =>
            {
                try
                {
                    return handler(call, arguments);
                }
                catch (Exception exception) when (exception is not RpcAuthException)
                {
                    // A fault of a file system that somebody plugged in: told to the log, and to the client in NFS's own words.
                    NfsLog.FileSystemFailed(_logger, exception, name);
                    return TResult.Failure(Nfsstat3.ServerFault);
                }
            },
            flags);
    }

    private void AddWriting<TArguments, TFailure>(RpcProgram program, uint number, string name, WritingHandler<TArguments> handler)
        where TArguments : IXdr<TArguments>
        where TFailure : INfs3Result<TFailure>
    {
        program.WritingProcedure<TArguments>(
            Version,
            number,
            name,
            (call, arguments, reply) =>
            {
                int start = reply.Position;
                try
                {
                    handler(call, arguments, reply);
                }
                catch (Exception exception) when (exception is not RpcAuthException)
                {
                    // As above; what was written of the reply is taken back.
                    NfsLog.FileSystemFailed(_logger, exception, name);
                    reply.Position = start;
                    TFailure.Failure(Nfsstat3.ServerFault).Write(reply);
                }
            },
            RpcProcedureFlags.Idempotent);
    }

    private NfsStatus Open(RpcCall call, in NfsFh3 handle, out NfsObject found) => _exports.Open(call, handle.Bytes, out found);

    /// <summary>Opens a directory in which <paramref name="name"/> is to be made, changed or removed.</summary>
    private NfsStatus OpenForChange(RpcCall call, in NfsFh3 handle, ReadOnlyMemory<byte> name, NfsNameUse use, out NfsObject directory)
    {
        NfsStatus status = Open(call, handle, out directory);
        if (status == NfsStatus.Ok)
            status = directory.CheckWritable();
        return status == NfsStatus.Ok ? CheckName(name.Span, use) : status;
    }

    private static NfsStatus CheckName(ReadOnlySpan<byte> name, NfsNameUse use)
    {
        NfsStatus status = NfsName.Check(name, use);
        return status == NfsStatus.Ok && name.Length > MaxNameLength ? NfsStatus.NameTooLong : status;
    }

    /// <summary>The wire's form of a handle of <paramref name="within"/>'s export.</summary>
    public NfsFh3 Seal(in NfsObject within, in NfsHandle handle)
    {
        Span<byte> bytes = stackalloc byte[FileHandleSeal.MaxSealedLength];
        return new NfsFh3(bytes[.._exports.Seal(within, handle, bytes)]);
    }

    /// <summary>The attributes for a reply: those that came with the operation, or those of now. Null while no object was opened.</summary>
    private static PostOpAttr AttributesOf(in NfsObject found, in NfsAttributes? given = null) =>
        found.FileSystem is null ? default : PostOpAttr.From(found.Complete(given));

    /// <summary>As <see cref="AttributesOf"/>, for an object that was to be changed.</summary>
    private static WccData WccOf(in NfsObject found, in NfsChange given = default) =>
        found.FileSystem is null ? default : WccData.From(found.Complete(given));

    private uint MaxTransferOf(RpcCall call) => call.Transport == RpcTransport.Udp ? Math.Min(_maxTransfer, MaxUdpTransfer) : _maxTransfer;
}
