namespace Kworker.SunRpc;

/// <summary>What the first words of a message turned out to be.</summary>
internal enum RpcHeaderOutcome
{
    /// <summary>A call, its header read whole.</summary>
    Call,

    /// <summary>No call: too short, or a reply. There is nobody to answer.</summary>
    NoCall,

    /// <summary>A call of another RPC version than 2.</summary>
    RpcMismatch,

    /// <summary>A call whose credential is cut short or past its maximum.</summary>
    BadCredential,

    /// <summary>A call whose verifier is cut short or past its maximum.</summary>
    BadVerifier,
}
