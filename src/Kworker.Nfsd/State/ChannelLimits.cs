namespace Kworker.Nfsd.State;

/// <summary><c>channel_attrs4</c> without what RDMA needs: RFC 8881 section 18.36.</summary>
/// <param name="HeaderPadding">Bytes of padding in requests; none here.</param>
/// <param name="MaxRequest">Bytes of the longest request.</param>
/// <param name="MaxResponse">Bytes of the longest reply.</param>
/// <param name="MaxResponseCached">Bytes of the longest reply that is kept.</param>
/// <param name="MaxOperations">Operations of a compound.</param>
/// <param name="MaxRequests">Slots.</param>
internal readonly record struct ChannelLimits(
    uint HeaderPadding, uint MaxRequest, uint MaxResponse, uint MaxResponseCached, uint MaxOperations, uint MaxRequests);
