using Kworker.Nfsd.Tests.Wire;

namespace Kworker.Nfsd.Tests.V4;

/// <summary>Versions that are left out (<c>--no-nfs-version</c>) are not spoken, and said not to be: RFC 7530 section 15.2.4, RFC 5531 section 9.</summary>
public sealed class ServedVersionTests
{
    private const uint MinorVersMismatch = 10021, ProgMismatch = 2;

    [Theory]
    [InlineData(NfsVersions.V40, 0u)]
    [InlineData(NfsVersions.V41, 1u)]
    [InlineData(NfsVersions.V42, 2u)]
    public void A_minor_version_that_is_left_out_is_a_mismatch_and_runs_nothing(NfsVersions without, uint minor)
    {
        using ServedExports4 served = Serve(NfsVersions.All & ~without);
        using Nfs4Client client = served.Connect().As(0, 0);
        for (uint other = 0; other < 3; other++)
        {
            // What needs no session.
            Op4 operation = other == 0 ? Op4.PutRootFh : Nfs41Client.ExchangeIdOf($"client {other}");
            Reply4 reply = client.Send(Nfs4Client.Compound(other, "t"u8, operation));
            Assert.Equal("t"u8.ToArray(), reply.Tag);
            if (other == minor)
            {
                Assert.Equal((MinorVersMismatch, 0u), (reply.Status, reply.Count));
                reply.Body.End();
            }
            else
            {
                Assert.Equal((0u, 1u), (reply.Status, reply.Count));
            }
        }
    }

    [Theory]
    [InlineData(NfsVersions.V3, 3u, 4u)]
    [InlineData(NfsVersions.V4, 4u, 3u)]
    public void A_version_that_is_left_out_is_a_mismatch_that_names_the_other(NfsVersions versions, uint spoken, uint leftOut)
    {
        using ServedExports4 served = Serve(versions);
        using Nfs4Client client = served.Connect().As(0, 0);
        Assert.Equal((true, 0u), StatusOf(client.Rpc.Call(Nfs4Client.Program, spoken, 0, [])));
        RpcAnswer answer = client.Rpc.Call(Nfs4Client.Program, leftOut, 0, []);
        Assert.Equal((true, ProgMismatch), StatusOf(answer));
        Assert.Equal((spoken, spoken), (answer.Body.U32(), answer.Body.U32())); // mismatch_info: lowest and highest
        answer.Body.End();
    }

    private static (bool IsAccepted, uint Status) StatusOf(RpcAnswer answer) => (answer.IsAccepted, answer.Status);

    private static ServedExports4 Serve(NfsVersions versions) => new(["/export:rw,insecure"], options => options.Versions = versions, null);
}
