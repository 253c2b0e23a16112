using System.Buffers;
using System.Diagnostics;
using System.Net;

namespace Kworker.SunRpc;

/// <summary>
/// A call being answered: who calls what, from where. Handed to the procedure's handler, and another call's as soon as that has ended.
/// </summary>
/// <remarks>Not thread-safe. Keep neither it nor what it gives past the handler's end.</remarks>
[DebuggerDisplay("xid {Xid}: program {Program}, version {Version}, procedure {Procedure}")]
public sealed class RpcCall
{
    private readonly AuthSys _sys = new();
    private byte[] _request = []; // from ArrayPool; empty when there is none
    private int _requestLength;
    private bool _hasSys;

    internal RpcCall(RpcDispatcher dispatcher)
    {
        Work = new Work<RpcCall>(this, dispatcher.Execute);
        Resume = () => dispatcher.Submit(this);
    }

    /// <summary>The call's number, chosen by the client.</summary>
    public uint Xid { get; private set; }

    /// <summary>The program that is called.</summary>
    public uint Program { get; private set; }

    /// <summary>The version of the program that is called.</summary>
    public uint Version { get; private set; }

    /// <summary>The procedure that is called.</summary>
    public uint Procedure { get; private set; }

    /// <summary>How the caller says who it is.</summary>
    public RpcAuthFlavor Flavor { get; private set; }

    /// <summary>Who the caller says it is; null unless <see cref="Flavor"/> is <see cref="RpcAuthFlavor.Sys"/>.</summary>
    public AuthSys? Sys => _hasSys ? _sys : null;

    /// <summary>What carries the call.</summary>
    public RpcTransport Transport { get; internal set; }

    /// <summary>Where the call comes from. An IPv4 address is never in its IPv6-mapped form.</summary>
    public IPEndPoint RemoteEndPoint { get; internal set; } = null!;

    /// <summary>The address and port that the caller reached.</summary>
    public IPEndPoint LocalEndPoint { get; internal set; } = null!;

    /// <summary>Whether the worker that read it runs it, alone: nobody else has a reply for the same connection soon.</summary>
    internal bool RunsWhereRead { get; set; }

    /// <summary>The work item that runs this call, and the next one that the object is used for.</summary>
    internal Work<RpcCall> Work { get; }

    /// <summary>Puts the work item on the queue again, to go on with a handler that awaited.</summary>
    internal Action Resume { get; }

    /// <summary>What a handler that awaits left to be finished; null while there is none.</summary>
    internal ValueTask? Unfinished { get; set; }

    /// <summary>The connection that the call came over; null over UDP.</summary>
    internal RpcConnection? Connection => Peer.Handle;

    /// <summary>Where the reply goes.</summary>
    internal RpcPeer Peer { get; set; } = null!;

    /// <summary>Where the reply message grows, behind <see cref="ReplyStart"/>.</summary>
    internal XdrWriter Reply { get; } = new();

    /// <summary>Bytes before the reply message that belong to the transport: the record mark.</summary>
    internal int ReplyStart { get; private set; }

    internal ReadOnlyMemory<byte> ReplyMessage => Reply.Written[ReplyStart..];

    /// <summary>The call's entry in the duplicate-request cache, while it runs; null if it has none.</summary>
    internal ReplyCacheEntry<RpcCall>? CacheEntry { get; set; }

    /// <summary>Bytes of the request message, header included.</summary>
    public int RequestLength => _requestLength;

    internal ReadOnlyMemory<byte> Request => _request.AsMemory(0, _requestLength);

    internal ReadOnlyMemory<byte> Arguments { get; private set; }

    /// <summary>
    /// Whether the arguments were read whole: an <see cref="XdrException"/> before is GARBAGE_ARGS, one after is the handler's.
    /// </summary>
    internal bool ArgumentsRead { get; set; }

    /// <summary>Takes the request's bytes, in an array from the pool, and makes ready for a reply.</summary>
    /// <param name="request">The array.</param>
    /// <param name="length">The bytes of it that are the request.</param>
    /// <param name="replyStart">Bytes that the transport needs before the reply.</param>
    /// <param name="maximumReply">Bytes that the reply may take, those included.</param>
    internal void Begin(byte[] request, int length, int replyStart, int maximumReply)
    {
        _request = request;
        _requestLength = length;
        ReplyStart = replyStart;
        Reply.Maximum = maximumReply;
        RestartReply();
    }

    /// <summary>Forgets what was written of the reply.</summary>
    internal void RestartReply()
    {
        Reply.Position = 0;
        if (ReplyStart == 4)
            Reply.WriteUInt32(0);
    }

    /// <summary>Takes over what the header says.</summary>
    internal void SetHeader(in RpcCallHeader header, ReadOnlyMemory<byte> arguments)
    {
        Xid = header.Xid;
        Program = header.Program;
        Version = header.Version;
        Procedure = header.Procedure;
        Flavor = header.CredentialFlavor;
        Arguments = arguments;
    }

    /// <summary>Checks the credential and verifier of a call that is not to procedure 0.</summary>
    internal RpcAuthStatus Authenticate(in RpcCallHeader header)
    {
        switch (header.CredentialFlavor)
        {
            case RpcAuthFlavor.None when !header.Credential.IsEmpty:
                return RpcAuthStatus.BadCredential;
            case RpcAuthFlavor.None:
                break;
            case RpcAuthFlavor.Sys:
                if (!_sys.TryRead(header.Credential))
                    return RpcAuthStatus.BadCredential;
                _hasSys = true;
                break;
            default:
                return RpcAuthStatus.BadCredential;
        }
        // Both flavors come with the verifier AUTH_NONE (RFC 5531, 10.1 and appendix A).
        return header.VerifierFlavor == RpcAuthFlavor.None && header.Verifier.IsEmpty ? RpcAuthStatus.Ok : RpcAuthStatus.BadVerifier;
    }

    /// <summary>Gives the buffers back and forgets the caller.</summary>
    internal void Reset()
    {
        byte[] request = _request;
        _request = [];
        _requestLength = 0;
        Arguments = default;
        ArgumentsRead = false;
        _hasSys = false;
        RunsWhereRead = false;
        Unfinished = null;
        CacheEntry = null;
        Reply.Dispose();
        if (request.Length > 0)
            ArrayPool<byte>.Shared.Return(request);
    }
}
