namespace Kworker.Interop.Peers;

/// <summary>How to run the daemon without root's rights: as nobody if these tests are root's, with a copy of it that nobody may read.</summary>
/// <param name="Nfsd">The daemon.</param>
/// <param name="RunBy">What stands before its command line.</param>
/// <param name="Owner">The user and group that its directories are to have; null: the tests' own.</param>
internal sealed record Nobody(string Nfsd, IReadOnlyList<string> RunBy, string? Owner)
{
    /// <param name="directory">Takes the copy.</param>
    public static Nobody Of(TemporaryDirectory directory)
    {
        if (!Machine.IsRoot)
            return new Nobody(Machine.Nfsd, [], null);
        var copy = directory.Folder("nfsd");
        Command.Run("cp", ["-r", Path.GetDirectoryName(Machine.Nfsd)! + "/.", copy]).Succeeds();
        Command.Run("chmod", ["-R", "a+rX", copy]).Succeeds();
        return new Nobody(Path.Combine(copy, "nfsd"), [Machine.NeedCommand("setpriv", "util-linux"), "--reuid=65534", "--regid=65534", "--clear-groups"], "65534:65534");
    }
}
