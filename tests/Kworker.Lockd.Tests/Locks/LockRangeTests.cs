using Kworker.Lockd.Locks;

namespace Kworker.Lockd.Tests.Locks;

public sealed class LockRangeTests
{
    [Theory]
    [InlineData(0UL, 0UL, 0UL, ulong.MaxValue)]
    [InlineData(5UL, 1UL, 5UL, 5UL)]
    [InlineData(ulong.MaxValue, 1UL, ulong.MaxValue, ulong.MaxValue)]
    [InlineData(ulong.MaxValue, 0UL, ulong.MaxValue, ulong.MaxValue)]
    [InlineData(1UL, ulong.MaxValue, 1UL, ulong.MaxValue)]
    public void A_length_of_zero_is_to_the_end(ulong offset, ulong length, ulong start, ulong end)
    {
        Assert.True(LockRange.TryCreate(offset, length, out LockRange range));
        Assert.Equal(new LockRange(start, end), range);
    }

    [Theory]
    [InlineData(2UL, ulong.MaxValue)]
    [InlineData(ulong.MaxValue, 2UL)]
    public void What_ends_past_the_last_byte_there_can_be_is_refused(ulong offset, ulong length) =>
        Assert.False(LockRange.TryCreate(offset, length, out _));
}
