using System.Text.Json.Serialization;

namespace Kworker.StatePage;

/// <summary>The page as JSON: what programs read.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(StateDocument))]
[JsonSerializable(typeof(SectionUpdate))]
internal sealed partial class StateJson : JsonSerializerContext;

/// <summary>A part of the page that has changed.</summary>
/// <param name="Id">The element.</param>
/// <param name="Html">What it is now.</param>
internal sealed record SectionUpdate(string Id, string Html);
