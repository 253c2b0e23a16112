using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

// LOOKUP, RFC 1813 section 3.3.3.

internal sealed partial class Nfs3Program
{
    internal static Nfs3Errors LookupErrors { get; } = new(
        NfsStatus.Io, NfsStatus.NoEnt, NfsStatus.Acces, NfsStatus.NotDir, NfsStatus.NameTooLong);

    private Lookup3Res Lookup(RpcCall call, in Lookup3Args arguments)
    {
        NfsFile file = default;
        NfsAttributes? attributes = null;
        ReadOnlySpan<byte> name = arguments.What.Name.Span;
        NfsStatus status = Open(call, arguments.What.Dir, out NfsObject directory);
        if (status == NfsStatus.Ok)
            status = CheckName(name, NfsNameUse.Lookup);
        if (status == NfsStatus.Ok)
            status = directory.FileSystem.Lookup(directory.Caller, directory.Handle, name, out file, out attributes);

        PostOpAttr directoryAttributes = AttributesOf(directory, attributes);
        if (status != NfsStatus.Ok)
            return new Lookup3Res(LookupErrors.Of(status), Fail: directoryAttributes);
        return new Lookup3Res(
            Nfsstat3.Ok, new Lookup3ResOk(Seal(directory, file.Handle), PostOpAttr.From(file.Attributes), directoryAttributes));
    }
}
