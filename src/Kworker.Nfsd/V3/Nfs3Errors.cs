using System.Collections.Frozen;
using Kworker.Nfsd.FileSystem;

namespace Kworker.Nfsd.V3;

/// <summary>
/// The errors that the RFC lists for a procedure, and what becomes of those that it does not list: clients need not know what to make of
/// them there. Immutable.
/// </summary>
internal sealed class Nfs3Errors
{
    /// <summary>For an error that is not listed: the nearest that may be, in this order; then IO, then SERVERFAULT.</summary>
    private static readonly FrozenDictionary<NfsStatus, NfsStatus[]> s_nearest = new Dictionary<NfsStatus, NfsStatus[]>
    {
        [NfsStatus.Perm] = [NfsStatus.Acces],
        [NfsStatus.NoEnt] = [NfsStatus.Stale], // What was to be worked on is gone.
        [NfsStatus.Nxio] = [NfsStatus.Io],
        [NfsStatus.NoDev] = [NfsStatus.Nxio],
        [NfsStatus.NotDir] = [NfsStatus.Inval],
        [NfsStatus.IsDir] = [NfsStatus.Inval, NfsStatus.Exist, NfsStatus.Acces],
        [NfsStatus.Inval] = [NfsStatus.Acces],
        [NfsStatus.FBig] = [NfsStatus.Inval, NfsStatus.NoSpc],
        [NfsStatus.DQuot] = [NfsStatus.NoSpc],
        [NfsStatus.MLink] = [NfsStatus.NoSpc, NfsStatus.Acces], // A directory may be full of subdirectories.
        [NfsStatus.NotEmpty] = [NfsStatus.Exist],
        [NfsStatus.Exist] = [NfsStatus.NotEmpty, NfsStatus.Acces],
        [NfsStatus.NameTooLong] = [NfsStatus.Inval],
        [NfsStatus.NotSupp] = [NfsStatus.RoFs, NfsStatus.Inval],
        [NfsStatus.BadType] = [NfsStatus.NotSupp, NfsStatus.Inval],
        [NfsStatus.BadCookie] = [NfsStatus.Inval],
        [NfsStatus.TooSmall] = [NfsStatus.Inval],
    }.ToFrozenDictionary();

    // No procedure lists JUKEBOX; section 2.6 has it for any that takes too long.
    private static readonly NfsStatus[] s_everywhere = [NfsStatus.Stale, NfsStatus.BadHandle, NfsStatus.ServerFault, NfsStatus.Jukebox];

    private readonly FrozenDictionary<NfsStatus, Nfsstat3> _answers;

    /// <summary>The errors listed for a procedure, besides STALE, BADHANDLE and SERVERFAULT, which all have.</summary>
    public Nfs3Errors(params ReadOnlySpan<NfsStatus> listed)
    {
        HashSet<NfsStatus> allowed = [.. listed, .. s_everywhere];
        Listed = allowed.Select(status => (Nfsstat3)status).ToFrozenSet();
        _answers = Enum.GetValues<NfsStatus>().ToFrozenDictionary(status => status, status => (Nfsstat3)Nearest(status, allowed));
    }

    /// <summary>What the procedure may answer, besides OK.</summary>
    public IReadOnlySet<Nfsstat3> Listed { get; }

    /// <summary>What to answer for <paramref name="status"/>.</summary>
    public Nfsstat3 Of(NfsStatus status) => _answers.GetValueOrDefault(status, Nfsstat3.ServerFault);

    private static NfsStatus Nearest(NfsStatus status, HashSet<NfsStatus> allowed)
    {
        if (status == NfsStatus.Ok || allowed.Contains(status))
            return status;
        foreach (NfsStatus nearest in s_nearest.GetValueOrDefault(status, []))
        {
            if (allowed.Contains(nearest))
                return nearest;
        }
        return allowed.Contains(NfsStatus.Io) ? NfsStatus.Io : NfsStatus.ServerFault;
    }
}
