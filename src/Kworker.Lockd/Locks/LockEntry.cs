using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Kworker.Lockd.Locks;

/// <summary>
/// A lock that is held, and its place in two trees: the file's of that kind, and the one of its owner in the file. Changed only while in
/// neither. All of it is guarded by the file's lock. 96 bytes: there may be a million.
/// </summary>
/// <remarks>
/// Both trees are treaps: ordered by start (then by number), and a heap by a number that a client cannot guess, so that they are balanced
/// whatever order the locks come in.
/// </remarks>
[DebuggerDisplay("{Kind} {Range} of {Owner}")]
internal sealed class LockEntry(OwnedLocks owner, LockKind kind, LockRange range, ulong number)
{
    private const ulong WriteBit = 1;
    private const ulong WaitedBit = 2;
    private const int FlagBits = 2;

    // The number, above two flags: one word for three things.
    private ulong _word = (number << FlagBits) | (kind == LockKind.Write ? WriteBit : 0);

    public LockRange Range { get; } = range;

    /// <summary>Whose; null when it is held no more.</summary>
    public OwnedLocks? Owner { get; set; } = owner;

    public LockKind Kind => (_word & WriteBit) != 0 ? LockKind.Write : LockKind.Read;

    /// <summary>Whether a request waits for this very lock, or did.</summary>
    public bool IsWaitedFor
    {
        get => (_word & WaitedBit) != 0;
        set => _word = value ? _word | WaitedBit : _word & ~WaitedBit;
    }

    // Links, by reference for the trees.
    internal LockEntry? FileLeft;
    internal LockEntry? FileRight;
    internal LockEntry? OwnLeft;
    internal LockEntry? OwnRight;

    /// <summary>Of those in the file's tree from here down, the one that ends last.</summary>
    internal LockEntry? Last { get; set; }

    /// <summary>Of those in the file's tree from here down that are not of <see cref="Last"/>'s owner, the one that ends last; null if none are.</summary>
    internal LockEntry? LastOfOthers { get; set; }

    /// <summary>Whether this one stands before the other in a tree.</summary>
    public bool IsBefore(LockEntry other) => Range.Start != other.Range.Start ? Range.Start < other.Range.Start : _word >> FlagBits < other._word >> FlagBits;

    /// <summary>Its rank in the heap: the number, mixed with a secret (one to one, so no two are equal).</summary>
    public ulong Rank
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            ulong x = (_word >> FlagBits) + s_secret;
            x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
            x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
            return x ^ (x >> 31);
        }
    }

    private static readonly ulong s_secret = BitConverter.ToUInt64(System.Security.Cryptography.RandomNumberGenerator.GetBytes(8));
}
