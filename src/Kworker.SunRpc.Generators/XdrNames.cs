using Microsoft.CodeAnalysis;

namespace Kworker.SunRpc.Generators;

/// <summary>The names of Kworker.SunRpc that the generator knows, and how it writes names.</summary>
internal static class XdrNames
{
    public const string XdrAttribute = "Kworker.SunRpc.XdrAttribute";
    public const string UnionAttribute = "Kworker.SunRpc.XdrUnionAttribute";
    public const string VoidCaseAttribute = "Kworker.SunRpc.XdrVoidCaseAttribute";
    public const string CaseAttribute = "Kworker.SunRpc.XdrCaseAttribute";
    public const string DefaultAttribute = "Kworker.SunRpc.XdrDefaultAttribute";
    public const string MaxAttribute = "Kworker.SunRpc.XdrMaxAttribute";
    public const string FixedAttribute = "Kworker.SunRpc.XdrFixedAttribute";
    public const string ListAttribute = "Kworker.SunRpc.XdrListAttribute";
    public const string Interface = "Kworker.SunRpc.IXdr<TSelf>";
    public const string Reader = "global::Kworker.SunRpc.XdrReader";
    public const string Writer = "global::Kworker.SunRpc.XdrWriter";

    public static AttributeData? Find(ISymbol symbol, string attribute) =>
        symbol.GetAttributes().FirstOrDefault(data => data.AttributeClass?.ToDisplayString() == attribute);

    public static string Full(ITypeSymbol type) =>
        type.WithNullableAnnotation(NullableAnnotation.None).ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat);

    /// <summary>The static class that the enum's reader and writer stand in.</summary>
    public static string EnumCodec(ITypeSymbol type) =>
        type.ContainingNamespace.IsGlobalNamespace
            ? $"global::{type.Name}Xdr"
            : $"global::{type.ContainingNamespace.ToDisplayString()}.{type.Name}Xdr";

    public static string HintName(INamedTypeSymbol type) => $"{type.ToDisplayString()}.Xdr.g.cs";
}
