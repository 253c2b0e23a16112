namespace Kworker.SunRpc;

/// <summary>What stands before a call's arguments: <c>rpc_msg</c> up to and with the verifier (RFC 5531, 9).</summary>
internal struct RpcCallHeader
{
    public uint Xid;
    public uint Program;
    public uint Version;
    public uint Procedure;
    public RpcAuthFlavor CredentialFlavor;
    public ReadOnlyMemory<byte> Credential;
    public RpcAuthFlavor VerifierFlavor;
    public ReadOnlyMemory<byte> Verifier;

    /// <summary>Reads the header; the reader then stands at the arguments if the outcome is <see cref="RpcHeaderOutcome.Call"/>.</summary>
    public static RpcHeaderOutcome Read(ref XdrReader reader, out RpcCallHeader header)
    {
        header = default;
        if (reader.Remaining < 12)
            return RpcHeaderOutcome.NoCall;
        header.Xid = reader.ReadUInt32();
        if (reader.ReadUInt32() != RpcMessageConstants.Call)
            return RpcHeaderOutcome.NoCall;
        if (reader.ReadUInt32() != RpcMessageConstants.RpcVersion)
            return RpcHeaderOutcome.RpcMismatch;
        if (reader.Remaining < 12)
            return RpcHeaderOutcome.NoCall;
        header.Program = reader.ReadUInt32();
        header.Version = reader.ReadUInt32();
        header.Procedure = reader.ReadUInt32();
        if (!TryReadAuth(ref reader, out header.CredentialFlavor, out header.Credential))
            return RpcHeaderOutcome.BadCredential;
        if (!TryReadAuth(ref reader, out header.VerifierFlavor, out header.Verifier))
            return RpcHeaderOutcome.BadVerifier;
        return RpcHeaderOutcome.Call;
    }

    private static bool TryReadAuth(ref XdrReader reader, out RpcAuthFlavor flavor, out ReadOnlyMemory<byte> body)
    {
        try
        {
            flavor = (RpcAuthFlavor)reader.ReadInt32();
            body = reader.ReadOpaqueMemory(RpcMessageConstants.MaximumAuthBody);
            return true;
        }
        catch (XdrException)
        {
            // Cut short or too long: the caller of this answers with the AUTH_ERROR that fits the place.
            flavor = default;
            body = default;
            return false;
        }
    }
}
