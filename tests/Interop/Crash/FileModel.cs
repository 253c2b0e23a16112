using System.Buffers.Binary;
using Kworker.Interop.Wire;

namespace Kworker.Interop.Crash;

/// <summary>
/// What one client knows of the content of its file: for each slot the generation that it was promised to be on disk, and those that it has sent since. After a
/// crash each sector must hold one of these. Used by one call at a time.
/// </summary>
internal sealed class FileModel(int client)
{
    public const int Slots = 16;
    public const int SlotSize = 4096;
    private const int SectorSize = 512;

    private readonly Slot[] _slots = [.. Enumerable.Range(0, Slots).Select(_ => new Slot())];
    private int _generation;

    private enum Answer
    {
        None,
        Unstable,
    }

    /// <summary>Whether there is something that a COMMIT would have to put on disk.</summary>
    public bool HasUncommitted => _slots.Any(slot => slot.Sent.Count > 0);

    public static ulong OffsetOf(int slot) => (ulong)slot * SlotSize;

    /// <summary>New content for <paramref name="count"/> slots from <paramref name="first"/> on: about to be sent.</summary>
    public byte[] Send(int first, int count)
    {
        var generation = ++_generation;
        var bytes = new byte[count * SlotSize];
        for (var i = 0; i < count; i++)
        {
            _slots[first + i].Sent.Add(new Sent(generation));
            Fill(bytes.AsSpan(i * SlotSize, SlotSize), first + i, generation);
        }
        return bytes;
    }

    /// <summary>What was sent to slots was answered.</summary>
    public void Answered(int first, int count, RawNfs.Stable committed, ulong verifier)
    {
        for (var i = first; i < first + count; i++)
        {
            var last = _slots[i].Sent[^1];
            if (committed == RawNfs.Stable.Unstable)
                _slots[i].Sent[^1] = last with { Answer = Answer.Unstable, Verifier = verifier };
            else
                Keep(_slots[i], _slots[i].Sent.Count - 1);
        }
    }

    /// <summary>A COMMIT of slots was answered: what was written under the same verifier is on disk.</summary>
    public void Committed(int first, int count, ulong verifier)
    {
        for (var i = first; i < first + count; i++)
        {
            var at = _slots[i].Sent.FindLastIndex(sent => sent.Answer == Answer.Unstable && sent.Verifier == verifier);
            if (at >= 0)
                Keep(_slots[i], at);
        }
    }

    /// <summary>The slots that are to be sent again, now that the server has this verifier, with what they are to hold: of each the last that was sent.</summary>
    public IReadOnlyList<(int Slot, byte[] Bytes)> ToResend(ulong verifier)
    {
        var resend = new List<(int, byte[])>();
        for (var i = 0; i < Slots; i++)
        {
            if (_slots[i].Sent is not [.., var last] || (last.Answer == Answer.Unstable && last.Verifier == verifier))
                continue;
            var bytes = new byte[SlotSize];
            Fill(bytes, i, last.Generation);
            resend.Add((i, bytes));
        }
        return resend;
    }

    /// <summary>Checks what was read of slots from <paramref name="first"/> on; what is missing at the end was never written.</summary>
    /// <param name="first">The first slot.</param>
    /// <param name="count">How many.</param>
    /// <param name="read">What was read.</param>
    /// <param name="afterCrash">Whether it may be any that was sent since the last that is on disk; else it is the last.</param>
    public void Check(int first, int count, byte[] read, bool afterCrash)
    {
        var bytes = new byte[count * SlotSize];
        read.CopyTo(bytes, 0);
        Span<byte> expected = stackalloc byte[SlotSize];
        for (var i = first; i < first + count; i++)
        {
            var slot = _slots[i];
            for (var sector = 0; sector < SlotSize; sector += SectorSize)
            {
                var found = bytes.AsSpan(((i - first) * SlotSize) + sector, SectorSize);
                var generation = BinaryPrimitives.ReadInt32LittleEndian(found);
                Fill(expected, i, generation);
                if (!found.SequenceEqual(expected.Slice(sector, SectorSize)))
                    throw new InvalidDataException($"client {client}: slot {i} sector {sector / SectorSize} holds what was never written there (generation {generation}?)");
                var isAllowed = afterCrash
                    ? generation == slot.Durable || slot.Sent.Any(sent => sent.Generation == generation)
                    : generation == (slot.Sent is [.., var last] ? last.Generation : slot.Durable);
                if (!isAllowed)
                {
                    throw new InvalidDataException(
                        $"client {client}: slot {i} sector {sector / SectorSize} holds generation {generation}; on disk is to be {slot.Durable}, sent since were "
                        + $"[{string.Join(", ", slot.Sent.Select(sent => sent.Generation))}]");
                }
            }
        }
    }

    private static void Keep(Slot slot, int at)
    {
        slot.Durable = slot.Sent[at].Generation;
        slot.Sent.RemoveRange(0, at + 1);
    }

    /// <summary>Generation 0 is nothing but zeros.</summary>
    private void Fill(Span<byte> bytes, int slot, int generation)
    {
        bytes.Clear();
        if (generation == 0)
            return;
        for (var sector = 0; sector < SlotSize; sector += SectorSize)
        {
            var part = bytes.Slice(sector, SectorSize);
            part.Fill((byte)(generation * 31));
            BinaryPrimitives.WriteInt32LittleEndian(part, generation);
            BinaryPrimitives.WriteInt32LittleEndian(part[4..], client);
            BinaryPrimitives.WriteInt32LittleEndian(part[8..], slot);
            BinaryPrimitives.WriteInt32LittleEndian(part[12..], sector);
        }
    }

    private readonly record struct Sent(int Generation)
    {
        public Answer Answer { get; init; }

        public ulong Verifier { get; init; }
    }

    private sealed class Slot
    {
        public int Durable { get; set; }

        public List<Sent> Sent { get; } = [];
    }
}
