using System.Security.Cryptography;

namespace Kworker.StatePage;

/// <summary>What the page consists of beside its HTML, from this assembly: it asks nobody else for anything.</summary>
internal static class PageAssets
{
    private static readonly Dictionary<string, (byte[] Bytes, string Tag)> s_assets = Types.ToDictionary(static asset => asset.Name, static asset => Load(asset.Name));

    /// <summary>Their names, and what they are.</summary>
    public static IEnumerable<(string Name, string Type)> Types =>
    [
        ("page.css", "text/css; charset=utf-8"), ("page.js", "text/javascript; charset=utf-8"), ("icon.svg", "image/svg+xml"),
    ];

    /// <summary>An asset, and a tag by which a browser knows that it has it already.</summary>
    public static (byte[] Bytes, string Tag) Get(string name) => s_assets[name];

    private static (byte[] Bytes, string Tag) Load(string name)
    {
        using Stream stream = typeof(PageAssets).Assembly.GetManifestResourceStream(name)!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return (bytes, $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes))[..16]}\"");
    }
}
