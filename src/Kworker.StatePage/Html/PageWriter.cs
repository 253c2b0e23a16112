using System.Globalization;

namespace Kworker.StatePage;

/// <summary>Writes the page, whole and in the parts that an open page takes in place of its own.</summary>
internal static class PageWriter
{
    /// <summary>The most rows of a table that can be asked for.</summary>
    public const int MostRows = 10_000;

    /// <summary>The parts that change, each with the id of its element.</summary>
    public static IReadOnlyList<SectionUpdate> Parts(StateDocument document, int maxRows)
    {
        var parts = new List<SectionUpdate> { new("tiles", Tiles(document)) };
        foreach (StateSection section in document.Sections)
            parts.Add(new SectionUpdate(section.Id, Section(section, maxRows)));
        parts.Add(new SectionUpdate("about", About(document)));
        return parts;
    }

    /// <summary>The page.</summary>
    /// <param name="document">What it shows.</param>
    /// <param name="path">The path that it is served under, without a slash at its end.</param>
    /// <param name="maxRows">How many rows of a table at most.</param>
    /// <param name="interval">How often it is updated.</param>
    public static string Page(StateDocument document, string path, int maxRows, TimeSpan interval)
    {
        var html = new HtmlText();
        html.Markup("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n");
        html.Markup("<title>").Text($"{document.Title} · state").Markup("</title>\n");
        html.Markup("<link rel=\"icon\" type=\"image/svg+xml\"").Attribute("href", $"{path}/icon.svg").Markup(">\n<link rel=\"stylesheet\"").Attribute("href", $"{path}/page.css").Markup(">\n");
        html.Markup("<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>\n<script defer").Attribute("src", $"{path}/page.js")
            .Attribute("data-events", $"{path}/events?rows={maxRows.ToString(CultureInfo.InvariantCulture)}").Attribute("data-interval", interval.TotalMilliseconds).Markup("></script>\n</head>\n");
        html.Markup("<body>\n<a class=\"skip\" href=\"#content\">Skip to the content</a>\n<header class=\"top\">\n<h1>").Text(document.Title).Markup("</h1>\n");
        html.Markup(About(document));
        html.Markup("\n<div class=\"controls\" id=\"controls\" hidden>\n<p id=\"live\" role=\"status\" data-tone=\"Quiet\">connecting</p>\n");
        html.Markup("<label for=\"filter\">Filter</label><input id=\"filter\" type=\"search\" placeholder=\"rows that contain…\" autocomplete=\"off\" spellcheck=\"false\">\n");
        html.Markup("<button type=\"button\" id=\"pause\" aria-pressed=\"false\">Pause</button>\n<button type=\"button\" id=\"help-open\" aria-haspopup=\"dialog\">Keys</button>\n</div>\n</header>\n");
        html.Markup("<nav aria-label=\"Sections\"><ul>");
        foreach (StateSection section in document.Sections)
            html.Markup("<li><a").Attribute("href", $"#{section.Id}").Markup(">").Text(section.Title).Markup("</a></li>");
        html.Markup("</ul></nav>\n<main id=\"content\">\n");
        foreach (SectionUpdate part in Parts(document, maxRows))
        {
            if (part.Id != "about")
                html.Markup(part.Html).Markup("\n");
        }

        html.Markup("</main>\n<footer><p>Read-only. The same as <a").Attribute("href", $"{path}/state.json").Markup(">JSON</a>, figures as <a").Attribute("href", $"{path}/metrics")
            .Markup(">metrics</a>.</p></footer>\n");
        html.Markup("""
            <dialog id="help" aria-labelledby="help-title"><h2 id="help-title">Keys</h2>
            <dl><dt><kbd>/</kbd></dt><dd>filter rows</dd><dt><kbd>j</kbd> <kbd>k</kbd></dt><dd>next, previous section</dd><dt><kbd>p</kbd></dt><dd>pause, go on</dd><dt><kbd>?</kbd></dt><dd>this help</dd><dt><kbd>Enter</kbd></dt><dd>on a heading of a column: sort by it</dd></dl>
            <form method="dialog"><button>Close</button></form></dialog>
            </body>
            </html>

            """);
        return html.ToString();
    }

    private static string About(StateDocument document) => new HtmlText().Markup("<p id=\"about\" class=\"about\">").Text(document.Subtitle)
        .Markup(" · <time").Attribute("datetime", document.Time.ToString("O", CultureInfo.InvariantCulture)).Markup(">")
        .Text(document.Time.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture)).Markup("</time></p>").ToString();

    private static string Tiles(StateDocument document)
    {
        var html = new HtmlText();
        html.Markup("<ul id=\"tiles\" class=\"tiles\" aria-label=\"Overview\">");
        foreach (StateTile tile in document.Tiles)
        {
            html.Markup("<li").Attribute("data-key", tile.Name).Attribute("data-tone", tile.Tone.ToString()).Markup("><span class=\"name\">").Text(tile.Name)
                .Markup("</span><strong class=\"value\">").Text(tile.Text).Markup("</strong>");
            if (tile.Trend is not null)
                Pictures.Spark(html, tile.Trend);
            html.Markup("</li>");
        }

        return html.Markup("</ul>").ToString();
    }

    private static string Section(StateSection section, int maxRows)
    {
        var html = new HtmlText();
        html.Markup("<section").Attribute("id", section.Id).Attribute("aria-labelledby", $"{section.Id}-title").Markup("><h2 tabindex=\"-1\"").Attribute("id", $"{section.Id}-title").Markup(">")
            .Text(section.Title).Markup("</h2>");
        if (section.Note is not null)
            html.Markup("<p class=\"note\">").Text(section.Note).Markup("</p>");
        if (section.Facts.Count > 0)
        {
            html.Markup("<dl class=\"facts\">");
            foreach (StateFact fact in section.Facts)
                Fact(html, fact);
            html.Markup("</dl>");
        }

        if (section.Picture is { Bars.Count: > 0 })
            Pictures.Bars(html, section.Picture);
        foreach (StateTable table in section.Tables)
            Table(html, section, table, maxRows);
        return html.Markup("</section>").ToString();
    }

    private static void Fact(HtmlText html, StateFact fact)
    {
        html.Markup("<div").Attribute("data-key", fact.Name).Markup("><dt>").Text(fact.Name).Markup("</dt><dd>");
        Value(html, fact.Value);
        if (fact.Progress is { } progress)
            html.Markup("<progress max=\"1\"").Attribute("value", Math.Clamp(progress, 0, 1)).Attribute("aria-label", fact.Name).Markup("></progress>");
        html.Markup("</dd></div>");
    }

    private static void Table(HtmlText html, StateSection section, StateTable table, int maxRows)
    {
        bool isOnly = section.Tables.Count == 1;
        html.Markup("<div class=\"scroll\" role=\"region\" tabindex=\"0\"").Attribute("aria-label", table.Caption).Attribute("data-key", table.Id).Markup("><table").Attribute("id", table.Id)
            .Markup("><caption").Markup(isOnly ? " class=\"unseen\">" : ">").Text(table.Caption).Markup("</caption><thead><tr>");
        foreach (StateColumn column in table.Columns)
            html.Markup("<th scope=\"col\"").Markup(column.IsNumber ? " class=\"n\">" : ">").Text(column.Name).Markup("</th>");
        html.Markup("</tr></thead><tbody>");
        foreach (StateRow row in table.Rows.Take(maxRows))
            Row(html, table, row);
        if (table.Rows.Count == 0)
            html.Markup("<tr class=\"empty\" data-key=\"\"><td").Attribute("colspan", table.Columns.Count).Markup(">").Text(table.Empty).Markup("</td></tr>");
        html.Markup("</tbody></table></div>");
        long total = Math.Max(table.Total ?? 0, table.Rows.Count);
        int shown = Math.Min(maxRows, table.Rows.Count);
        if (total > shown)
        {
            html.Markup("<p class=\"more\"").Attribute("data-key", $"{table.Id}-more").Markup(">").Text(string.Create(CultureInfo.InvariantCulture, $"The first {shown:N0} of {total:N0} are shown."));
            if (table.Rows.Count > shown)
                html.Markup(" <a").Attribute("href", $"?rows={MostRows.ToString(CultureInfo.InvariantCulture)}#{section.Id}").Markup(">Show more</a>");
            html.Markup("</p>");
        }
    }

    private static void Row(HtmlText html, StateTable table, StateRow row)
    {
        html.Markup("<tr").Attribute("data-key", row.Key).Markup(">");
        for (int i = 0; i < row.Cells.Count; i++)
        {
            StateCell cell = row.Cells[i];
            string tag = i == 0 ? "th" : "td";
            html.Markup($"<{tag}").Markup(i == 0 ? " scope=\"row\"" : "").Markup(table.Columns[i].IsNumber ? " class=\"n\"" : "");
            if (cell.Value is { } value)
                html.Attribute("data-value", value);
            html.Markup(">");
            Value(html, cell);
            html.Markup($"</{tag}>");
        }

        html.Markup("</tr>");
    }

    private static void Value(HtmlText html, StateCell cell)
    {
        if (cell.Trend is not null)
            Pictures.Spark(html, cell.Trend);
        if (cell.Tone != StateTone.Plain)
            html.Markup("<span class=\"state\"").Attribute("data-tone", cell.Tone.ToString()).Markup(">").Text(cell.Text).Markup("</span>");
        else if (cell.Detail is null)
            html.Text(cell.Text);
        if (cell.Detail is not null)
        {
            html.Markup("<details><summary>").Text(cell.Tone == StateTone.Plain ? cell.Text : "more").Markup("</summary><pre>").Lines(cell.Detail).Markup("</pre></details>");
        }
    }
}
