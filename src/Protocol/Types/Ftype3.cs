using Kworker.SunRpc;

namespace Kworker.Nfs3;

/// <summary><c>ftype3</c>, RFC 1813 section 2.6. The same numbers as <c>NfsFileType</c> of the server's file systems.</summary>
[Xdr]
internal enum Ftype3
{
    Regular = 1,
    Directory = 2,
    Block = 3,
    Character = 4,
    Link = 5,
    Socket = 6,
    Fifo = 7,
}
