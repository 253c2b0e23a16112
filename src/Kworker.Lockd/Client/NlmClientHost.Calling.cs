using System.Net;
using System.Net.Sockets;
using Kworker.Lockd.Nlm;
using Kworker.SunRpc;

namespace Kworker.Lockd.Client;

// Calls of the server's lock manager (nlmclnt_call, nlm_bind_host, nlm_rebind_host).
internal sealed partial class NlmClientHost
{
    private readonly Dictionary<RpcCredential, RpcClient> _transports = []; // _lock; an entry for each user that locks
    private readonly HashSet<NlmAlarm> _pauses = []; // _lock; waits between two attempts
    private int _news; // _lock; counts what is reason to ask again at once: a reboot, the end of reclaiming, the end of grace
    private bool _hasAnswered; // _lock; it has a lock manager, even if there is none now
    private bool _isSilent; // _lock; "not responding" has been said

    /// <summary>
    /// Calls until there is an answer: waits out the grace period, and, but for soft owners, a server that is not there. A lock manager
    /// that has never been there is not waited for.
    /// </summary>
    /// <exception cref="NlmClientException">It cannot be reached and the owner is soft, it refuses calls, or there is none.</exception>
    internal async ValueTask<TResult> CallAsync<TArguments, TResult>(
        NlmClientOwner owner, NlmProcedure procedure, TArguments arguments, Func<TResult, Nlm4Stats> statOf, CancellationToken cancellationToken)
        where TArguments : IXdr<TArguments>
        where TResult : struct, IXdr<TResult>
    {
        while (true)
        {
            if (await TryCallAsync(owner, procedure, arguments, statOf, cancellationToken) is { } result)
                return result;
        }
    }

    /// <summary>As <see cref="CallAsync"/>, once: null if it is to be tried again, when it was time to.</summary>
    internal async ValueTask<TResult?> TryCallAsync<TArguments, TResult>(
        NlmClientOwner owner, NlmProcedure procedure, TArguments arguments, Func<TResult, Nlm4Stats> statOf, CancellationToken cancellationToken)
        where TArguments : IXdr<TArguments>
        where TResult : struct, IXdr<TResult>
    {
        int news;
        lock (_lock)
            news = _news;
        TimeSpan pause = _client.Options.GraceWait;
        try
        {
            TResult result = await CallOnceAsync<TArguments, TResult>(owner, procedure, arguments, cancellationToken);
            if (statOf(result) != Nlm4Stats.DeniedGracePeriod)
            {
                GraceIsOver();
                return result;
            }
        }
        catch (NlmUnreachableException exception) when (!owner.Options.IsSoft && (!exception.HasNone || HasAnswered))
        {
            SayNotResponding(exception.Message);
            pause = _client.Options.RetryInterval;
        }
        await PauseAsync(news, pause, cancellationToken);
        return null;
    }

    /// <summary>Calls once.</summary>
    /// <exception cref="NlmUnreachableException">There was no answer.</exception>
    /// <exception cref="NlmClientException">It refuses the call.</exception>
    internal async ValueTask<TResult> CallOnceAsync<TArguments, TResult>(
        NlmClientOwner owner, NlmProcedure procedure, TArguments arguments, CancellationToken cancellationToken)
        where TArguments : IXdr<TArguments>
        where TResult : IXdr<TResult>
    {
        RpcClient? transport = null;
        try
        {
            transport = await BindAsync(owner.Options.Credential, cancellationToken);
            TResult result = await transport.CallAsync<TArguments, TResult>(
                NlmProtocol.Program, NlmProtocol.Version4, (uint)procedure, arguments, cancellationToken);
            lock (_lock)
            {
                _hasAnswered = true;
                _isSilent = false;
            }
            return result;
        }
        catch (RpcClientException exception)
            when (exception.AuthStatus is not null || exception.Status is { } status and not RpcAcceptStatus.ProgramUnavailable and not RpcAcceptStatus.ProgramMismatch)
        {
            throw new NlmClientException($"{Name}: {exception.Message}", exception);
        }
        catch (Exception exception) when (exception is SocketException or RpcClientException or TimeoutException or XdrException or ObjectDisposedException)
        {
            if (transport is not null)
                Unbind(transport); // its port may be another one the next time
            throw new NlmUnreachableException(
                $"{Name}: {exception.Message}", exception, exception is RpcClientException { Status: RpcAcceptStatus.ProgramUnavailable or RpcAcceptStatus.ProgramMismatch });
        }
    }

    /// <summary>A call whose answer nobody waits for: the result of an asynchronous one.</summary>
    internal void Tell(NlmProcedure procedure, Nlm4Res result)
    {
        RpcClient? transport;
        lock (_lock)
            transport = _transports.Values.FirstOrDefault();
        try
        {
            transport?.Start(new RpcForgottenTask(), NlmProtocol.Program, NlmProtocol.Version4, (uint)procedure, result);
        }
        catch (ObjectDisposedException)
        {
            // The server is gone; when it is back it will not know what this answers.
            SayNotResponding("no connection for the answer to GRANTED_MSG");
        }
    }

    private bool HasAnswered
    {
        get
        {
            lock (_lock)
                return _hasAnswered;
        }
    }

    private void SayNotResponding(string reason)
    {
        bool isFirst;
        lock (_lock)
        {
            isFirst = !_isSilent;
            _isSilent = true;
        }
        if (isFirst)
            NlmClientLog.NotResponding(_client.Logger, Name, reason);
    }

    /// <summary>Waits before the next attempt, unless there has been news since <paramref name="news"/>.</summary>
    private async ValueTask PauseAsync(int news, TimeSpan pause, CancellationToken cancellationToken)
    {
        var alarm = new NlmAlarm();
        lock (_lock)
        {
            if (_news != news)
                return;
            _pauses.Add(alarm); // under the lock in which news come: whoever has news wakes it from now on
        }
        try
        {
            await alarm.WaitAsync(_client, pause, cancellationToken);
        }
        finally
        {
            lock (_lock)
                _pauses.Remove(alarm);
        }
    }

    private void GraceIsOver()
    {
        lock (_lock)
            News();
    }

    // Under the lock.
    private void News()
    {
        _news++;
        foreach (NlmAlarm pause in _pauses)
            pause.Wake();
    }

    private async ValueTask<RpcClient> BindAsync(RpcCredential credential, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_transports.TryGetValue(credential, out RpcClient? known))
                return known;
        }
        int port = Server.Port != 0 ? Server.Port : await FindPortAsync(cancellationToken);
        var made = new RpcClient(new IPEndPoint(Server.Address, port), RpcTransport.Tcp, new RpcClientOptions
        {
            ServerName = $"lockd at {Name}",
            Credential = credential,
            Timeouts = _client.Options.Timeouts,
            IsSoft = true,
            IsSoftConnect = true,
            FromReservedPort = true,
            LocalAddress = _client.Options.LocalAddress,
            System = _client.System,
            Queue = _client.Queue,
        });
        RpcClient kept;
        lock (_lock)
        {
            // Somebody else may have been as fast.
            if (!_transports.TryGetValue(credential, out kept!))
                _transports[credential] = kept = made;
        }
        if (kept != made)
            await made.DisposeAsync();
        return kept;
    }

    private async ValueTask<int> FindPortAsync(CancellationToken cancellationToken)
    {
        int port = 0;
        Exception? error = null;
        try
        {
            port = await RpcbindClient.GetPortAsync(
                new IPEndPoint(Server.Address, Server.RpcbindPort), NlmProtocol.Program, NlmProtocol.Version4, RpcTransport.Tcp, _client.Options.Timeouts,
                cancellationToken);
        }
        catch (Exception exception) when (exception is SocketException or RpcClientException or TimeoutException or XdrException)
        {
            error = exception;
        }
        if (port == 0)
            port = Server.OtherPort;
        return port != 0
            ? port
            : throw new NlmUnreachableException(
                error is null ? $"{Name}: it has no lock manager (NLM version 4)" : $"{Name}: its rpcbind: {error.Message}", error, error is null);
    }

    private void Unbind(RpcClient transport)
    {
        lock (_lock)
        {
            foreach ((RpcCredential credential, RpcClient known) in _transports)
            {
                if (known == transport)
                {
                    _transports.Remove(credential);
                    break;
                }
            }
        }
        _client.Dispose(transport);
    }

    private async ValueTask UnbindAllAsync()
    {
        RpcClient[] transports;
        lock (_lock)
        {
            transports = [.. _transports.Values];
            _transports.Clear();
        }
        foreach (RpcClient transport in transports)
            await transport.DisposeAsync();
    }
}
