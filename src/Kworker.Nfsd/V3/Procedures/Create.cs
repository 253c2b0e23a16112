using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

// CREATE, RFC 1813 section 3.3.8.

internal sealed partial class Nfs3Program
{
    internal static Nfs3Errors CreateErrors { get; } = new(
        NfsStatus.Io, NfsStatus.Acces, NfsStatus.Exist, NfsStatus.NotDir, NfsStatus.NoSpc, NfsStatus.RoFs, NfsStatus.NameTooLong,
        NfsStatus.DQuot, NfsStatus.NotSupp);

    private Create3Res Create(RpcCall call, in Create3Args arguments)
    {
        NfsFile file = default;
        NfsChange change = default;
        NfsStatus status = OpenForChange(call, arguments.Where.Dir, arguments.Where.Name, NfsNameUse.Create, out NfsObject directory);
        if (status == NfsStatus.Ok && !arguments.How.ObjAttributes.TryGetChanges(out _))
            status = NfsStatus.Inval;
        if (status == NfsStatus.Ok)
        {
            arguments.How.ObjAttributes.TryGetChanges(out NfsAttributeChanges changes);
            var how = new NfsCreateHow((NfsCreateMode)arguments.How.Mode, changes, arguments.How.Verf);
            status = directory.FileSystem.Create(
                directory.Caller, directory.Handle, arguments.Where.Name.Span, how, out file, out change);
        }
        return Created(CreateErrors, status, directory, file, change);
    }

    /// <summary>The results of everything that makes a file.</summary>
    private Create3Res Created(Nfs3Errors errors, NfsStatus status, in NfsObject directory, in NfsFile file, in NfsChange change)
    {
        WccData wcc = WccOf(directory, change);
        if (status != NfsStatus.Ok)
            return new Create3Res(errors.Of(status), Fail: wcc);
        return new Create3Res(
            Nfsstat3.Ok, new Create3ResOk(new PostOpFh3(Seal(directory, file.Handle)), PostOpAttr.From(file.Attributes), wcc));
    }
}
