using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// DEALLOCATE, RFC 7862 section 15.4.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 Deallocate(CompoundContext context, ref XdrReader arguments, XdrWriter reply) =>
        ChangeStorage(context, ref arguments, static (INfsSparseFiles files, in NfsObject file, ulong offset, ulong length, out NfsChange change) =>
            files.Deallocate(file.Caller, file.Handle, offset, length, out change));
}
