using Kworker.SunRpc;

namespace Kworker.Nfs3;

/// <summary>The results of a procedure, as far as all procedures have them in common.</summary>
internal interface INfs3Result<TSelf> : IXdr<TSelf>
    where TSelf : INfs3Result<TSelf>
{
    /// <summary>What became of the call.</summary>
    Nfsstat3 Status { get; }

    /// <summary>A failure about which nothing but its status is known.</summary>
    static abstract TSelf Failure(Nfsstat3 status);
}
