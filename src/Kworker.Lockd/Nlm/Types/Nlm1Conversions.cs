namespace Kworker.Lockd.Nlm;

/// <summary>Versions 1 and 3 in terms of version 4, and back.</summary>
internal static class Nlm1Conversions
{
    extension(in NlmLock from)
    {
        /// <summary>The same range with 64-bit numbers.</summary>
        public Nlm4Lock ToV4() => new(from.CallerName, from.Fh, from.Oh, from.Svid, from.Offset, from.Length);
    }

    extension(in Nlm4Lock from)
    {
        /// <summary>The same range with 32-bit numbers; what reaches beyond them ends with the file.</summary>
        public NlmLock ToV1() => new(from.CallerName, from.Fh, from.Oh, from.Svid, Offset32(from.Offset), Length32(from.Offset, from.Length));
    }

    extension(in Nlm4Holder from)
    {
        /// <inheritdoc cref="ToV1(in Nlm4Lock)"/>
        public NlmHolder ToV1() => new(from.Exclusive, from.Svid, from.Oh, Offset32(from.Offset), Length32(from.Offset, from.Length));
    }

    extension(in NlmHolder from)
    {
        /// <inheritdoc cref="ToV4(in NlmLock)"/>
        public Nlm4Holder ToV4() => new(from.Exclusive, from.Svid, from.Oh, from.Offset, from.Length);
    }

    /// <summary>The nearest word that the older versions have, as Linux chooses it.</summary>
    public static Nlm4Stats ToV1(this Nlm4Stats stat) => stat switch
    {
        <= Nlm4Stats.DeniedGracePeriod => stat,
        Nlm4Stats.Deadlock => Nlm4Stats.Denied,
        _ => Nlm4Stats.DeniedNoLocks,
    };

    private static uint Offset32(ulong offset) => (uint)Math.Min(offset, uint.MaxValue);

    private static uint Length32(ulong offset, ulong length) =>
        length > int.MaxValue || offset + length > int.MaxValue ? 0 : (uint)length;
}
