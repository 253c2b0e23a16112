using Microsoft.Extensions.Time.Testing;

namespace Kworker.Nfs.Tests;

/// <summary>How long attributes are believed before the server is asked again.</summary>
public sealed class AttributeCacheTests
{
    private static readonly TimeSpan s_moment = TimeSpan.FromMilliseconds(1);

    [Fact]
    public async Task They_are_good_for_acregmin_then_twice_as_long_each_time_up_to_acregmax_and_for_acregmin_again_after_a_change()
    {
        await using ServedDirectory served = await ServedDirectory.StartAsync();
        var time = new FakeTimeProvider();
        await using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = time });
        await using NfsClient client = await served.MountAsync(new NfsClientOptions
        {
            System = system,
            FileAttributesMinimum = TimeSpan.FromSeconds(3),
            FileAttributesMaximum = TimeSpan.FromSeconds(20),
        });
        await File.WriteAllBytesAsync(served.Local("a"), []);
        await using NfsFile file = await client.OpenAsync("a");
        long size = 0;

        await ChangesAndIsSeenAfterAsync(3);
        await ChangesAndIsSeenAfterAsync(3);
        await IsAskedForAfterAsync(3, 6, 12);
        await ChangesAndIsSeenAfterAsync(20);
        await IsAskedForAfterAsync(3, 6, 12, 20, 20);
        await ChangesAndIsSeenAfterAsync(20);
        await ChangesAndIsSeenAfterAsync(3);

        // Another program's change is what tells whether the server was asked.
        async Task ChangesAndIsSeenAfterAsync(int seconds)
        {
            await File.WriteAllBytesAsync(served.Local("a"), new byte[size + 1]);
            time.Advance(TimeSpan.FromSeconds(seconds) - s_moment);
            Assert.Equal(size, (await file.GetAttributesAsync()).Size);
            time.Advance(s_moment);
            Assert.Equal(++size, (await file.GetAttributesAsync()).Size);
        }

        async Task IsAskedForAfterAsync(params int[] seconds)
        {
            foreach (int one in seconds)
            {
                time.Advance(TimeSpan.FromSeconds(one));
                Assert.Equal(size, (await file.GetAttributesAsync()).Size);
            }
        }
    }
}
