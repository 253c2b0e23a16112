using System.Globalization;
using System.Text;
using Kworker.Nfsd.Tracking;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.Nfsd.Tests.Tracking;

/// <summary>
/// Two clients' lives, restarts, a missing program and one that cannot be executed, as a real kernel lived through them: our helper is given what its helper
/// was given, and our log reads as its log.
/// </summary>
public sealed class RecordedUpcallTests : IDisposable
{
    private const string Wrap = "/run/wrap"; // the names in the recording
    private const string Text = "/run/text";

    private readonly HelperScript _script = new();
    private readonly LogLines _log = new();
    private readonly FakeTimeProvider _clock = new();
    private readonly KworkerSystem _system;

    public RecordedUpcallTests() => _system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = _clock });

    public void Dispose()
    {
        _system.Dispose();
        _script.Dispose();
    }

    [Fact]
    public async Task Helper_and_log_get_what_the_kernel_gave_them()
    {
        string[] starts = [.. Recorded("######## what the kernel logged").Where(line => line.Contains("env0: NFSDCLTRACK_GRACE_START=", StringComparison.Ordinal))
            .Select(line => line[(line.LastIndexOf('=') + 1)..])];
        Assert.Equal(5, starts.Length);
        var lives = new Queue<string>(starts);
        byte[] oldId = Encoding.ASCII.GetBytes("Linux NFSv4.0 client/10.77.0.13");
        byte[] newId = Encoding.ASCII.GetBytes("Linux NFSv4.1 client");

        await using (UmhClientTracking first = Next(_script.Path))
        {
            Assert.Equal(TrackingStart.Somebody, await first.InitAsync());
            Assert.Equal(TrackingResult.Recorded, await first.GraceDoneAsync());
            var client = new TrackedClient(oldId, hasSession: false);
            Assert.Equal(TrackingResult.Recorded, await first.CreateAsync(client));
            Assert.Equal(TrackingResult.Recorded, await first.CreateAsync(client)); // at its next open: no upcall
        }
        await using (UmhClientTracking second = Next(_script.Path))
        {
            await second.InitAsync();
            var client = new TrackedClient(oldId, hasSession: false);
            Assert.Equal(TrackingResult.Recorded, await second.CheckAsync(client));
            Assert.Equal(TrackingResult.Recorded, await second.CheckAsync(client));
            Assert.Equal(TrackingResult.Recorded, await second.CreateAsync(client));
            await second.GraceDoneAsync();
            Assert.Equal(TrackingResult.Recorded, await second.RemoveAsync(client));
            await second.CreateAsync(new TrackedClient(newId, hasSession: true));
        }
        await using (UmhClientTracking third = Next(_script.Path))
        {
            await third.InitAsync();
            var client = new TrackedClient(newId, hasSession: true);
            await third.CheckAsync(client);
            // The recording has the end of grace come while the helper of the client's reclaim complete still runs.
            _script.Hold("create", client.HexId);
            ValueTask<TrackingResult> create = third.CreateAsync(client);
            while (!_script.Commands.EndsWith("create", StringComparison.Ordinal))
                await Task.Yield();
            await third.GraceDoneAsync();
            _script.Release();
            await create;
            await third.RemoveAsync(client);
        }
        await using (UmhClientTracking missing = Next("/nowhere/nfsdcltrack"))
            Assert.Equal(TrackingStart.Off, await missing.InitAsync());
        File.WriteAllText(_script.In("text"), "no program");
        await using (UmhClientTracking notExecutable = Next(_script.In("text")))
            Assert.Equal(TrackingStart.Off, await notExecutable.InitAsync());

        Assert.Equal(Calls(), _script.Given);
        Assert.Equal(Lines(), _log.All.Where(IsKernels).Select(line => line.Replace(_script.Path, Wrap).Replace(_script.In("text"), Text)));

        UmhClientTracking Next(string program)
        {
            _clock.SetUtcNow(DateTimeOffset.FromUnixTimeSeconds(long.Parse(lives.Dequeue(), CultureInfo.InvariantCulture)));
            return new UmhClientTracking(
                new UmhTrackingOptions { Program = program, TrustFile = _script.In("trust"), System = _system }, _log);
        }
    }

    // What follows on the kernel's falling back to its directory of records, we have not; nor that line, which is lockd's to write.
    private static bool IsKernels(string line) =>
        line.StartsWith("nfsd4_umh_cltrack_upcall: ", StringComparison.Ordinal)
        || (line.StartsWith("NFSD: ", StringComparison.Ordinal) && !line.Contains("grace period", StringComparison.Ordinal));

    private static List<string> Lines()
    {
        var lines = new List<string>();
        bool isLegacy = false;
        foreach (string line in Recorded("######## what the kernel logged"))
        {
            if (line.StartsWith("NFSD: Using /var/lib", StringComparison.Ordinal))
                isLegacy = true;
            if (line.Contains("cmd: init", StringComparison.Ordinal))
                isLegacy = false;
            if (!isLegacy && IsKernels(line))
                lines.Add(line);
        }
        return lines;
    }

    private static List<string> Calls()
    {
        var calls = new List<string>();
        foreach (string line in Recorded("######## what the program was given"))
        {
            if (line.StartsWith("--- ", StringComparison.Ordinal))
                calls.Add("");
            else if (line.StartsWith("arg: ", StringComparison.Ordinal) || (line.StartsWith("env: ", StringComparison.Ordinal) && !line.StartsWith("env: PATH=", StringComparison.Ordinal)))
                calls[^1] += (calls[^1].Length > 0 ? "\n" : "") + line;
        }
        return calls;
    }

    private static IEnumerable<string> Recorded(string part) =>
        File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Tracking", "cltrack-upcalls.txt"))
            .SkipWhile(line => line != part).Skip(1)
            .TakeWhile(line => !line.StartsWith("########", StringComparison.Ordinal));
}
