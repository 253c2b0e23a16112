using Microsoft.Extensions.Logging;

namespace Kworker.SunRpc;

/// <summary>
/// What a call's work item does: reads the header, finds the procedure, runs it, hands the reply to the transport. A handler that
/// awaits leaves the worker; its end queues the same work item again, which then writes the reply.
/// </summary>
/// <remarks>The order of the checks is Linux's: RPC version, credential, program, version, procedure, duplicate, arguments.</remarks>
internal sealed class RpcDispatcher
{
    private readonly Dictionary<uint, RpcProgram> _programs = []; // not changed once the server has started
    private readonly Workqueue _queue;
    private readonly ReplyCache<RpcCall> _cache;
    private readonly ILogger _logger;

    public RpcDispatcher(Workqueue queue, ReplyCache<RpcCall> cache, ILogger logger)
    {
        _queue = queue;
        _cache = cache;
        _logger = logger;
        Pool = new RpcCallPool(this);
    }

    public RpcCallPool Pool { get; }

    /// <summary>Turns at reading connections.</summary>
    public ReadTurnPool Turns { get; } = new();

    public IReadOnlyCollection<RpcProgram> Programs => _programs.Values;

    public void Add(RpcProgram program)
    {
        if (!_programs.TryAdd(program.Number, program))
            throw new ArgumentException($"Program {program.Number} is {_programs[program.Number].Name} already.");
    }

    /// <summary>Has the call run as a work item.</summary>
    public void Submit(RpcCall call) => _queue.Queue(call.Work);

    /// <summary>Runs another item of the transport's beside the calls: behind them, if a worker that runs calls says so.</summary>
    public void Submit(Work work) => _queue.Queue(work);

    /// <summary>The work function; also called by who has read a call and runs it itself, on a worker.</summary>
    public void Execute(RpcCall call)
    {
        if (call.Unfinished is { } unfinished)
            Finish(call, unfinished);
        else
            Begin(call);
    }

    private void Begin(RpcCall call)
    {
        var reader = new XdrReader(call.Request);
        RpcHeaderOutcome outcome = RpcCallHeader.Read(ref reader, out RpcCallHeader header);
        switch (outcome)
        {
            case RpcHeaderOutcome.NoCall:
                call.Peer.Refuse(call);
                return;
            case RpcHeaderOutcome.RpcMismatch:
                RpcReply.WriteRpcMismatch(call.Reply, header.Xid);
                call.Peer.Answer(call);
                return;
        }
        call.SetHeader(header, call.Request[reader.Position..]);
        RpcAuthStatus auth = outcome switch
        {
            RpcHeaderOutcome.BadCredential => RpcAuthStatus.BadCredential,
            RpcHeaderOutcome.BadVerifier => RpcAuthStatus.BadVerifier,
            _ when header.Procedure == 0 => RpcAuthStatus.Ok, // NULL needs no authentication (RFC 5531, 12.1)
            _ => call.Authenticate(header),
        };
        if (auth != RpcAuthStatus.Ok)
        {
            RpcReply.WriteAuthError(call.Reply, call.Xid, auth);
            call.Peer.Answer(call);
            return;
        }
        if (Find(call) is not { } procedure)
        {
            call.Peer.Answer(call);
            return;
        }
        if (procedure.IsIdempotent(call) || IsNew(call))
            Run(call, procedure);
    }

    private RpcProcedure? Find(RpcCall call)
    {
        if (!_programs.TryGetValue(call.Program, out RpcProgram? program))
        {
            RpcReply.WriteAccepted(call.Reply, call.Xid, RpcAcceptStatus.ProgramUnavailable);
            return null;
        }
        RpcAcceptStatus status = program.Find(call.Version, call.Procedure, call.Transport, out RpcProcedure? procedure);
        if (status == RpcAcceptStatus.ProgramMismatch)
        {
            (uint low, uint high) = program.VersionsFor(call.Transport);
            RpcReply.WriteProgramMismatch(call.Reply, call.Xid, low, high);
        }
        else if (status != RpcAcceptStatus.Success)
        {
            RpcReply.WriteAccepted(call.Reply, call.Xid, status);
        }
        return procedure;
    }

    // False if the call was answered, dropped or kept for later: it is then no longer ours.
    private bool IsNew(RpcCall call)
    {
        ReplyCacheOutcome outcome = _cache.Begin(
            ReplyCacheKey.Of(call), call, call.Peer,
            out ReplyCacheEntry<RpcCall>? entry, out ReadOnlyMemory<byte> reply, out RpcCall? displaced);
        displaced?.Peer.Discard(displaced);
        switch (outcome)
        {
            case ReplyCacheOutcome.New:
                call.CacheEntry = entry;
                return true;
            case ReplyCacheOutcome.Answered:
                call.Reply.WriteFixedOpaque(reply.Span);
                call.Peer.Answer(call);
                return false;
            case ReplyCacheOutcome.Drop:
                call.Peer.Discard(call);
                return false;
            default:
                return false;
        }
    }

    private void Run(RpcCall call, RpcProcedure procedure)
    {
        bool success = true;
        try
        {
            RpcReply.WriteAccepted(call.Reply, call.Xid, RpcAcceptStatus.Success);
            ValueTask task = procedure.InvokeAsync(call);
            if (!task.IsCompleted)
            {
                // The work item may be queued before this function has returned: it does not run concurrently with itself.
                call.Unfinished = task;
                task.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(call.Resume);
                return;
            }
            task.GetAwaiter().GetResult();
        }
        catch (Exception exception)
        {
            // Whatever a handler throws is its caller's SYSTEM_ERR and our log's, never the worker's.
            Fail(call, exception);
            success = false;
        }
        End(call, success);
    }

    private void Finish(RpcCall call, ValueTask task)
    {
        bool success = true;
        try
        {
            task.GetAwaiter().GetResult();
        }
        catch (Exception exception)
        {
            // As in Run.
            Fail(call, exception);
            success = false;
        }
        End(call, success);
    }

    private void Fail(RpcCall call, Exception exception)
    {
        call.RestartReply();
        switch (exception)
        {
            case XdrException when !call.ArgumentsRead:
                RpcLog.GarbageArguments(_logger, Describe(call), call.RemoteEndPoint, exception.Message);
                RpcReply.WriteAccepted(call.Reply, call.Xid, RpcAcceptStatus.GarbageArguments);
                break;
            case RpcAuthException refusal:
                RpcReply.WriteAuthError(call.Reply, call.Xid, refusal.Status);
                break;
            default:
                RpcLog.CallFailed(_logger, exception, Describe(call), call.RemoteEndPoint);
                RpcReply.WriteAccepted(call.Reply, call.Xid, RpcAcceptStatus.SystemError);
                break;
        }
    }

    private void End(RpcCall call, bool success)
    {
        if (call.CacheEntry is { } entry)
        {
            call.CacheEntry = null;
            RpcCall? follower = _cache.End(entry, success ? call.ReplyMessage.Span : default);
            if (follower is not null)
            {
                follower.Reply.WriteFixedOpaque(call.ReplyMessage.Span);
                follower.Peer.Answer(follower);
            }
        }
        call.Peer.Answer(call);
    }

    private string Describe(RpcCall call)
    {
        RpcProgram program = _programs[call.Program]; // only calls that found their procedure are described
        program.Find(call.Version, call.Procedure, call.Transport, out RpcProcedure? procedure);
        return $"{program.Name} v{call.Version} {procedure?.Name}";
    }
}
