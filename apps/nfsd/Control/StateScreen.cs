using System.Globalization;
using Kworker.StatePage;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Kworker.Apps.Nfsd.Control;

/// <summary>The state in a terminal. All texts are shown as they are: none is read as markup or reaches the terminal as a control sequence.</summary>
internal static class StateScreen
{
    private const string Steps = "▁▂▃▄▅▆▇█";

    /// <summary>All of it, as far as there is something to say.</summary>
    /// <param name="document">The state.</param>
    /// <param name="rows">How many rows of a table at most.</param>
    /// <param name="includeEmpty">Tables without rows, too.</param>
    public static IRenderable Of(StateDocument document, int rows, bool includeEmpty)
    {
        var parts = new List<IRenderable>
        {
            new Text($"{Safe(document.Title)}  ", new Style(decoration: Decoration.Bold)),
            new Text($"{Safe(document.Subtitle)} · {document.Time.ToUniversalTime():HH:mm:ss}Z", new Style(Color.Grey)),
            Text.Empty,
            Tiles(document),
        };
        foreach (StateSection section in document.Sections)
        {
            StateTable[] tables = [.. section.Tables.Where(table => includeEmpty || table.Rows.Count > 0)];
            bool isTold = tables.Length > 0 || section.Facts.Any(static fact => fact.Value.Tone > StateTone.Quiet) || section.Id == "server";
            if (!isTold)
                continue;
            parts.Add(Text.Empty);
            parts.Add(new Text(Safe(section.Title), new Style(decoration: Decoration.Bold)));
            if (section.Facts.Count > 0)
                parts.Add(Facts(section));
            parts.AddRange(tables.Select(table => Table(section, table, rows)));
        }
        return new Rows(parts);
    }

    private static Grid Tiles(StateDocument document)
    {
        var grid = new Grid();
        const int Columns = 4;
        for (int i = 0; i < Columns; i++)
            grid.AddColumn(new GridColumn { Padding = new Padding(0, 0, 3, 0) });
        foreach (StateTile[] line in document.Tiles.Chunk(Columns))
        {
            grid.AddRow(
            [
                .. line.Select(static tile => (IRenderable)new Columns(
                    new Text(Safe(tile.Name), new Style(Color.Grey)), new Text(Safe(tile.Text), StyleOf(tile.Tone, Decoration.Bold)), new Text(Spark(tile.Trend), new Style(Color.Blue))) { Expand = false }),
            ]);
        }
        return grid;
    }

    private static Columns Facts(StateSection section) =>
        new(section.Facts.Select(static fact => new Columns(new Text(Safe(fact.Name), new Style(Color.Grey)), new Text(Safe(fact.Value.Text), StyleOf(fact.Value.Tone))) { Expand = false })) { Expand = false };

    private static IRenderable Table(StateSection section, StateTable table, int rows)
    {
        var drawn = new Table { Border = TableBorder.None, ShowRowSeparators = false };
        foreach (StateColumn column in table.Columns)
        {
            drawn.AddColumn(new TableColumn(new Text(Safe(column.Name), new Style(Color.Grey)))
            {
                Alignment = column.IsNumber ? Justify.Right : Justify.Left,
                NoWrap = column.IsNumber,
                Padding = new Padding(0, 0, 2, 0),
            });
        }
        foreach (StateRow row in table.Rows.Take(rows))
            drawn.AddRow(row.Cells.Select(static cell => new Text(Safe(cell.Text), StyleOf(cell.Tone)) { Overflow = Overflow.Ellipsis }));
        long total = Math.Max(table.Total ?? 0, table.Rows.Count);
        string count = total > rows ? string.Create(CultureInfo.InvariantCulture, $" (the first {Math.Min(rows, table.Rows.Count):N0} of {total:N0})") : "";
        string caption = section.Title == table.Caption ? count.TrimStart() : $"{Safe(table.Caption)}{count}";
        IRenderable body = table.Rows.Count > 0 ? drawn : new Text(Safe(table.Empty), new Style(Color.Grey));
        return caption.Length == 0 ? body : new Rows(new Text(caption, new Style(Color.Grey, decoration: Decoration.Italic)), body);
    }

    private static string Spark(IReadOnlyList<double>? trend)
    {
        if (trend is not { Count: > 1 } || trend.Max() <= 0)
            return "";
        double most = trend.Max();
        return string.Concat(trend.TakeLast(16).Select(value => Steps[(int)Math.Round(value / most * (Steps.Length - 1))]));
    }

    private static string Safe(string text) => StateText.Visible(text);

    private static Style StyleOf(StateTone tone, Decoration decoration = Decoration.None) => tone switch
    {
        StateTone.Quiet => new Style(Color.Grey, decoration: decoration),
        StateTone.Busy => new Style(Color.Green, decoration: decoration),
        StateTone.Warning => new Style(Color.Yellow, decoration: decoration),
        StateTone.Bad => new Style(Color.Red, decoration: decoration | Decoration.Bold),
        _ => new Style(decoration: decoration),
    };
}
