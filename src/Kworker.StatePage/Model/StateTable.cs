namespace Kworker.StatePage;

/// <summary>A table of a section.</summary>
/// <param name="Id">Names it among the tables of the page: small letters and hyphens.</param>
/// <param name="Caption">What it lists.</param>
/// <param name="Columns">Its columns.</param>
/// <param name="Rows">Its rows, in the order in which they stand unless the reader sorts them.</param>
public sealed record StateTable(string Id, string Caption, IReadOnlyList<StateColumn> Columns, IReadOnlyList<StateRow> Rows)
{
    /// <summary>How many there are, when not all were listed.</summary>
    public long? Total { get; init; }

    /// <summary>What is said when there are none.</summary>
    public string Empty { get; init; } = "None.";
}

/// <summary>A column.</summary>
/// <param name="Name">Its heading.</param>
/// <param name="IsNumber">Its cells are numbers, and stand to the right.</param>
public sealed record StateColumn(string Name, bool IsNumber = false);

/// <summary>A row.</summary>
/// <param name="Key">Tells it from the table's others, and stays the same while it stands for the same thing.</param>
/// <param name="Cells">One for each column.</param>
public sealed record StateRow(string Key, IReadOnlyList<StateCell> Cells);
