using Kworker.Nfsd.FileSystem;

namespace Kworker.Nfsd.V4;

/// <summary>What of a file system's errors becomes an NFSv4 one.</summary>
internal static class Nfs4Errors
{
    /// <summary>The status of the same meaning.</summary>
    public static Nfsstat4 Of(NfsStatus status) => status switch
    {
        NfsStatus.NoDev => Nfsstat4.Nxio,
        NfsStatus.NotSync => Nfsstat4.ServerFault, // There is no guard in NFSv4.
        NfsStatus.Remote => Nfsstat4.ServerFault,
        _ => (Nfsstat4)status, // The same numbers.
    };
}
