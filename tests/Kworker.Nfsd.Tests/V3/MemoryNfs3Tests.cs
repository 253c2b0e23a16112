using Kworker.Samples;

namespace Kworker.Nfsd.Tests.V3;

/// <summary>The specification over the sample of docs/samples.</summary>
public sealed class MemoryNfs3Tests() : Nfs3Specification(new MemoryFileSystem())
{
    private protected override bool TellsBefore => true;
}
