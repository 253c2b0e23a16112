using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Kworker.StatePage.Tests;

/// <summary>
/// Chromium without a window, spoken to by its DevTools protocol: one for all tests. The library that is usual for that brings a browser driver, and Node, of several hundred
/// megabytes; what these tests need of the protocol is this file and <see cref="BrowserPage"/>.
/// </summary>
public sealed class Chromium : IAsyncLifetime
{
    private static readonly string[] s_names = ["chromium", "chromium-browser", "google-chrome"];

    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonNode>> _calls = new();
    private readonly ConcurrentDictionary<string, Action<string, JsonNode>> _listeners = new();
    private readonly SemaphoreSlim _sending = new(1);
    private readonly ClientWebSocket _socket = new();
    private readonly StringBuilder _said = new(); // lock: itself
    private string? _profile;
    private Process? _process;
    private Task? _receiving;
    private int _number;

    public async ValueTask InitializeAsync()
    {
        if (Find() is not { } program)
            return;
        _profile = Directory.CreateTempSubdirectory("state-page-").FullName;
        var start = new ProcessStartInfo(program) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (string argument in new[]
        {
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions", "--disable-sync", "--disable-background-networking",
            "--disable-component-update", "--disable-default-apps", "--hide-scrollbars", "--force-color-profile=srgb", "--remote-debugging-port=0", $"--user-data-dir={_profile}", "about:blank",
        })
            start.ArgumentList.Add(argument);
        start.Environment["HOME"] = _profile;
        var listening = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        _process = Process.Start(start)!;
        _process.EnableRaisingEvents = true;
        _process.Exited += (_, _) => listening.TrySetException(new InvalidOperationException($"{program} ended: {Said}"));
        _process.OutputDataReceived += (_, _) => { };
        _process.ErrorDataReceived += (_, line) =>
        {
            const string Mark = "DevTools listening on ";
            lock (_said)
                _said.AppendLine(line.Data);
            if (line.Data?.StartsWith(Mark, StringComparison.Ordinal) == true)
                listening.TrySetResult(new Uri(line.Data[Mark.Length..].Trim()));
        };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        await _socket.ConnectAsync(await listening.Task, CancellationToken.None);
        _receiving = ReceiveAsync();
    }

    /// <summary>A tab of its own, with cookies and settings of its own.</summary>
    internal async Task<BrowserPage> OpenAsync()
    {
        if (_process is null)
            Assert.Skip("not run: there is no chromium here (Debian: apt-get install chromium)");
        JsonNode context = await CallAsync(null, "Target.createBrowserContext", []);
        string contextId = (string)context["browserContextId"]!;
        JsonNode target = await CallAsync(null, "Target.createTarget", new JsonObject { ["url"] = "about:blank", ["browserContextId"] = contextId });
        JsonNode session = await CallAsync(null, "Target.attachToTarget", new JsonObject { ["targetId"] = (string)target["targetId"]!, ["flatten"] = true });
        return await BrowserPage.AttachAsync(this, (string)session["sessionId"]!, contextId);
    }

    internal void Listen(string session, Action<string, JsonNode> listener) => _listeners[session] = listener;

    internal async Task<JsonNode> CallAsync(string? session, string method, JsonObject parameters)
    {
        int number = Interlocked.Increment(ref _number);
        var answered = new TaskCompletionSource<JsonNode>(TaskCreationOptions.RunContinuationsAsynchronously);
        _calls[number] = answered;
        var call = new JsonObject { ["id"] = number, ["method"] = method, ["params"] = parameters };
        if (session is not null)
            call["sessionId"] = session;
        await _sending.WaitAsync();
        try
        {
            await _socket.SendAsync(Encoding.UTF8.GetBytes(call.ToJsonString()), WebSocketMessageType.Text, true, CancellationToken.None);
        }
        finally
        {
            _sending.Release();
        }

        JsonNode answer = await answered.Task;
        return answer["error"] is { } error ? throw new InvalidOperationException($"{method}: {error.ToJsonString()}") : answer["result"]!;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        if (_receiving is not null)
            await _receiving;
        _socket.Dispose();
        _sending.Dispose();
        if (_profile is not null)
            Directory.Delete(_profile, recursive: true);
    }

    private string Said
    {
        get
        {
            lock (_said)
                return _said.ToString();
        }
    }

    private static string? Find() => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
        .SelectMany(static directory => s_names.Select(name => Path.Combine(directory, name))).FirstOrDefault(File.Exists);

    private async Task ReceiveAsync()
    {
        var buffer = new byte[1 << 16];
        try
        {
            while (true)
            {
                using var message = new MemoryStream();
                ValueWebSocketReceiveResult part;
                do
                {
                    part = await _socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                    message.Write(buffer, 0, part.Count);
                }
                while (!part.EndOfMessage);
                if (part.MessageType == WebSocketMessageType.Close)
                    break;
                JsonNode node = JsonNode.Parse(message.ToArray())!;
                if (node["id"] is { } id && _calls.TryRemove((int)id, out TaskCompletionSource<JsonNode>? call))
                    call.SetResult(node);
                else if (node["sessionId"] is { } session && _listeners.TryGetValue((string)session!, out Action<string, JsonNode>? listener))
                    listener((string)node["method"]!, node["params"]!);
            }
        }
        catch (WebSocketException)
        {
            // The browser was ended, by us as a rule: who waits for it is told below.
        }

        foreach (TaskCompletionSource<JsonNode> call in _calls.Values)
            call.TrySetException(new InvalidOperationException($"The browser has gone: {Said}"));
    }
}
