using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

// FSINFO, RFC 1813 section 3.3.19.

internal sealed partial class Nfs3Program
{
    private const uint TransferMultiple = 4096;
    private const uint PreferredDirectoryTransfer = 64 << 10;

    // FSF3_LINK, FSF3_SYMLINK, FSF3_HOMOGENEOUS, FSF3_CANSETTIME.
    private const uint HasLinks = 0x01;
    private const uint HasSymbolicLinks = 0x02;
    private const uint IsHomogeneous = 0x08;
    private const uint CanSetTime = 0x10;

    internal static Nfs3Errors FsInfoErrors { get; } = new();

    private FsInfo3Res FsInfo(RpcCall call, in FsInfo3Args arguments)
    {
        NfsCapabilities capabilities = default;
        NfsAttributes? attributes = null;
        NfsStatus status = Open(call, arguments.Fsroot, out NfsObject file);
        if (status == NfsStatus.Ok)
            status = file.FileSystem.GetCapabilities(file.Caller, file.Handle, out capabilities, out attributes);
        PostOpAttr fileAttributes = AttributesOf(file, attributes);
        if (status != NfsStatus.Ok)
            return new FsInfo3Res(FsInfoErrors.Of(status), Fail: fileAttributes);

        uint transfer = MaxTransferOf(call);
        uint properties = (capabilities.HasHardLinks ? HasLinks : 0) | (capabilities.HasSymbolicLinks ? HasSymbolicLinks : 0)
            | (capabilities.IsHomogeneous ? IsHomogeneous : 0) | (capabilities.CanSetTime ? CanSetTime : 0);
        return new FsInfo3Res(
            Nfsstat3.Ok,
            new FsInfo3ResOk(
                fileAttributes, transfer, transfer, TransferMultiple, transfer, transfer, TransferMultiple,
                Math.Min(transfer, PreferredDirectoryTransfer), capabilities.MaxFileSize, NfsTime3.From(capabilities.TimeGranularity),
                properties));
    }
}
