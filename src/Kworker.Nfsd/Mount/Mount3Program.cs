using System.Text;
using Kworker.Nfsd.Exports;
using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;
using Microsoft.Extensions.Logging;

namespace Kworker.Nfsd.Mount;

/// <summary>The MOUNT protocol, version 3 (RFC 1813 section 5): program 100005. Thread-safe.</summary>
internal sealed class Mount3Program(ServedExports exports, MountTable mounts, ILogger logger)
{
    public const uint Number = 100005;
    public const uint Version = 3;

    private const int MaxPathLength = 1024; // MNTPATHLEN
    private const int MaxNameLength = 255; // MNTNAMLEN

    // SYS is what clients take; NONE makes everyone the anonymous user.
    private static readonly RpcAuthFlavors s_flavors = new([(int)RpcAuthFlavor.Sys, (int)RpcAuthFlavor.None]);

    public RpcProgram ToRpcProgram() => new RpcProgram(Number, "mount")
        .Procedure<DirPath, MountRes3>(Version, 1, "MNT", Mnt, RpcProcedureFlags.Idempotent)
        .WritingProcedure<XdrVoid>(Version, 2, "DUMP", Dump, RpcProcedureFlags.Idempotent)
        .Procedure<DirPath, XdrVoid>(Version, 3, "UMNT", Umnt, RpcProcedureFlags.Idempotent)
        .Procedure<XdrVoid, XdrVoid>(Version, 4, "UMNTALL", UmntAll, RpcProcedureFlags.Idempotent)
        .WritingProcedure<XdrVoid>(Version, 5, "EXPORT", Export, RpcProcedureFlags.Idempotent);

    // Section 5.2.1.
    private MountRes3 Mnt(RpcCall call, DirPath arguments)
    {
        ReadOnlySpan<byte> path = arguments.Path.Span;
        if (path.Length > MaxPathLength)
            return new MountRes3(Mountstat3.NameTooLong);
        NfsStatus status;
        NfsObject directory;
        try
        {
            status = exports.Mount(call, path, out directory);
        }
        catch (Exception exception)
        {
            // A fault of a file system that somebody plugged in: told to the log, and to the client in the protocol's own words.
            NfsLog.FileSystemFailed(logger, exception, "MNT");
            return new MountRes3(Mountstat3.ServerFault);
        }
        if (status != NfsStatus.Ok)
            return new MountRes3(Map(status));
        mounts.Add(call.RemoteEndPoint.Address, path);
        NfsLog.Mounted(logger, call.RemoteEndPoint, ExportPath.Show(path));
        var handle = new byte[FileHandleSeal.MaxSealedLength];
        int length = exports.Seal(directory, directory.Handle, handle);
        return new MountRes3(Mountstat3.Ok, new MountRes3Ok(handle[..length], s_flavors));
    }

    // Section 5.2.2.
    private void Dump(RpcCall call, XdrVoid arguments, XdrWriter reply) => WriteList(reply, mounts.List());

    // Section 5.2.3.
    private XdrVoid Umnt(RpcCall call, DirPath arguments)
    {
        ReadOnlySpan<byte> path = arguments.Path.Span;
        if (path.Length <= MaxPathLength && mounts.Remove(call.RemoteEndPoint.Address, path))
            NfsLog.Unmounted(logger, call.RemoteEndPoint, ExportPath.Show(path));
        return default;
    }

    // Section 5.2.4.
    private XdrVoid UmntAll(RpcCall call, XdrVoid arguments)
    {
        mounts.RemoveAll(call.RemoteEndPoint.Address);
        return default;
    }

    // Section 5.2.5. The groups are the clients as exports(5) names them, "*" for everyone.
    private void Export(RpcCall call, XdrVoid arguments, XdrWriter reply) => WriteList(
        reply,
        exports.Now.Exports
            .Where(export => export.PathBytes.Length <= MaxPathLength)
            .Select(export => new ExportNode(
                export.PathBytes.ToArray(),
                [.. export.Clients.Select(client => new GroupNode(Encoding.UTF8.GetBytes(client.Pattern))).Where(group => group.Name.Length <= MaxNameLength)])));

    /// <summary>Writes a linked list as far as it fits the reply, which may be a datagram.</summary>
    private static void WriteList<T>(XdrWriter reply, IEnumerable<T> items)
        where T : IXdr<T>
    {
        const int End = 4;
        foreach (T item in items)
        {
            int start = reply.Position;
            bool fits;
            try
            {
                reply.WriteBoolean(true);
                item.Write(reply);
                fits = reply.Available >= End;
            }
            catch (XdrException)
            {
                fits = false; // Past the reply's limit: it is taken back, and the list ends before it.
            }
            if (fits)
                continue;
            reply.Position = start;
            break;
        }
        reply.WriteBoolean(false);
    }

    private static Mountstat3 Map(NfsStatus status) => status switch
    {
        NfsStatus.Perm => Mountstat3.Perm,
        NfsStatus.NoEnt or NfsStatus.Stale => Mountstat3.NoEnt,
        NfsStatus.Io => Mountstat3.Io,
        NfsStatus.Acces => Mountstat3.Acces,
        NfsStatus.NotDir => Mountstat3.NotDir,
        NfsStatus.Inval => Mountstat3.Inval,
        NfsStatus.NameTooLong => Mountstat3.NameTooLong,
        NfsStatus.NotSupp => Mountstat3.NotSupp,
        _ => Mountstat3.ServerFault,
    };
}
