using System.Collections.Concurrent;
using System.Diagnostics;
using Kworker.Nfsd.V4;
using Kworker.SunRpc;

namespace Kworker.Nfsd.State;

/// <summary>What a session's client is called for, one call at a time, by one slot (RFC 8881 section 2.10.3): hints that a lock is free.</summary>
/// <remarks>
/// One work item sends what is due; it alone uses the slot. Whoever does not answer in time, or not in the protocol's words, is not called over that
/// connection any more until it binds it anew, and reads so in SEQUENCE's answers: nothing waits for him longer than for one call.
/// </remarks>
[DebuggerDisplay("{_due.Count} due, sequence {_seqid}")]
internal sealed class BackChannel
{
    private const uint CallbackVersion = 1;
    private const uint CompoundProcedure = 1;
    private const uint OperationsNeeded = 2; // CB_SEQUENCE and another
    private const uint MostOverhead = 256; // bytes of a call beside the handle and the owner's name, which a credential of AUTH_SYS comes to
    private const int MaximumAttempts = 4;
    private const int MaximumDelays = 20;
    private static readonly TimeSpan s_delay = TimeSpan.FromMilliseconds(100);

    private readonly Session _session;
    private readonly ConcurrentQueue<LockNotice> _due = new(); // taken out by _sending alone
    private readonly DelayedWork<BackChannel> _sending;
    private volatile bool _isFaulty;

    // Of _sending, which never runs twice at once.
    private uint _seqid = 1; // of the next call; of the last one while it is not known whether the client has seen that
    private int _delays;

    public BackChannel(Session session)
    {
        _session = session;
        _sending = new DelayedWork<BackChannel>(this, static (channel, cancellation) => channel.SendAsync(cancellation));
    }

    /// <summary>We and the client do not agree about the slot any more, and cannot find together: it needs another session (BACKCHANNEL_FAULT).</summary>
    public bool IsFaulty => _isFaulty;

    /// <summary>Whether the client could be told something now.</summary>
    public bool CanTell => !_isFaulty && _session.Back.MaxOperations >= OperationsNeeded && _session.FindBackChannel() is not null;

    /// <summary>A lock is free that was refused to the session's client. Takes no lock; called with some held.</summary>
    public void Tell(LockNotice notice)
    {
        if (_session.IsGone || _due.Count >= _session.State.MaximumNotices)
            return; // The client asks from time to time anyway.
        _due.Enqueue(notice);
        _session.State.CallbackQueue.Queue(_sending, TimeSpan.Zero);
    }

    /// <summary>The session is gone: what is due is forgotten.</summary>
    public void Cancel() => _sending.Cancel();

    /// <summary>Nothing is sent any more when this is done.</summary>
    public async ValueTask StopAsync() => await _sending.DisableSyncAsync();

    private async ValueTask SendAsync(CancellationToken cancellationToken)
    {
        while (_due.TryPeek(out LockNotice? notice))
        {
            if (!await TrySendAsync(notice, cancellationToken) && ++_delays <= MaximumDelays)
            {
                if (!_session.IsGone)
                    _session.State.CallbackQueue.Queue(_sending, s_delay);
                return;
            }
            _delays = 0;
            _due.TryDequeue(out _);
            NfsState.Forget(notice);
        }
    }

    /// <returns>False if the client wants it later. True if it was told, or cannot be.</returns>
    private async ValueTask<bool> TrySendAsync(LockNotice notice, CancellationToken cancellationToken)
    {
        for (int attempt = 0; attempt < MaximumAttempts; attempt++)
        {
            if (_session.IsGone || _isFaulty || _session.Back.MaxRequest < MostOverhead + notice.Handle.Length + notice.Name.Bytes.Length)
                return true;
            if (_session.FindBackChannel() is not { } connection)
                return true;
            var sequence = new CbSequence4Args(_session.Id, _seqid, 0, 0, false, []);
            Nfsstat4? status = await CallAsync(connection, sequence, notice, cancellationToken);
            switch (status)
            {
                case Nfsstat4.Ok:
                    _seqid++;
                    return true;
                case Nfsstat4.Delay:
                    return false;
                case Nfsstat4.RetryUncachedRep or Nfsstat4.SeqFalseRetry:
                    _seqid++; // it had seen the call whose answer we did not
                    break;
                case Nfsstat4.SeqMisordered when _seqid != 1:
                    _seqid = 1; // it has begun anew
                    break;
                case null:
                    _session.Unbind(connection); // over another one, if there is one, by the same number
                    break;
                default:
                    _isFaulty = true;
                    StateLog.BackChannelFaulty(_session.State.Logger, _session.Client.ToString(), status.Value);
                    return true;
            }
        }
        return true;
    }

    /// <returns>CB_SEQUENCE's status; null if there was no answer that makes sense.</returns>
    private async ValueTask<Nfsstat4?> CallAsync(
        RpcConnection connection, CbSequence4Args sequence, LockNotice notice, CancellationToken cancellationToken)
    {
        const uint minorVersion = 1;
        (uint program, RpcCredential credential) = _session.Callback;
        var arguments = new CbCompound4Args(
            default, minorVersion, 0,
            [
                new CbArgument4(CallbackOperation.Sequence, Sequence: sequence),
                new CbArgument4(
                    CallbackOperation.NotifyLock,
                    NotifyLock: new CbNotifyLock4Args(notice.Handle, new StateOwner4(_session.Client.Id, notice.Name.Bytes))),
            ]);
        try
        {
            CbCompound4Result result = await connection.CallAsync<CbCompound4Args, CbCompound4Result>(
                program, CallbackVersion, CompoundProcedure, credential, arguments, _session.State.CallbackPatience, cancellationToken);
            if (result.SequenceStatus(sequence) is { } status)
                return status;
            StateLog.CallbackFailed(_session.State.Logger, _session.Client.ToString(), "it answers something else");
        }
        catch (Exception exception) when (exception is RpcClientException or RpcTimeoutException or XdrException or OperationCanceledException)
        {
            StateLog.CallbackFailed(_session.State.Logger, _session.Client.ToString(), exception.Message);
        }
        return null;
    }
}
