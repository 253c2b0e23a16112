using Microsoft.CodeAnalysis;

namespace Kworker.SunRpc.Generators;

/// <summary>Finds types that contain themselves: their reader would recurse as deep as the sender likes.</summary>
internal static class Recursion
{
    /// <summary>The way from the type back to itself, or null.</summary>
    public static string? Find(INamedTypeSymbol type)
    {
        var seen = new HashSet<ISymbol>(SymbolEqualityComparer.Default);
        return Visit(type, type.Name);

        string? Visit(INamedTypeSymbol current, string path)
        {
            foreach (IParameterSymbol parameter in RecordEmitter.PrimaryConstructor(current)?.Parameters ?? [])
            {
                if (Component.ElementOf(parameter.Type) is not INamedTypeSymbol { IsRecord: true } next)
                    continue;
                string longer = $"{path}.{parameter.Name}";
                if (SymbolEqualityComparer.Default.Equals(next, type))
                    return longer;
                if (seen.Add(next) && Visit(next, longer) is { } found)
                    return found;
            }
            return null;
        }
    }
}
