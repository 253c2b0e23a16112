using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

/// <summary>
/// Which compounds need the duplicate-request cache: those of 4.0 that may do something which done twice is wrong. 4.1 has its sessions for that, and what only
/// asks may ask twice.
/// </summary>
internal static class CompoundReplay
{
    /// <summary>Looks through a compound's arguments, from the wire and not checked yet.</summary>
    public static bool IsIdempotent(ReadOnlyMemory<byte> arguments)
    {
        try
        {
            var reader = new XdrReader(arguments.Span);
            reader.ReadOpaque();
            if (reader.ReadUInt32() != 0)
                return true;
            uint count = reader.ReadUInt32();
            for (uint i = 0; i < count; i++)
            {
                if (!TrySkip(ref reader))
                    return false;
            }
            return true;
        }
        catch (XdrException)
        {
            return true; // It is garbage, and nothing is done.
        }
    }

    /// <summary>Skips an operation that only asks; false if it is any other.</summary>
    private static bool TrySkip(ref XdrReader reader)
    {
        switch ((NfsOpnum4)reader.ReadUInt32())
        {
            case NfsOpnum4.GetFh or NfsOpnum4.LookupP or NfsOpnum4.PutPubFh or NfsOpnum4.PutRootFh or NfsOpnum4.ReadLink or NfsOpnum4.RestoreFh
                or NfsOpnum4.SaveFh:
                return true;
            case NfsOpnum4.Access:
                reader.ReadUInt32();
                return true;
            case NfsOpnum4.Commit:
                reader.ReadFixedOpaque(8 + 4);
                return true;
            case NfsOpnum4.GetAttr:
                reader.ReadFixedOpaque(4 * reader.ReadCount(int.MaxValue / 4, 4));
                return true;
            case NfsOpnum4.Lookup or NfsOpnum4.PutFh or NfsOpnum4.SecInfo:
                reader.ReadOpaque();
                return true;
            case NfsOpnum4.Read:
                reader.ReadFixedOpaque(16 + 8 + 4);
                return true;
            case NfsOpnum4.ReadDir:
                reader.ReadFixedOpaque(8 + 8 + 4 + 4);
                reader.ReadFixedOpaque(4 * reader.ReadCount(int.MaxValue / 4, 4));
                return true;
            case NfsOpnum4.Verify or NfsOpnum4.NVerify:
                reader.ReadFixedOpaque(4 * reader.ReadCount(int.MaxValue / 4, 4));
                reader.ReadOpaque();
                return true;
            case NfsOpnum4.Renew:
                reader.ReadUInt64();
                return true;
            default:
                return false;
        }
    }
}
