using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Kworker.SunRpc.Generators;

/// <summary>Emits a discriminated union: the discriminant, then the arm that it selects (RFC 4506, 4.15).</summary>
internal static class UnionEmitter
{
    public static void Emit(INamedTypeSymbol type, List<Component> components, CodeWriter code, ImmutableArray<XdrProblem>.Builder problems)
    {
        Component discriminant = components[0];
        if (!discriminant.IsDiscriminant)
            problems.Add(new XdrProblem(discriminant.Parameter, "cannot be a discriminant: enum, int, uint or bool"));
        bool defaultVoid = XdrNames.Find(type, XdrNames.UnionAttribute)!.NamedArguments
            .Any(argument => argument is { Key: "DefaultVoid", Value.Value: true });
        List<string> voidCases = Labels(XdrNames.Find(type, XdrNames.VoidCaseAttribute));
        List<Component> arms = components.Skip(1).ToList();
        Component? defaultArm = arms.FirstOrDefault(IsDefault);
        foreach (Component arm in arms.Where(arm => !IsDefault(arm) && CaseLabels(arm).Count == 0))
            problems.Add(new XdrProblem(arm.Parameter, "is an arm without [XdrCase] or [XdrDefault]"));
        if (arms.Count(IsDefault) + (defaultVoid ? 1 : 0) > 1)
            problems.Add(new XdrProblem(type, "has more than one default"));
        if (problems.Count > 0)
            return;

        string name = XdrNames.Full(type);
        code.Line($"public static int MinimumSize => {discriminant.MinimumSize};");
        code.Line("");
        EmitRead(type, name, discriminant, arms, defaultArm, defaultVoid, voidCases, code);
        code.Line("");
        EmitWrite(type, discriminant, arms, defaultArm, defaultVoid, voidCases, code);
    }

    private static void EmitRead(
        INamedTypeSymbol type, string name, Component discriminant, List<Component> arms, Component? defaultArm, bool defaultVoid,
        List<string> voidCases, CodeWriter code)
    {
        code.Open($"public static {name} Read(ref {XdrNames.Reader} reader)");
        string selector = discriminant.EmitRead(code);
        code.Open($"switch ({selector})");
        foreach (Component arm in arms.Where(arm => !IsDefault(arm)))
        {
            OpenSection(CaseLabels(arm), code);
            ReturnArm(arm);
            code.Close();
        }
        if (voidCases.Count > 0)
        {
            OpenSection(voidCases, code);
            ReturnArm(null);
            code.Close();
        }
        OpenSection(["default"], code);
        if (defaultArm is not null || defaultVoid)
        {
            ReturnArm(defaultArm);
        }
        else
        {
            code.Line($"reader.ThrowInvalid(\"{type.Name}\", {discriminant.AsNumber(selector)});");
            code.Line("return default!;");
        }
        code.Close();
        code.Close();
        code.Close();

        void ReturnArm(Component? selected)
        {
            string? value = selected?.EmitRead(code);
            IEnumerable<string> values = arms.Select(arm => arm == selected ? value! : "default!");
            code.Line($"return new {name}({string.Join(", ", new[] { selector }.Concat(values))});");
        }
    }

    private static void EmitWrite(
        INamedTypeSymbol type, Component discriminant, List<Component> arms, Component? defaultArm, bool defaultVoid,
        List<string> voidCases, CodeWriter code)
    {
        code.Open($"public {RecordEmitter.Modifier(type)}void Write({XdrNames.Writer} writer)");
        discriminant.EmitWrite(code);
        string selector = $"this.{discriminant.Parameter.Name}";
        code.Open($"switch ({selector})");
        foreach (Component arm in arms.Where(arm => !IsDefault(arm)))
            WriteSection(CaseLabels(arm), arm);
        if (voidCases.Count > 0)
            WriteSection(voidCases, null);
        OpenSection(["default"], code);
        if (defaultArm is not null)
            WriteArm(defaultArm);
        else if (!defaultVoid)
            code.Line($"{XdrNames.Writer}.ThrowInvalid(\"{type.Name}\", {discriminant.AsNumber(selector)});");
        code.Line("break;");
        code.Close();
        code.Close();
        code.Close();

        void WriteSection(List<string> labels, Component? arm)
        {
            OpenSection(labels, code);
            if (arm is not null)
                WriteArm(arm);
            code.Line("break;");
            code.Close();
        }

        void WriteArm(Component arm)
        {
            if (arm.CanBeNull)
            {
                code.Line($"if (this.{arm.Parameter.Name} is null)");
                code.Line($"    {XdrNames.Writer}.ThrowInvalid(\"{type.Name}\", {discriminant.AsNumber(selector)});");
            }
            arm.EmitWrite(code);
        }
    }

    private static void OpenSection(List<string> labels, CodeWriter code)
    {
        for (int i = 0; i < labels.Count - 1; i++)
            code.Line($"{labels[i]}:");
        code.Open($"{labels[labels.Count - 1]}:");
    }

    private static bool IsDefault(Component arm) => XdrNames.Find(arm.Parameter, XdrNames.DefaultAttribute) is not null;

    private static List<string> CaseLabels(Component arm) => Labels(XdrNames.Find(arm.Parameter, XdrNames.CaseAttribute));

    private static List<string> Labels(AttributeData? attribute) => attribute is null || attribute.ConstructorArguments.Length == 0
        ? []
        : attribute.ConstructorArguments[0].Values.Select(value => $"case {value.ToCSharpString()}").ToList();
}
