using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using Kworker.Nfsd.Exports;
using Kworker.Nfsd.FileSystem;

namespace Kworker.Nfsd.V4;

/// <summary>A directory of the pseudo file system: one on the way to an export, or where an export begins. Immutable once the tree is built.</summary>
[DebuggerDisplay("{Export} {Children.Count} below")]
internal sealed class PseudoDirectory
{
    private readonly List<PseudoDirectory> _children = [];

    /// <param name="parent">The directory above; null for the root.</param>
    /// <param name="name">Its name there.</param>
    /// <param name="path">The whole path, of which its number is made: so that it is the same after a restart.</param>
    public PseudoDirectory(PseudoDirectory? parent, ReadOnlySpan<byte> name, ReadOnlySpan<byte> path)
    {
        Parent = parent;
        Name = name.ToArray();
        FileId = BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(path)) & long.MaxValue | 1ul << 62;
        Handle = NfsHandle.FromUInt64(FileId);
    }

    /// <summary>The directory above; null for the root.</summary>
    public PseudoDirectory? Parent { get; }

    /// <summary>Its name; empty for the root.</summary>
    public byte[] Name { get; }

    /// <summary>Its number.</summary>
    public ulong FileId { get; }

    /// <summary>The same as a handle.</summary>
    public NfsHandle Handle { get; }

    /// <summary>The export that begins here; null if none does.</summary>
    public Export? Export { get; set; }

    public IReadOnlyList<PseudoDirectory> Children => _children;

    public PseudoDirectory Add(PseudoDirectory child)
    {
        _children.Add(child);
        return child;
    }

    public PseudoDirectory? Find(ReadOnlySpan<byte> name)
    {
        foreach (PseudoDirectory child in _children)
        {
            if (name.SequenceEqual(child.Name))
                return child;
        }
        return null;
    }

    /// <summary>Whether there is anything for a client here or below. To others the directory does not exist.</summary>
    public bool IsVisibleTo(IPAddress client)
    {
        if (Export?.Match(client) is not null)
            return true;
        foreach (PseudoDirectory child in _children)
        {
            if (child.IsVisibleTo(client))
                return true;
        }
        return false;
    }
}
