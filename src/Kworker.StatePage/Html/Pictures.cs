using System.Globalization;

namespace Kworker.StatePage;

/// <summary>Inline SVG: how a figure went, and how many there are of each step.</summary>
internal static class Pictures
{
    private const double SparkWidth = 96;
    private const double SparkHeight = 24;
    private const int SparkPoints = 60;
    private const double BarWidth = 44;
    private const double BarsHeight = 110;

    /// <summary>A line of the last values, scaled to the largest; the latest stands to the right. A picture beside a number: readers of the page are told the number.</summary>
    public static void Spark(HtmlText html, IReadOnlyList<double> trend)
    {
        html.Markup("<svg class=\"spark\" viewBox=\"0 0 96 24\" width=\"96\" height=\"24\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
        if (trend.Count > 1)
        {
            double most = trend.Max();
            double step = SparkWidth / (SparkPoints - 1);
            double left = SparkWidth - (trend.Count - 1) * step;
            IEnumerable<string> points = trend.Select((value, index) =>
                string.Create(CultureInfo.InvariantCulture, $"{left + index * step:0.#},{(most > 0 ? SparkHeight - 2 - value / most * (SparkHeight - 4) : SparkHeight - 2):0.#}"));
            string line = string.Join(' ', points);
            html.Markup("<polygon").Own("points", string.Create(CultureInfo.InvariantCulture, $"{left:0.#},{SparkHeight} {line} {SparkWidth},{SparkHeight}")).Markup("/>");
            html.Markup("<polyline").Own("points", line).Markup("/>");
        }

        html.Markup("</svg>");
    }

    /// <summary>A bar for each step, its height by the square root of its count, so that one shows beside thousands; the count stands above.</summary>
    public static void Bars(HtmlText html, StatePicture picture)
    {
        double most = Math.Sqrt(Math.Max(1, picture.Bars.Max(static bar => bar.Count)));
        double width = picture.Bars.Count * BarWidth;
        html.Markup("<figure class=\"bars\"><div class=\"scroll\"><svg role=\"img\"").Attribute("aria-label", picture.Caption)
            .Own("viewBox", string.Create(CultureInfo.InvariantCulture, $"0 0 {width} {BarsHeight + 38}"))
            .Attribute("width", width).Attribute("height", BarsHeight + 38).Markup(">");
        html.Markup("<line class=\"axis\"").Attribute("x1", 0).Attribute("x2", width).Attribute("y1", BarsHeight + 18).Attribute("y2", BarsHeight + 18).Markup("/>");
        for (int i = 0; i < picture.Bars.Count; i++)
        {
            StateBar bar = picture.Bars[i];
            double middle = i * BarWidth + BarWidth / 2;
            double height = bar.Count == 0 ? 0 : Math.Max(3, Math.Sqrt(bar.Count) / most * BarsHeight);
            if (bar.Count > 0)
            {
                html.Markup("<rect class=\"bar\" rx=\"2\"").Attribute("x", i * BarWidth + 6).Attribute("width", BarWidth - 12)
                    .Attribute("y", BarsHeight + 18 - height).Attribute("height", height).Markup("/>");
                html.Markup("<text class=\"count\"").Attribute("x", middle).Attribute("y", BarsHeight + 14 - height).Markup(">")
                    .Text(bar.Count.ToString("N0", CultureInfo.InvariantCulture)).Markup("</text>");
            }

            html.Markup("<text").Attribute("x", middle).Attribute("y", BarsHeight + 34).Markup(">").Text(bar.Label).Markup("</text>");
        }

        html.Markup("</svg></div><figcaption>").Text(picture.Caption).Markup("</figcaption></figure>");
    }
}
