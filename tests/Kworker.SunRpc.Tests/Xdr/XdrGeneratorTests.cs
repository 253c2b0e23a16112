using Kworker.SunRpc.Generators;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Kworker.SunRpc.Tests;

public sealed class XdrGeneratorTests
{
    [Theory]
    [InlineData("[Xdr] public partial record R(string S);", "XDR strings are bytes")]
    [InlineData("[Xdr] public partial record R(double D);", "has no XDR form")]
    [InlineData("public enum E { A } [Xdr] public partial record R(E Value);", "has no XDR form")]
    [InlineData("[Xdr] public partial record R(int I, R? Next);", "contains itself (R.Next)")]
    [InlineData("[Xdr] public partial record R(S[] All); [Xdr] public partial record S(R? Back);", "contains itself (R.All.Back)")]
    [InlineData("[Xdr] public partial record R([XdrMax(4)] int I);", "has a length but is neither")]
    [InlineData("[Xdr] public partial record R([XdrMax(4), XdrFixed(4)] byte[] B);", "contradict")]
    [InlineData("[Xdr] public partial record R(int?[] All);", "has no XDR form")]
    [InlineData("[Xdr] public enum E : long { A }", "other than int or uint")]
    [InlineData("[Xdr] public partial class C { }", "is not a positional record")]
    [InlineData("public partial class C { [Xdr] public partial record R(int I); }", "is nested")]
    [InlineData("[XdrUnion] public partial record R(long Kind, [XdrDefault] int I);", "cannot be a discriminant")]
    [InlineData("[XdrUnion] public partial record R(int Kind, int I);", "without [XdrCase]")]
    [InlineData("[XdrUnion(DefaultVoid = true)] public partial record R(int Kind, [XdrDefault] int I);", "more than one default")]
    public void A_declaration_without_XDR_form_is_an_error_that_says_why(string declaration, string message)
    {
        GeneratorDriverRunResult result = Run(declaration);
        Assert.Contains(result.Diagnostics, diagnostic => diagnostic.Severity == DiagnosticSeverity.Error &&
            diagnostic.GetMessage(null).Contains(message, StringComparison.Ordinal));
    }

    [Fact]
    public void A_good_declaration_gives_one_file_and_no_diagnostics()
    {
        GeneratorDriverRunResult result = Run("[Xdr] public partial record R(int I, [XdrMax(3)] byte[]? B);");
        Assert.Empty(result.Diagnostics);
        Assert.Single(result.GeneratedTrees);
    }

    private static GeneratorDriverRunResult Run(string declaration)
    {
        string source = $"using Kworker.SunRpc; namespace Sample; {declaration}";
        IEnumerable<MetadataReference> references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Select(path => MetadataReference.CreateFromFile(path));
        var options = new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable);
        CSharpCompilation compilation = CSharpCompilation.Create("sample", [CSharpSyntaxTree.ParseText(source)], references, options);
        return CSharpGeneratorDriver.Create(new XdrGenerator()).RunGenerators(compilation).GetRunResult();
    }
}
