using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Kworker.StatePage.Tests;

/// <summary>A tab. What is waited for is looked for in the tab itself, again and again, for as long as the test runner allows.</summary>
internal sealed class BrowserPage : IAsyncDisposable
{
    private readonly Chromium _browser;
    private readonly string _session;
    private readonly string _context;
    private readonly List<string> _complaints = []; // lock: itself
    private TaskCompletionSource _loaded = new();

    private BrowserPage(Chromium browser, string session, string context)
    {
        _browser = browser;
        _session = session;
        _context = context;
        browser.Listen(session, Hear);
    }

    /// <summary>Errors of scripts, refusals by the content security policy, what could not be loaded.</summary>
    public string[] Complaints
    {
        get
        {
            lock (_complaints)
                return [.. _complaints];
        }
    }

    public static async Task<BrowserPage> AttachAsync(Chromium browser, string session, string context)
    {
        var page = new BrowserPage(browser, session, context);
        foreach (string domain in new[] { "Page", "Runtime", "Log", "Network" })
            await page.CallAsync($"{domain}.enable", []);
        await page.SizeAsync(1280, 900);
        return page;
    }

    public Task<JsonNode> CallAsync(string method, JsonObject parameters) => _browser.CallAsync(_session, method, parameters);

    /// <summary>Goes to an address and waits until its page is loaded.</summary>
    public async Task GoToAsync(string address)
    {
        _loaded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        JsonNode gone = await CallAsync("Page.navigate", new JsonObject { ["url"] = address });
        Assert.Null((string?)gone["errorText"]);
        await _loaded.Task;
    }

    /// <summary>The value of an expression.</summary>
    public async Task<T> EvaluateAsync<T>(string expression)
    {
        JsonNode answer = await CallAsync("Runtime.evaluate", new JsonObject { ["expression"] = expression, ["awaitPromise"] = true, ["returnByValue"] = true, ["userGesture"] = true });
        if (answer["exceptionDetails"] is { } exception)
            throw new InvalidOperationException($"{expression}: {exception.ToJsonString()}");
        return answer["result"]?["value"] is { } value ? value.Deserialize<T>()! : default!;
    }

    /// <summary>Waits until an expression is true.</summary>
    public Task WaitForAsync(string expression) =>
        EvaluateAsync<bool>($"new Promise(done => {{ const look = () => ({expression}) ? done(true) : setTimeout(look, 10); look(); }})");

    /// <summary>Waits until the page has been updated once more from here on, whole.</summary>
    public async Task WaitForUpdateAsync()
    {
        const string Updates = "Number(document.documentElement.dataset.updates ?? 0)";
        int now = await EvaluateAsync<int>(Updates);
        // Two: the first may have been under way.
        await WaitForAsync(string.Create(CultureInfo.InvariantCulture, $"{Updates} > {now + 1}"));
    }

    /// <summary>Presses a key where the focus is.</summary>
    public async Task PressAsync(string key)
    {
        string? text = key switch { "Enter" => "\r", "Tab" or "Escape" => null, _ => key };
        int code = key switch { "Enter" => 13, "Tab" => 9, "Escape" => 27, _ => char.ToUpperInvariant(key[0]) };
        var down = new JsonObject { ["type"] = "keyDown", ["key"] = key, ["windowsVirtualKeyCode"] = code };
        if (text is not null)
            down["text"] = text;
        await CallAsync("Input.dispatchKeyEvent", down);
        await CallAsync("Input.dispatchKeyEvent", new JsonObject { ["type"] = "keyUp", ["key"] = key, ["windowsVirtualKeyCode"] = code });
    }

    public Task SizeAsync(int width, int height, double scale = 1, bool isPhone = false) => CallAsync(
        "Emulation.setDeviceMetricsOverride", new JsonObject { ["width"] = width, ["height"] = height, ["deviceScaleFactor"] = scale, ["mobile"] = isPhone });

    public Task PreferAsync(string colors) => CallAsync(
        "Emulation.setEmulatedMedia", new JsonObject { ["features"] = new JsonArray(new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = colors }) });

    public async Task<byte[]> PictureAsync()
    {
        JsonNode picture = await CallAsync("Page.captureScreenshot", new JsonObject { ["format"] = "png" });
        return Convert.FromBase64String((string)picture["data"]!);
    }

    public async ValueTask DisposeAsync() => await _browser.CallAsync(null, "Target.disposeBrowserContext", new JsonObject { ["browserContextId"] = _context });

    private void Hear(string method, JsonNode parameters)
    {
        string? complaint = method switch
        {
            "Runtime.exceptionThrown" => parameters["exceptionDetails"]!.ToJsonString(),
            "Log.entryAdded" when (string?)parameters["entry"]!["level"] == "error" => parameters["entry"]!.ToJsonString(),
            "Runtime.consoleAPICalled" when (string?)parameters["type"] is "error" or "assert" => parameters.ToJsonString(),
            _ => null,
        };
        if (complaint is not null)
        {
            lock (_complaints)
                _complaints.Add(complaint);
        }

        if (method == "Page.loadEventFired")
            _loaded.TrySetResult();
    }
}
