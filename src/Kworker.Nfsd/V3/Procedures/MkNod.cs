using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

// MKNOD, RFC 1813 section 3.3.11. Its results are CREATE's.

internal sealed partial class Nfs3Program
{
    internal static Nfs3Errors MkNodErrors { get; } = new(
        NfsStatus.Io, NfsStatus.Acces, NfsStatus.Exist, NfsStatus.NotDir, NfsStatus.NoSpc, NfsStatus.RoFs, NfsStatus.NameTooLong,
        NfsStatus.DQuot, NfsStatus.NotSupp, NfsStatus.BadType);

    private Create3Res MkNod(RpcCall call, in MkNod3Args arguments)
    {
        NfsFile file = default;
        NfsChange change = default;
        MknodData3 what = arguments.What;
        NfsAttributeChanges attributes = default;
        NfsStatus status = OpenForChange(call, arguments.Where.Dir, arguments.Where.Name, NfsNameUse.Create, out NfsObject directory);
        bool isDevice = what.Type is Ftype3.Character or Ftype3.Block;
        if (status == NfsStatus.Ok && !isDevice && what.Type is not (Ftype3.Socket or Ftype3.Fifo))
            status = NfsStatus.BadType;
        if (status == NfsStatus.Ok && !(isDevice ? what.Device.DevAttributes : what.PipeAttributes).TryGetChanges(out attributes))
            status = NfsStatus.Inval;
        if (status == NfsStatus.Ok)
        {
            var special = new NfsSpecialFile((NfsFileType)what.Type, attributes, what.Device.Spec.Specdata1, what.Device.Spec.Specdata2);
            status = directory.FileSystem.MakeSpecial(
                directory.Caller, directory.Handle, arguments.Where.Name.Span, special, out file, out change);
        }
        return Created(MkNodErrors, status, directory, file, change);
    }
}
