namespace Kworker.Tests.Guide;

public sealed class DebounceTests : GuideTests
{
    [Fact]
    public async Task It_is_saved_once_two_seconds_after_the_last_change()
    {
        var saved = new Completion();
        int saves = 0;
        await using var settings = new Settings(() =>
        {
            Interlocked.Increment(ref saves);
            saved.Complete();
        });
        for (int i = 0; i < 10; i++)
        {
            settings.Changed();
            Time.Advance(TimeSpan.FromSeconds(1.9));
        }
        Assert.Equal(0, Volatile.Read(ref saves));
        Time.Advance(TimeSpan.FromSeconds(0.1));
        await saved.WaitAsync();
        Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(1, Volatile.Read(ref saves));
    }

    [Fact]
    public async Task A_change_is_saved_when_the_program_ends_before_its_time()
    {
        int saves = 0;
        await using (var settings = new Settings(() => saves++))
            settings.Changed();
        Assert.Equal(1, saves);
    }

    // guide: debounce
    public sealed class Settings : IAsyncDisposable
    {
        private readonly Workqueue _queue = new("settings");
        private readonly DelayedWork<Action> _save;

        public Settings(Action save) => _save = new DelayedWork<Action>(save, static save => save());

        public void Changed() => _queue.Modify(_save, TimeSpan.FromSeconds(2)); // two seconds from now, whatever was planned

        public async ValueTask DisposeAsync()
        {
            await _save.FlushAsync(); // if it is planned, it is done now
            await _queue.DisposeAsync();
        }
    }
    // guide end
}
