using Kworker.SunRpc;

namespace Kworker.Nfs;

// The results that the server writes in place and never has as a value (RFC 1813 sections 3.3.5, 3.3.6, 3.3.16, 3.3.17).

/// <summary><c>READLINK3resok</c>.</summary>
[Xdr]
internal readonly partial record struct ReadLink3ResOk(PostOpAttr SymlinkAttributes, [XdrMax(4096)] byte[] Data);

/// <summary><c>READLINK3res</c>.</summary>
[XdrUnion]
internal readonly partial record struct ReadLink3Res(
    Nfsstat3 Status, [XdrCase(Nfsstat3.Ok)] ReadLink3ResOk Ok = default, [XdrDefault] PostOpAttr Fail = default) : INfs3Result<ReadLink3Res>
{
    public static ReadLink3Res Failure(Nfsstat3 status) => new(status);
}

/// <summary><c>entry3</c> without its link, and <c>entryplus3</c>, whose further components are null in READDIR.</summary>
internal readonly record struct DirectoryItem(ulong FileId, byte[] Name, ulong Cookie, Fattr3? Attributes, NfsFh3? Handle);

/// <summary><c>READDIRPLUS3res</c>.</summary>
internal readonly record struct ReadDirPlus3Res(Nfsstat3 Status, PostOpAttr DirAttributes, ulong Cookieverf, DirectoryItem[] Entries, bool Eof)
    : INfs3Result<ReadDirPlus3Res>
{
    public static int MinimumSize => 4;

    public static ReadDirPlus3Res Failure(Nfsstat3 status) => new(status, default, 0, [], true);

    public static ReadDirPlus3Res Read(ref XdrReader reader) => DirectoryList.Read(ref reader, isPlus: true);

    public void Write(XdrWriter writer) => throw new NotSupportedException();
}

/// <summary><c>READDIR3res</c>, in the form of READDIRPLUS.</summary>
internal readonly record struct ReadDir3Res(ReadDirPlus3Res List) : INfs3Result<ReadDir3Res>
{
    public static int MinimumSize => 4;

    public Nfsstat3 Status => List.Status;

    public static ReadDir3Res Failure(Nfsstat3 status) => new(ReadDirPlus3Res.Failure(status));

    public static ReadDir3Res Read(ref XdrReader reader) => new(DirectoryList.Read(ref reader, isPlus: false));

    public void Write(XdrWriter writer) => throw new NotSupportedException();
}

/// <summary>Reads a list of entries; its length is bounded by the bytes of the reply.</summary>
internal static class DirectoryList
{
    private const int MaximumName = 1024; // far past the 255 bytes of any file system

    public static ReadDirPlus3Res Read(ref XdrReader reader, bool isPlus)
    {
        var status = (Nfsstat3)reader.ReadInt32();
        PostOpAttr attributes = PostOpAttr.Read(ref reader);
        if (status != Nfsstat3.Ok)
            return ReadDirPlus3Res.Failure(status);
        ulong verifier = reader.ReadUInt64();
        var entries = new List<DirectoryItem>();
        while (reader.ReadBoolean())
        {
            ulong fileId = reader.ReadUInt64();
            byte[] name = reader.ReadOpaque(MaximumName).ToArray();
            ulong cookie = reader.ReadUInt64();
            entries.Add(new DirectoryItem(
                fileId, name, cookie, isPlus ? PostOpAttr.Read(ref reader).Attributes : null, isPlus ? PostOpFh3.Read(ref reader).Handle : null));
        }
        return new ReadDirPlus3Res(status, attributes, verifier, [.. entries], reader.ReadBoolean());
    }
}
