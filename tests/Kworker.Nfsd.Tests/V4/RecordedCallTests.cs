using Kworker.Nfsd.Tests.Wire;

namespace Kworker.Nfsd.Tests.V4;

/// <summary>
/// Calls that Linux's client made while it mounted NFS-Ganesha, and what that answered: ours has the same form, word by word, and differs in values only.
/// </summary>
public sealed class RecordedCallTests : IDisposable
{
    private readonly ServedExports4 _served = new("/:rw,insecure,no_root_squash");
    private readonly Nfs4Client _client;

    public RecordedCallTests() => _client = _served.Connect();

    public void Dispose()
    {
        _client.Dispose();
        _served.Dispose();
    }

    // PUTROOTFH, GETATTR lease_time.
    [Theory]
    [InlineData(
        "00000000 00000000 00000002 00000018 00000009 00000001 00000400",
        "00000000 00000000 00000002 00000018 00000000 00000009 00000000 00000001 00000400 00000004 ........")]
    // PUTROOTFH, GETATTR lease_time, maxfilesize, maxread, maxwrite, time_delta.
    [InlineData(
        "00000000 00000000 00000002 00000018 00000009 00000002 c8000400 00080000",
        "00000000 00000000 00000002 00000018 00000000 00000009 00000000 00000002 c8000400 00080000 00000028 ........ ........ ........ ........ "
        + "........ ........ ........ ........ ........ ........")]
    // PUTROOTFH, GETATTR maxlink, maxname.
    [InlineData(
        "00000000 00000000 00000002 00000018 00000009 00000001 30000000",
        "00000000 00000000 00000002 00000018 00000000 00000009 00000000 00000001 30000000 00000008 ........ 000000ff")]
    public void Answers_have_the_recorded_form(string call, string reply)
    {
        RpcAnswer answer = _client.Rpc.Call(Nfs4Client.Program, 4, 1, Convert.FromHexString(call.Replace(" ", "", StringComparison.Ordinal)));
        Assert.Equal((true, 0u), (answer.IsAccepted, answer.Status));
        foreach (string word in reply.Split(' '))
        {
            string got = $"{answer.Body.U32():x8}";
            if (word != "........")
                Assert.Equal(word, got);
        }
        answer.Body.End();
    }

    /// <summary>PUTROOTFH, GETFH, GETATTR of what the client keeps of every file.</summary>
    [Fact]
    public void The_mounts_first_look_at_the_root_is_answered_in_full()
    {
        byte[] call = Convert.FromHexString("000000000000000000000003000000180000000a00000009000000020010011a00b0a23a");
        RpcAnswer answer = _client.Rpc.Call(Nfs4Client.Program, 4, 1, call);
        var reply = new Reply4(answer.Body.U32(), answer.Body.Opaque(), answer.Body.U32(), answer.Body);
        Assert.Equal((0u, 3u), (reply.Status, reply.Count));
        reply.Skip(Op4.PutRootFh);
        Assert.Equal(0u, reply.Next(Op4.GetFh));
        Assert.InRange(reply.Body.Opaque().Length, 1, 128);
        Assert.Equal(0u, reply.Next(9));
        XdrCursor attributes = reply.Attributes(1, 3, 4, 8, 20, 33, 35, 36, 37, 41, 45, 47, 52, 53, 55);
        Assert.Equal(2u, attributes.U32()); // type
        Assert.NotEqual(0ul, attributes.U64()); // change
        attributes.U64(); // size
        attributes.U64(); // fsid
        attributes.U64();
        ulong fileId = attributes.U64();
        Assert.Equal(0x1ffu, attributes.U32()); // mode
        Assert.True(attributes.U32() >= 2); // numlinks
        Assert.NotEmpty(attributes.Opaque()); // owner
        Assert.NotEmpty(attributes.Opaque()); // owner_group
        attributes.U64(); // rawdev
        attributes.U64(); // space_used
        for (int time = 0; time < 3; time++)
        {
            attributes.U64();
            Assert.InRange(attributes.U32(), 0u, 999_999_999u);
        }
        attributes.U64(); // mounted_on_fileid: another directory's.
        attributes.End();
        Assert.NotEqual(0ul, fileId);
        reply.Body.End();
    }
}
