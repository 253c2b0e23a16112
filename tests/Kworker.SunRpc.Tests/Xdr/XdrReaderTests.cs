namespace Kworker.SunRpc.Tests;

public sealed class XdrReaderTests
{
    [Theory]
    [InlineData("00000005 01020304")] // a byte missing
    [InlineData("00000005 0102030405 0000")] // the padding cut short
    [InlineData("7FFFFFFF 01020304")]
    [InlineData("FFFFFFFF 01020304")]
    [InlineData("000000")]
    [InlineData("")]
    public void An_opaque_longer_than_the_bytes_is_refused(string bytes) =>
        Assert.Throws<XdrException>(() => new XdrReader(Wire.Bytes(bytes)).ReadOpaque());

    [Fact]
    public void A_fixed_opaque_near_the_greatest_length_does_not_wrap_around() =>
        Assert.Throws<XdrException>(() => new XdrReader(new byte[8]).ReadFixedOpaque(int.MaxValue));

    [Fact]
    public void A_count_is_bounded_by_what_the_bytes_can_hold()
    {
        Assert.Equal(2, new XdrReader(Wire.Bytes("00000002 0000000000000000")).ReadCount(10, 4));
        Assert.Throws<XdrException>(() => new XdrReader(Wire.Bytes("00000003 0000000000000000")).ReadCount(10, 4));
        Assert.Throws<XdrException>(() => new XdrReader(Wire.Bytes("00000002 0000000000000000")).ReadCount(1, 4));
        Assert.Throws<XdrException>(() => new XdrReader(Wire.Bytes("00000009 0000000000000000")).ReadCount(10, 0));
    }
}
