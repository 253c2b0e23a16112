using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Kworker.SunRpc.Generators;

/// <summary>
/// Writes the readers and writers of the types that carry [Xdr] or [XdrUnion]; XdrAttributes.cs of Kworker.SunRpc says what may be
/// declared.
/// </summary>
[Generator(LanguageNames.CSharp)]
public sealed class XdrGenerator : IIncrementalGenerator
{
    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        Register(context, XdrNames.XdrAttribute);
        Register(context, XdrNames.UnionAttribute);
    }

    // What leaves the transform is text and plain data, so that an unchanged type costs nothing in the next keystroke's run.
    private static void Register(IncrementalGeneratorInitializationContext context, string attribute)
    {
        IncrementalValuesProvider<XdrOutput> outputs = context.SyntaxProvider.ForAttributeWithMetadataName(
            attribute,
            static (node, _) => node is TypeDeclarationSyntax or EnumDeclarationSyntax,
            static (type, _) => Emit((INamedTypeSymbol)type.TargetSymbol));
        context.RegisterSourceOutput(outputs, static (production, output) =>
        {
            foreach (XdrProblem problem in output.Problems)
                production.ReportDiagnostic(problem.ToDiagnostic());
            if (output.Problems.IsEmpty)
                production.AddSource(output.HintName, output.Source);
        });
    }

    private static XdrOutput Emit(INamedTypeSymbol type)
    {
        var problems = ImmutableArray.CreateBuilder<XdrProblem>();
        var writer = new CodeWriter();
        if (type.TypeKind == TypeKind.Enum)
            EnumEmitter.Emit(type, writer, problems);
        else
            RecordEmitter.Emit(type, writer, problems);
        return new XdrOutput(XdrNames.HintName(type), writer.ToString(), problems.ToImmutable());
    }
}
