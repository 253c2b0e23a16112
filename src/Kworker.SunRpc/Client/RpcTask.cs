using System.Buffers;
using System.Diagnostics;

namespace Kworker.SunRpc;

/// <summary>
/// A call from being made to its reply (<c>struct rpc_task</c>). What happens then is the subclass's: a waiter is woken, or a function is
/// called on the client's work queue.
/// </summary>
/// <remarks>All fields but those that say otherwise belong to the client's lock until the task is done, and to its owner after that.</remarks>
[DebuggerDisplay("xid {Xid}, sent {Sends} times")]
internal abstract class RpcTask
{
    private byte[] _reply = [];
    private int _replyLength;

    internal uint Xid { get; set; }

    /// <summary>The record: four bytes of record mark, which a datagram leaves out, and the message. Null once done and not being sent.</summary>
    internal XdrWriter? Message { get; set; }

    /// <summary>For messages: what was called.</summary>
    internal string What { get; set; } = "";

    /// <summary>Stands in the line of those to be sent.</summary>
    internal bool IsQueued { get; set; }

    /// <summary>A sender reads <see cref="Message"/> now: only it may let go of it.</summary>
    internal bool IsSending { get; set; }

    /// <summary>Its wait ended while it was being sent: it goes into the line again after that.</summary>
    internal bool IsDueAgain { get; set; }

    /// <summary>In the table of calls in flight: not answered, failed or cancelled.</summary>
    internal bool IsInFlight { get; set; }

    /// <summary>How often the message went out.</summary>
    internal int Sends { get; set; }

    /// <summary>When the present wait for the reply ends, in time stamps of the client's clock.</summary>
    internal long Deadline { get; set; }

    /// <summary>When patience ends.</summary>
    internal long MajorDeadline { get; set; }

    /// <summary>The present wait.</summary>
    internal TimeSpan Timeout { get; set; }

    /// <summary>Why there is no reply; null if there is one.</summary>
    internal Exception? Error { get; set; }

    /// <summary>Takes over a pooled array with the reply.</summary>
    internal void SetReply(byte[] reply, int length)
    {
        _reply = reply;
        _replyLength = length;
    }

    /// <summary>It is done: called once, without locks.</summary>
    internal abstract void Finish();

    /// <summary>The results, after the reply's head has been checked. The bytes are valid until <see cref="ReleaseReply"/>.</summary>
    /// <exception cref="RpcClientException">The call failed, or was answered with an error.</exception>
    /// <exception cref="RpcTimeoutException">There was no reply in time.</exception>
    /// <exception cref="XdrException">The reply is none.</exception>
    internal XdrReader Results()
    {
        switch (Error)
        {
            case null:
                break;
            case RpcTimeoutException timeout:
                throw new RpcTimeoutException(timeout.Message); // anew, for this stack
            default:
                throw new RpcClientException($"{What}: {Error.Message}", null, Error);
        }
        var reader = new XdrReader(_reply.AsSpan(0, _replyLength));
        ReadReplyHead(ref reader, What);
        return reader;
    }

    /// <summary>Gives the reply's bytes back to the pool.</summary>
    internal void ReleaseReply()
    {
        byte[] reply = _reply;
        _reply = [];
        _replyLength = 0;
        if (reply.Length > 0)
            ArrayPool<byte>.Shared.Return(reply);
    }

    // RFC 5531, 9. The xid has been looked at, and that it is a reply.
    private static void ReadReplyHead(ref XdrReader reader, string what)
    {
        reader.ReadUInt32();
        reader.ReadUInt32();
        if (reader.ReadUInt32() != RpcMessageConstants.Accepted)
        {
            if (reader.ReadUInt32() == RpcMessageConstants.RpcMismatch)
                throw new RpcClientException($"{what}: denied, RPC version 2 is not spoken");
            var reason = (RpcAuthStatus)reader.ReadInt32();
            throw new RpcClientException($"{what}: denied, {reason}") { AuthStatus = reason };
        }
        reader.ReadUInt32(); // the verifier: AUTH_NONE from servers that know AUTH_SYS
        reader.ReadOpaque(RpcMessageConstants.MaximumAuthBody);
        var status = (RpcAcceptStatus)reader.ReadInt32();
        if (status != RpcAcceptStatus.Success)
            throw new RpcClientException($"{what}: {status}", status);
    }
}
