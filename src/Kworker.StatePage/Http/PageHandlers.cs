using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Kworker.StatePage;

/// <summary>Answers for the page and its parts.</summary>
internal sealed class PageHandlers(StateReader reader)
{
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private readonly Lock _lock = new();
    private (StateDocument Document, int Rows, IReadOnlyList<SectionUpdate> Parts)? _parts; // _lock: written once for all who watch

    /// <summary>Lets in who may see it.</summary>
    public async Task GuardAsync(HttpContext context, RequestDelegate handle)
    {
        IHeaderDictionary headers = context.Response.Headers;
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers.CacheControl = "no-store";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        if (AccessRule.Refuse(context, reader.Options) is { } reason)
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            await WriteAsync(context, "text/plain; charset=utf-8", reason + "\n");
            return;
        }

        await handle(context);
    }

    public Task PageAsync(HttpContext context)
    {
        string path = (context.Request.PathBase + context.Request.Path).Value!.TrimEnd('/');
        return WriteAsync(context, "text/html; charset=utf-8", PageWriter.Page(reader.Read(), path, RowsOf(context), reader.Options.Interval));
    }

    public Task JsonAsync(HttpContext context) =>
        WriteAsync(context, "application/json; charset=utf-8", JsonSerializer.Serialize(reader.Read(), StateJson.Default.StateDocument));

    public Task MetricsAsync(HttpContext context) =>
        WriteAsync(context, "text/plain; version=0.0.4; charset=utf-8", PrometheusText.Write(reader.Options.Meters, reader.ReadForMetrics()));

    public static async Task AssetAsync(HttpContext context, string name, string type)
    {
        (byte[] bytes, string tag) = PageAssets.Get(name);
        context.Response.Headers.CacheControl = "no-cache";
        context.Response.Headers.ETag = tag;
        if (context.Request.Headers.IfNoneMatch == tag)
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        context.Response.ContentType = type;
        context.Response.ContentLength = bytes.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
            await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
    }

    /// <summary>The parts that have changed, as server-sent events, until the page is closed.</summary>
    public async Task EventsAsync(HttpContext context)
    {
        using IDisposable? watch = reader.Watch();
        if (watch is null)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            context.Response.Headers.RetryAfter = "10";
            await WriteAsync(context, "text/plain; charset=utf-8", "Too many pages are open.\n");
            return;
        }

        context.Response.ContentType = "text/event-stream";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        if (HttpMethods.IsHead(context.Request.Method))
            return;
        int rows = RowsOf(context);
        var sent = new Dictionary<string, string>();
        using var closed = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, reader.Stopping);
        try
        {
            await context.Response.WriteAsync("retry: 2000\n\n", closed.Token);
            while (true)
            {
                var text = new StringBuilder();
                foreach (SectionUpdate part in Parts(rows))
                {
                    if (sent.GetValueOrDefault(part.Id) == part.Html)
                        continue;
                    sent[part.Id] = part.Html;
                    // JSON has no line breaks of its own: an event is one line.
                    text.Append("event: part\ndata: ").Append(JsonSerializer.Serialize(part, StateJson.Default.SectionUpdate)).Append("\n\n");
                }

                text.Append("event: done\ndata:\n\n");
                await context.Response.WriteAsync(text.ToString(), closed.Token);
                await context.Response.Body.FlushAsync(closed.Token);
                await Task.Delay(reader.Options.Interval, reader.Time, closed.Token);
            }
        }
        catch (OperationCanceledException) when (closed.IsCancellationRequested)
        {
            // The page was closed, or the server stops: nothing is left to be said.
            context.Abort();
        }
    }

    private IReadOnlyList<SectionUpdate> Parts(int rows)
    {
        StateDocument document = reader.Read();
        lock (_lock)
        {
            if (_parts is { } written && ReferenceEquals(written.Document, document) && written.Rows == rows)
                return written.Parts;
            IReadOnlyList<SectionUpdate> parts = PageWriter.Parts(document, rows);
            _parts = (document, rows, parts);
            return parts;
        }
    }

    private int RowsOf(HttpContext context) =>
        int.TryParse(context.Request.Query["rows"], NumberStyles.None, CultureInfo.InvariantCulture, out int rows) && rows is > 0 and <= PageWriter.MostRows ? rows : reader.Options.MaxRows;

    private static Task WriteAsync(HttpContext context, string type, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        context.Response.ContentType = type;
        context.Response.ContentLength = bytes.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(bytes, context.RequestAborted).AsTask();
    }
}
