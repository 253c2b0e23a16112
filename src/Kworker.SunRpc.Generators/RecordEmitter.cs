using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Kworker.SunRpc.Generators;

/// <summary>Emits the other part of a positional record: a struct's components one after the other, or a union's switch.</summary>
internal static class RecordEmitter
{
    public static void Emit(INamedTypeSymbol type, CodeWriter code, ImmutableArray<XdrProblem>.Builder problems)
    {
        IMethodSymbol? constructor = PrimaryConstructor(type);
        if (!type.IsRecord || constructor is null || constructor.Parameters.Length == 0)
        {
            problems.Add(new XdrProblem(type, "is not a positional record"));
            return;
        }
        if (type.ContainingType is not null || type.IsGenericType || type.IsAbstract)
            problems.Add(new XdrProblem(type, "is nested, generic or abstract"));
        if (Recursion.Find(type) is { } path)
            problems.Add(new XdrProblem(type, $"contains itself ({path}); a linked list is declared as an array with [XdrList]"));

        bool union = XdrNames.Find(type, XdrNames.UnionAttribute) is not null;
        List<Component> components = [];
        foreach (IParameterSymbol parameter in constructor.Parameters)
        {
            bool arm = union && components.Count > 0;
            components.Add(new Component(parameter, arm, problems));
        }
        if (problems.Count > 0)
            return;

        code.FileHead(type);
        string kind = type.IsValueType ? "record struct" : "record";
        code.Open($"partial {kind} {type.Name} : global::Kworker.SunRpc.IXdr<{XdrNames.Full(type)}>");
        if (union)
            UnionEmitter.Emit(type, components, code, problems);
        else
            EmitStruct(type, components, code);
        code.Close();
    }

    public static IMethodSymbol? PrimaryConstructor(INamedTypeSymbol type) => type.InstanceConstructors.FirstOrDefault(constructor =>
        constructor.DeclaringSyntaxReferences.Any(reference => reference.GetSyntax() is RecordDeclarationSyntax));

    private static void EmitStruct(INamedTypeSymbol type, List<Component> components, CodeWriter code)
    {
        string name = XdrNames.Full(type);
        code.Line($"public static int MinimumSize => {string.Join(" + ", components.Select(component => component.MinimumSize))};");
        code.Line("");
        code.Open($"public static {name} Read(ref {XdrNames.Reader} reader)");
        List<string> values = [];
        foreach (Component component in components)
            values.Add(component.EmitRead(code));
        code.Line($"return new {name}({string.Join(", ", values)});");
        code.Close();
        code.Line("");
        code.Open($"public {Modifier(type)}void Write({XdrNames.Writer} writer)");
        foreach (Component component in components)
            component.EmitWrite(code);
        code.Close();
    }

    public static string Modifier(INamedTypeSymbol type) => type.IsValueType ? "readonly " : "";
}
