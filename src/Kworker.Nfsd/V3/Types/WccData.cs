using Kworker.Nfsd.FileSystem;

namespace Kworker.Nfs3;

internal readonly partial record struct WccData
{
    public static WccData From(in NfsChange change) => new(
        change.Before is { } before ? new WccAttr(before.Size, NfsTime3.From(before.ModifyTime), NfsTime3.From(before.ChangeTime)) : null,
        PostOpAttr.From(change.After));
}
