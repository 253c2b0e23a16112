using System.Net;

namespace Kworker.Lockd.Client;

/// <summary>Where a server's lock manager is.</summary>
/// <param name="Address">The server.</param>
/// <param name="Port">The port of its lock manager; 0: its rpcbind knows.</param>
/// <param name="RpcbindPort">The port of its rpcbind.</param>
/// <param name="OtherPort">Where to try if it has no rpcbind: servers with one port for all. 0: nowhere.</param>
internal readonly record struct NlmServerAddress(IPAddress Address, int Port = 0, int RpcbindPort = 111, int OtherPort = 0);
