using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;

namespace Kworker.Nfsd.V4;

/// <summary>What attributes are written from: what the file system said about a file and about itself, as far as it was asked for.</summary>
internal record struct Fattr4Values
{
    /// <summary>The file's.</summary>
    public NfsAttributes Attributes { get; set; }

    /// <summary>The file system's space.</summary>
    public NfsSpace Space { get; set; }

    /// <summary>Its limits.</summary>
    public NfsPathLimits Limits { get; set; }

    /// <summary>Its abilities.</summary>
    public NfsCapabilities Capabilities { get; set; }

    /// <summary>The number of the directory that the file covers, for the root of an export; else the file's own.</summary>
    public ulong MountedOnFileId { get; set; }

    /// <summary>Asks the file system for what <paramref name="asked"/> needs about it as a whole.</summary>
    public NfsStatus AskAboutFileSystem(in NfsObject file, Bitmap4 asked)
    {
        NfsStatus status = NfsStatus.Ok;
        if (asked.Overlaps(Fattr4.OfSpace))
        {
            status = file.FileSystem.GetSpace(file.Caller, file.Handle, out NfsSpace space, out _);
            Space = space;
        }
        if (status == NfsStatus.Ok && asked.Overlaps(Fattr4.OfLimits))
        {
            status = file.FileSystem.GetPathLimits(file.Caller, file.Handle, out NfsPathLimits limits, out _);
            Limits = limits;
        }
        if (status == NfsStatus.Ok && asked.Overlaps(Fattr4.OfCapabilities))
        {
            status = file.FileSystem.GetCapabilities(file.Caller, file.Handle, out NfsCapabilities capabilities, out _);
            Capabilities = capabilities;
        }
        return status;
    }
}
