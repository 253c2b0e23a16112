namespace Kworker.Nfsd.V4;

/// <summary>A slot of a session while a compound runs in it (RFC 8881 section 2.10.6.1): what SEQUENCE leaves in the <see cref="CompoundContext"/>.</summary>
internal interface ICompoundSlot
{
    /// <summary>Bytes that the whole reply message may take (<c>ca_maxresponsesize</c>).</summary>
    int MaxResponseSize { get; }

    /// <summary>
    /// Bytes that the whole reply message may take so that it can be kept (<c>ca_maxresponsesize_cached</c>), if the client wants it kept
    /// (<c>sa_cachethis</c>); else null.
    /// </summary>
    int? MaxResponseSizeCached { get; }

    /// <summary>The compound has ended, whichever way. Called once, on the worker that ran it, before the reply is sent.</summary>
    /// <param name="context">The compound.</param>
    /// <param name="results"><c>COMPOUND4res</c> from its status on: what a retry of the same request is to be answered with. Copy what is kept.</param>
    void End(CompoundContext context, ReadOnlySpan<byte> results);
}
