using System.Net;
using System.Text;
using CsCheck;

namespace Kworker.SunRpc.Tests;

public sealed class UniversalAddressTests
{
    [Theory]
    [InlineData("127.0.0.1.8.1", "127.0.0.1:2049")]
    [InlineData("0.0.0.0.0.111", "0.0.0.0:111")]
    [InlineData("::1.8.1", "[::1]:2049")]
    [InlineData("fe80::1.255.255", "[fe80::1]:65535")]
    [InlineData("::.0.0", "[::]:0")]
    public void Both_ways(string text, string endPoint)
    {
        Assert.True(UniversalAddress.TryParse(Encoding.ASCII.GetBytes(text), out IPEndPoint? parsed));
        Assert.Equal(IPEndPoint.Parse(endPoint), parsed);
        Assert.Equal(text, Encoding.ASCII.GetString(UniversalAddress.Format(parsed!)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("1.2")]
    [InlineData("127.1.8.1")]
    [InlineData("127.0.0.1.8.256")]
    [InlineData("127.0.0.1.8.-1")]
    [InlineData("127.0.0.1.8.")]
    [InlineData("127.0.0.1. 8.1")]
    [InlineData("fe80::1%eth0.8.1")]
    [InlineData("[::1].8.1")]
    [InlineData("/run/rpcbind.sock")]
    public void Anything_else_is_none(string text) => Assert.False(UniversalAddress.TryParse(Encoding.ASCII.GetBytes(text), out _));

    [Fact]
    public void A_scope_is_left_out() =>
        Assert.Equal("fe80::1.8.1", Encoding.ASCII.GetString(UniversalAddress.Format(new IPEndPoint(IPAddress.Parse("fe80::1%3"), 2049))));

    [Fact]
    public void Any_bytes_are_an_address_or_none() => Gen.OneOf(Gen.Byte, Gen.Char["0123456789.:"].Select(c => (byte)c)).Array[0, 80].Sample(bytes =>
    {
        if (UniversalAddress.TryParse(bytes, out IPEndPoint? endPoint))
            Assert.True(UniversalAddress.TryParse(UniversalAddress.Format(endPoint!), out IPEndPoint? again) && endPoint!.Equals(again));
    });
}
