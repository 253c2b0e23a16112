namespace Kworker.Nfsd.State;

/// <summary>A promise that a file does not change while the client has it (RFC 7530 section 10.4): for reading.</summary>
internal sealed class Delegation(NfsClient client, FileState file, uint number) : StateObject(client, file, number)
{
    /// <summary>When it was called back; 0 if it was not. File's lock.</summary>
    public long RecalledAt { get; set; }
}
