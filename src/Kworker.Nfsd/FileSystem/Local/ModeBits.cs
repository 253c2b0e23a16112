namespace Kworker.Nfsd.FileSystem.Local;

/// <summary>The permission check of POSIX by owner, group and other, for a server that cannot let the kernel do it (path_resolution(7)). Access control lists are not seen.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
internal static class ModeBits
{
    /// <summary>Whether <paramref name="caller"/> has all of <paramref name="wanted"/> (<see cref="Libc.R_OK"/> and so on).</summary>
    public static bool Allows(NfsCredentials caller, in StatX file, int wanted)
    {
        if (caller.Uid == 0)
            return (wanted & Libc.X_OK) == 0 || file.IsDirectory || (file.Mode & 0b001_001_001) != 0;
        int shift = caller.Uid == file.Uid ? 6 : caller.IsInGroup(file.Gid) ? 3 : 0;
        return (file.Mode >> shift & wanted) == wanted;
    }

    /// <summary>Whether <paramref name="caller"/> may remove or rename <paramref name="file"/> in <paramref name="directory"/> as far as the sticky bit goes.</summary>
    public static bool AllowsRemoval(NfsCredentials caller, in StatX directory, in StatX file) =>
        (directory.Mode & 0x200) == 0 || IsOwner(caller, directory) || IsOwner(caller, file);

    /// <summary>Whether <paramref name="caller"/> may do what is the owner's.</summary>
    public static bool IsOwner(NfsCredentials caller, in StatX file) => caller.Uid == 0 || caller.Uid == file.Uid;
}
