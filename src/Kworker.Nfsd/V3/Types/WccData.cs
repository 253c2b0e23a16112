using Kworker.Nfsd.FileSystem;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

/// <summary><c>wcc_attr</c>, RFC 1813 section 2.6.</summary>
[Xdr]
internal readonly partial record struct WccAttr(ulong Size, NfsTime3 Mtime, NfsTime3 Ctime);

/// <summary><c>wcc_data</c>, RFC 1813 section 2.6: by which a client sees whether anybody else changed what it has cached.</summary>
[Xdr]
internal readonly partial record struct WccData(WccAttr? Before, PostOpAttr After)
{
    public static WccData From(in NfsChange change) => new(
        change.Before is { } before ? new WccAttr(before.Size, NfsTime3.From(before.ModifyTime), NfsTime3.From(before.ChangeTime)) : null,
        PostOpAttr.From(change.After));
}
