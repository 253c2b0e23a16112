using System.Net.Sockets;
using Kworker.Lockd.Client;

namespace Kworker.Nfs;

/// <summary>A mount's part in the locks of its process: joined with the first lock, left with the mount. Thread-safe.</summary>
internal sealed class MountLocks(NfsMount mount) : IAsyncDisposable
{
    private readonly Completion _gate = new(); // a token: one joins or leaves at a time
    private SharedLockClient? _shared; // _gate
    private NlmClientHost? _host; // _gate
    private bool _isLeft; // _gate

    /// <summary>Somebody who locks a file of this mount.</summary>
    /// <exception cref="NfsException">The process cannot hold locks.</exception>
    public async ValueTask<NlmClientOwner> OpenAsync(NfsFh3 file, string path, CancellationToken cancellationToken)
    {
        await EnterAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_isLeft, mount);
            if (_host is null)
            {
                _shared = await SharedLockClient.JoinAsync(mount, cancellationToken).ConfigureAwait(false);
                int other = mount.Options.LockPort != 0 ? 0 : mount.Url.Port;
                _host = _shared.Nlm.Acquire(
                    mount.Url.Host, new NlmServerAddress(mount.Server.Address, mount.Options.LockPort != 0 ? mount.Options.LockPort : mount.Url.LockPort, mount.Url.RpcbindPort, other));
            }
            return _host.OpenFile(file.Bytes, new NlmOwnerOptions
            {
                Credential = mount.Credential,
                IsSoft = mount.Options.IsSoft,
                RecoverLostLocks = mount.Options.RecoverLostLocks,
            });
        }
        catch (Exception exception) when (exception is SocketException or IOException or UnauthorizedAccessException or InvalidOperationException and not ObjectDisposedException)
        {
            throw new NfsException("LOCK", path, $"this process cannot hold locks: {exception.Message}", exception);
        }
        finally
        {
            _gate.Complete();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await EnterAsync(CancellationToken.None).ConfigureAwait(false);
        _isLeft = true;
        if (_shared is not null && _host is not null)
        {
            _shared.Nlm.Release(_host);
            await _shared.LeaveAsync().ConfigureAwait(false);
        }
        _shared = null;
        _gate.Complete();
    }

    private bool _isOpen; // the token has been put in; by the first to come

    private async ValueTask EnterAsync(CancellationToken cancellationToken)
    {
        if (!Interlocked.Exchange(ref _isOpen, true))
            _gate.Complete();
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
    }
}
