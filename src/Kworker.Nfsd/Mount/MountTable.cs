using System.Diagnostics;
using System.Net;
using System.Text;

namespace Kworker.Nfsd.Mount;

/// <summary>Who has mounted what, as far as clients say: for DUMP, and for nothing else. Thread-safe.</summary>
/// <remarks>Bounded: clients may vanish without a word, and anybody may ask. The oldest entry makes room.</remarks>
[DebuggerDisplay("{_order.Count} mounts")]
internal sealed class MountTable
{
    public const int MaxEntries = 1024;

    private readonly record struct Mount(IPAddress Client, string Path);

    private readonly Lock _lock = new();
    private readonly Dictionary<Mount, LinkedListNode<Mount>> _nodes = []; // _lock
    private readonly LinkedList<Mount> _order = []; // _lock; oldest first

    public void Add(IPAddress client, ReadOnlySpan<byte> path)
    {
        var mount = new Mount(client, Key(path));
        lock (_lock)
        {
            if (_nodes.TryGetValue(mount, out LinkedListNode<Mount>? there))
            {
                _order.Remove(there);
            }
            else if (_nodes.Count >= MaxEntries)
            {
                _nodes.Remove(_order.First!.Value);
                _order.RemoveFirst();
            }
            _nodes[mount] = _order.AddLast(mount);
        }
    }

    /// <returns>Whether it was there.</returns>
    public bool Remove(IPAddress client, ReadOnlySpan<byte> path)
    {
        var mount = new Mount(client, Key(path));
        lock (_lock)
        {
            if (!_nodes.Remove(mount, out LinkedListNode<Mount>? node))
                return false;
            _order.Remove(node);
            return true;
        }
    }

    public void RemoveAll(IPAddress client)
    {
        lock (_lock)
        {
            foreach (Mount mount in _order.Where(mount => mount.Client.Equals(client)).ToArray())
            {
                _order.Remove(_nodes[mount]);
                _nodes.Remove(mount);
            }
        }
    }

    /// <summary>The same, to be looked at.</summary>
    public (IPAddress Client, string Path)[] Entries
    {
        get
        {
            lock (_lock)
                return [.. _order.Select(static mount => (mount.Client, mount.Path))];
        }
    }

    public MountBody[] List()
    {
        lock (_lock)
            return [.. _order.Select(mount => new MountBody(Encoding.ASCII.GetBytes(mount.Client.ToString()), Encoding.Latin1.GetBytes(mount.Path)))];
    }

    // A byte a character: paths are in no known encoding, and strings compare by value.
    private static string Key(ReadOnlySpan<byte> path) => Encoding.Latin1.GetString(path);
}
