using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;

namespace Kworker.StatePage;

/// <summary>HTML under construction. Markup and text are different methods: whatever comes from elsewhere is a text or an attribute.</summary>
internal sealed class HtmlText
{
    private static readonly HtmlEncoder s_encoder = HtmlEncoder.Create(UnicodeRanges.All);

    private readonly StringBuilder _html = new();

    /// <summary>Markup, from a constant of ours.</summary>
    public HtmlText Markup(string markup)
    {
        _html.Append(markup);
        return this;
    }

    /// <summary>A text, whatever is in it.</summary>
    public HtmlText Text(string text)
    {
        _html.Append(s_encoder.Encode(StateText.Visible(text)));
        return this;
    }

    /// <summary>A text of several lines.</summary>
    public HtmlText Lines(string text)
    {
        foreach (string line in text.Split('\n'))
            Text(line.TrimEnd('\r')).Markup("\n");
        return this;
    }

    /// <summary>An attribute with a value, whatever is in it.</summary>
    public HtmlText Attribute(string name, string value)
    {
        _html.Append(' ').Append(name).Append("=\"").Append(s_encoder.Encode(StateText.Visible(value))).Append('"');
        return this;
    }

    /// <summary>An attribute with a number.</summary>
    public HtmlText Attribute(string name, double value)
    {
        _html.Append(' ').Append(name).Append("=\"").Append(value.ToString("0.######", CultureInfo.InvariantCulture)).Append('"');
        return this;
    }

    /// <summary>An attribute with a value that is all ours: nothing is cut of it.</summary>
    public HtmlText Own(string name, string value)
    {
        _html.Append(' ').Append(name).Append("=\"").Append(value).Append('"');
        return this;
    }

    public override string ToString() => _html.ToString();
}
