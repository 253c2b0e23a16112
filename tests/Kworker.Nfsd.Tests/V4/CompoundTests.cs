using Kworker.Nfsd.Tests.Wire;

namespace Kworker.Nfsd.Tests.V4;

/// <summary>COMPOUND itself: RFC 7530 section 15.2, RFC 8881 section 16.2.</summary>
public sealed class CompoundTests : IDisposable
{
    private const uint NoFileHandle = 10020, MinorVersMismatch = 10021, Resource = 10018, BadXdr = 10036, OpIllegal = 10044, NotSupp = 10004,
        OpNotInSession = 10071, RestoreFh = 10030;

    private readonly ServedExports4 _served = new("/export:rw,insecure,no_root_squash");
    private readonly Nfs4Client _client;

    public CompoundTests() => _client = _served.Connect();

    public void Dispose()
    {
        _client.Dispose();
        _served.Dispose();
    }

    [Fact]
    public void A_compound_without_operations_is_answered()
    {
        foreach (uint minor in (uint[])[0, 1])
        {
            Reply4 reply = _client.Send(Nfs4Client.Compound(minor, []));
            Assert.Equal((0u, 0u), (reply.Status, reply.Count));
            reply.Body.End();
        }
    }

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 0xff, 0xc0, 0, 1, 2 })]
    [InlineData(new byte[] { 0x74 })]
    public void The_tag_comes_back_whatever_it_is(byte[] tag)
    {
        foreach (uint minor in (uint[])[0, 1, 2, 3])
            Assert.Equal(tag, _client.Send(Nfs4Client.Compound(minor, tag, Op4.PutRootFh)).Tag);
    }

    [Theory]
    [InlineData(3u)]
    [InlineData(uint.MaxValue)]
    public void Other_minor_versions_are_a_mismatch_and_run_nothing(uint minor)
    {
        Reply4 reply = _client.Send(Nfs4Client.Compound(minor, "t"u8, Op4.PutRootFh, Op4.GetFh));
        Assert.Equal((MinorVersMismatch, 0u), (reply.Status, reply.Count));
        reply.Body.End();
    }

    [Fact]
    public void Results_end_with_the_first_that_fails()
    {
        Reply4 reply = _client.Run(Op4.PutRootFh, Op4.Lookup("nothing"u8), Op4.GetFh);
        Assert.Equal((2u, 2u), (reply.Status, reply.Count));
        reply.Skip(Op4.PutRootFh);
        Assert.Equal(2u, reply.Next(15));
        reply.Body.End();
    }

    [Fact]
    public void Numbers_that_are_no_operations_are_illegal()
    {
        foreach (uint number in (uint[])[0, 1, 2, 40, 53, 58, 59, 999, 10044, uint.MaxValue])
        {
            Reply4 reply = _client.Run(Op4.PutRootFh, new Op4(number, []), Op4.GetFh);
            Assert.Equal((OpIllegal, 2u), (reply.Status, reply.Count));
            Assert.Equal(OpIllegal, reply.Skip(Op4.PutRootFh).Next(10044));
            reply.Body.End();
        }
    }

    [Fact]
    public void What_is_known_but_not_there_is_not_supported()
    {
        Assert.Equal(NotSupp, _client.Last(Op4.PutRootFh, new Op4(19, Op4.U32(0))).Status); // OPENATTR
        Assert.Equal(NotSupp, _client.Last(new Op4(7, Op4.U64(1))).Status); // DELEGPURGE
    }

    [Fact]
    public void Most_operations_need_a_filehandle()
    {
        foreach (uint number in (uint[])[3, 5, 6, 9, 10, 11, 15, 16, 17, 19, 25, 26, 27, 28, 29, 32, 33, 34, 37, 38])
        {
            Reply4 reply = _client.Run(new Op4(number, new byte[64]));
            Assert.Equal(NoFileHandle, reply.Status);
        }
        Assert.Equal(RestoreFh, _client.Run(Op4.RestoreFh).Status);
        Assert.Equal(NoFileHandle, _client.Run(Op4.PutRootFh, Op4.Link("x"u8)).Status); // It needs a saved one, too.
        Assert.Equal(NoFileHandle, _client.Run(Op4.PutRootFh, Op4.Rename("x"u8, "y"u8)).Status);
    }

    [Fact]
    public void Operations_that_are_missing_or_cut_are_bad_xdr()
    {
        byte[] one = Nfs4Client.Compound(0, [], Op4.PutRootFh);
        one[11] = 2; // Two operations, it says.
        Reply4 reply = _client.Send(one);
        Assert.Equal((BadXdr, 2u), (reply.Status, reply.Count));

        reply = _client.Run(Op4.PutRootFh, new Op4(15, Op4.U32(100)));
        Assert.Equal((BadXdr, 2u), (reply.Status, reply.Count));
        Assert.Equal(BadXdr, reply.Skip(Op4.PutRootFh).Next(15));
        reply.Body.End();

        // SETATTR always says what it set.
        reply = _client.Run(Op4.PutRootFh, new Op4(34, Op4.U32(1)));
        Assert.Equal(BadXdr, reply.Skip(Op4.PutRootFh).Next(34));
        Assert.Equal(0u, reply.Body.U32());
        reply.Body.End();
    }

    [Fact]
    public void Operations_are_limited()
    {
        Op4[] many = [.. Enumerable.Repeat(Op4.PutRootFh, 100)];
        Assert.Equal((0u, 100u), (_client.Run(many).Status, _client.Run(many).Count));
        Reply4 reply = _client.Run([.. Enumerable.Repeat(Op4.PutRootFh, 5000)]);
        Assert.Equal((Resource, 1u), (reply.Status, reply.Count));

        byte[] liar = Nfs4Client.Compound(0, [], Op4.PutRootFh);
        liar.AsSpan(8, 4).Fill(0xff);
        Assert.Equal(Resource, _client.Send(liar).Status);
    }

    [Fact]
    public void A_reply_that_would_be_too_long_ends_with_an_error_and_stays_a_reply()
    {
        File.WriteAllBytes(Path.Combine(_served.Paths[0], "file"), new byte[1 << 20]);
        byte[] file = _client.Handle(Op4.PutRootFh, Op4.Lookup("export"u8), Op4.Lookup("file"u8));
        Reply4 reply = _client.Run([Op4.PutFh(file), .. Enumerable.Repeat(Op4.Read(0, 1 << 20), 20)]);
        Assert.True(reply.Status is 0 or Resource);
        reply.Skip(Op4.PutFh(file));
        long bytes = 0;
        for (uint i = 1; i < reply.Count; i++)
        {
            if (reply.Next(25) == 0)
            {
                reply.Body.Bool();
                bytes += reply.Body.Opaque().Length;
            }
        }
        reply.Body.End();
        Assert.InRange(bytes, 1 << 20, 4 << 20);
    }

    [Fact]
    public void Version_1_begins_with_a_sequence()
    {
        Reply4 reply = _client.Send(Nfs4Client.Compound(1, "t"u8, Op4.PutRootFh, Op4.GetFh));
        Assert.Equal((OpNotInSession, 1u), (reply.Status, reply.Count));
        Assert.Equal(OpNotInSession, reply.Next(24));
        reply.Body.End();
    }

    [Fact]
    public void Handles_are_put_saved_and_restored()
    {
        byte[] root = _client.Handle(Op4.PutRootFh), export = _client.Handle(Op4.PutPubFh, Op4.Lookup("export"u8));
        Assert.NotEqual(root, export);
        Assert.Equal(export, _client.Handle(Op4.PutFh(export), Op4.SaveFh, Op4.PutRootFh, Op4.RestoreFh));
        Assert.Equal(root, _client.Handle(Op4.PutFh(export), Op4.LookupP));
        Assert.Equal(10001u, _client.Last(Op4.PutFh([])).Status);
        Assert.Equal(10001u, _client.Last(Op4.PutFh([9, 9, 9])).Status);
        export[^1] ^= 1;
        Assert.Equal(70u, _client.Last(Op4.PutFh(export)).Status);
    }
}
