using System.Collections.Immutable;
using System.Globalization;
using Microsoft.CodeAnalysis;

namespace Kworker.SunRpc.Generators;

/// <summary>Emits the reader and writer of an enum, into a static class beside it: &lt;name&gt;Xdr.</summary>
internal static class EnumEmitter
{
    public static void Emit(INamedTypeSymbol type, CodeWriter code, ImmutableArray<XdrProblem>.Builder problems)
    {
        if (type.ContainingType is not null)
            problems.Add(new XdrProblem(type, "is nested: XDR types stand at the top level"));
        bool signed = type.EnumUnderlyingType?.SpecialType == SpecialType.System_Int32;
        if (!signed && type.EnumUnderlyingType?.SpecialType != SpecialType.System_UInt32)
            problems.Add(new XdrProblem(type, "is an enum of other than int or uint"));

        string name = XdrNames.Full(type);
        string scalar = signed ? "Int32" : "UInt32";
        string keyword = signed ? "int" : "uint";
        string values = string.Join(" or ", Values(type));
        code.FileHead(type);
        code.Open($"{AccessOf(type)} static class {type.Name}Xdr");
        code.Open($"public static {name} Read(ref {XdrNames.Reader} reader)");
        code.Line($"{keyword} value = reader.Read{scalar}();");
        code.Line($"if (value is not ({values}))");
        code.Line($"    reader.ThrowInvalid(\"{type.Name}\", value);");
        code.Line($"return ({name})value;");
        code.Close();
        code.Line("");
        code.Line($"public static void Write({XdrNames.Writer} writer, {name} value) => writer.Write{scalar}(({keyword})value);");
        code.Close();
    }

    private static string AccessOf(INamedTypeSymbol type) => type.DeclaredAccessibility == Accessibility.Public ? "public" : "internal";

    // Runs of neighbours become one range: an enum of error numbers is then a handful of comparisons.
    private static IEnumerable<string> Values(INamedTypeSymbol type)
    {
        List<long> values = type.GetMembers().OfType<IFieldSymbol>().Where(field => field.HasConstantValue)
            .Select(field => Convert.ToInt64(field.ConstantValue, CultureInfo.InvariantCulture))
            .Distinct().OrderBy(value => value).ToList();
        for (int first = 0; first < values.Count;)
        {
            int last = first;
            while (last + 1 < values.Count && values[last + 1] == values[last] + 1)
                last++;
            yield return first == last ? Text(values[first]) : $"(>= {Text(values[first])} and <= {Text(values[last])})";
            first = last + 1;
        }
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
