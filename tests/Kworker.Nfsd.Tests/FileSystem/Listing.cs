using Kworker.Nfsd.FileSystem;

namespace Kworker.Nfsd.Tests.FileSystem;

/// <summary>Reads directories as a client does: some entries a call, then on from the last cookie.</summary>
internal sealed class Listing(int room) : INfsDirectoryVisitor
{
    public sealed record Entry(byte[] Name, ulong FileId, ulong Cookie, NfsFile? File);

    public List<Entry> Entries { get; } = [];

    public bool Visit(in NfsDirectoryEntry entry)
    {
        if (Entries.Count == room)
            return false;
        Entries.Add(new Entry(entry.Name.ToArray(), entry.FileId, entry.Cookie, entry.File));
        return true;
    }

    public static IEnumerable<Entry> Of(Served served, NfsHandle directory, int entriesPerCall = 100, bool withFiles = false) =>
        Of(served.Fs, directory, entriesPerCall, withFiles);

    public static IEnumerable<Entry> Of(INfsFileSystem system, NfsHandle directory, int entriesPerCall = 100, bool withFiles = false, NfsCredentials? caller = null)
    {
        ulong cookie = 0, verifier = 0;
        bool isEnd = false;
        while (!isEnd)
        {
            var part = new Listing(entriesPerCall);
            Assert.Equal(NfsStatus.Ok, system.ReadDirectory(
                caller ?? NfsCredentials.Root, directory, cookie, verifier, withFiles, part, out NfsDirectoryRead read));
            foreach (Entry entry in part.Entries)
            {
                cookie = entry.Cookie;
                yield return entry;
            }
            isEnd = read.IsEnd;
            verifier = read.Verifier;
        }
    }
}
