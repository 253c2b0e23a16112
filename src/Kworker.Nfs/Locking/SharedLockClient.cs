using System.Net;
using System.Runtime.CompilerServices;
using Kworker.Lockd.Client;
using Kworker.Lockd.Nsm;

namespace Kworker.Nfs;

/// <summary>
/// What all mounts that share a system and an address of this machine share: there is one lock manager at an address, as far as servers can
/// tell. Made by the first mount that locks, whose options it has; ends with the last.
/// </summary>
internal sealed class SharedLockClient
{
    private static readonly ConditionalWeakTable<KworkerSystem, Table> s_tables = [];

    private readonly Table _table;
    private readonly IPAddress _key;
    private readonly LockClient _client;
    private int _mounts; // the table's gate

    private SharedLockClient(Table table, IPAddress key, LockClient client)
    {
        _table = table;
        _key = key;
        _client = client;
    }

    public NlmClient Nlm => _client.Nlm;

    /// <summary>Joins, or makes it.</summary>
    public static async ValueTask<SharedLockClient> JoinAsync(NfsMount mount, CancellationToken cancellationToken)
    {
        Table table = s_tables.GetValue(mount.System, static _ => new Table());
        IPAddress key = mount.Options.LocalAddress ?? IPAddress.Any;
        await table.Gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!table.Clients.TryGetValue(key, out SharedLockClient? shared))
            {
                shared = new SharedLockClient(table, key, await StartAsync(mount, cancellationToken).ConfigureAwait(false));
                table.Clients.Add(key, shared);
            }
            shared._mounts++;
            return shared;
        }
        finally
        {
            table.Gate.Complete();
        }
    }

    /// <summary>Leaves; the last one ends it.</summary>
    public async ValueTask LeaveAsync()
    {
        await _table.Gate.WaitAsync().ConfigureAwait(false);
        try
        {
            if (--_mounts > 0)
                return;
            _table.Clients.Remove(_key);
            await _client.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            _table.Gate.Complete();
        }
    }

    private static ValueTask<LockClient> StartAsync(NfsMount mount, CancellationToken cancellationToken)
    {
        NfsClientOptions options = mount.Options;
        return LockClient.StartAsync(
            (nsm, programs, notified) => new NlmClientOptions
            {
                CallerName = options.LocalName,
                LocalAddress = options.LocalAddress,
                RpcbindPort = options.LocalRpcbindPort,
                Nsm = nsm,
                Programs = programs,
                SmNotify = notified,
                System = mount.System,
                Logger = mount.Logger,
            },
            new NsmOptions { Name = options.LocalName, StateDirectory = options.StateDirectory, System = mount.System, Logger = mount.Logger, RpcbindPort = options.LocalRpcbindPort },
            options.LocalAddress,
            cancellationToken);
    }

    /// <summary>The shared ones of a system, by address.</summary>
    private sealed class Table
    {
        public Table() => Gate.Complete();

        /// <summary>A token: one joins or leaves at a time.</summary>
        public Completion Gate { get; } = new();

        /// <summary>Of who has the token.</summary>
        public Dictionary<IPAddress, SharedLockClient> Clients { get; } = [];
    }
}
