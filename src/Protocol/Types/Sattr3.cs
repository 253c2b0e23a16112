using Kworker.SunRpc;

namespace Kworker.Nfs3;

/// <summary><c>time_how</c>, RFC 1813 section 2.6.</summary>
[Xdr]
internal enum TimeHow
{
    DontChange = 0,
    SetToServerTime = 1,
    SetToClientTime = 2,
}

/// <summary><c>set_atime</c> and <c>set_mtime</c>, RFC 1813 section 2.6: the same on the wire.</summary>
[XdrUnion(DefaultVoid = true)]
internal readonly partial record struct SetTime(TimeHow SetIt, [XdrCase(TimeHow.SetToClientTime)] NfsTime3 Time = default);

/// <summary><c>sattr3</c>, RFC 1813 section 2.6.</summary>
[Xdr]
internal readonly partial record struct Sattr3(uint? Mode, uint? Uid, uint? Gid, ulong? Size, SetTime Atime, SetTime Mtime);
