using System.Collections.Immutable;
using System.Globalization;
using Microsoft.CodeAnalysis;

namespace Kworker.SunRpc.Generators;

/// <summary>One component of a struct or union: the parameter, its XDR form, and the code that reads and writes it.</summary>
internal sealed class Component
{
    private readonly ITypeSymbol _type; // without the ? of an optional
    private readonly bool _optional;
    private readonly bool _list;
    private readonly int? _fixed;
    private readonly string _max;

    public Component(IParameterSymbol parameter, bool arm, ImmutableArray<XdrProblem>.Builder problems)
    {
        Parameter = parameter;
        _type = StripNullable(parameter.Type);
        CanBeNull = _type.IsReferenceType || IsNullableStruct;
        // Null in an arm means that the arm is not selected; only the components of a struct are optional.
        _optional = !arm && (IsNullableStruct || parameter.NullableAnnotation == NullableAnnotation.Annotated && _type.IsReferenceType);
        _list = XdrNames.Find(parameter, XdrNames.ListAttribute) is not null;
        _fixed = Length(XdrNames.Find(parameter, XdrNames.FixedAttribute));
        int? max = Length(XdrNames.Find(parameter, XdrNames.MaxAttribute));
        _max = max?.ToString(CultureInfo.InvariantCulture) ?? "int.MaxValue";
        Check(problems);
    }

    public IParameterSymbol Parameter { get; }

    public bool CanBeNull { get; }

    public bool IsDiscriminant => !_optional && !CanBeNull &&
        (IsXdrEnum(_type) || _type.SpecialType is SpecialType.System_Boolean or SpecialType.System_Int32 or SpecialType.System_UInt32);

    /// <summary>A constant or an expression: the bytes of the shortest value.</summary>
    public string MinimumSize =>
        _optional || _list ? "4"
        : IsOpaque ? (_fixed is { } bytes ? $"{(bytes + 3) / 4 * 4}" : "4")
        : _type is IArrayTypeSymbol array ? (_fixed is { } count ? $"{count} * {ScalarSize(array.ElementType)}" : "4")
        : ScalarSize(_type);

    private bool IsNullableStruct => Parameter.Type.OriginalDefinition.SpecialType == SpecialType.System_Nullable_T;

    private bool IsMemory => _type.ToDisplayString() == "System.ReadOnlyMemory<byte>";

    private bool IsOpaque => IsMemory || _type is IArrayTypeSymbol { ElementType.SpecialType: SpecialType.System_Byte };

    /// <summary>The type itself, or the element's of an array, without nullability.</summary>
    public static ITypeSymbol ElementOf(ITypeSymbol type)
    {
        ITypeSymbol stripped = StripNullable(type);
        return stripped is IArrayTypeSymbol array ? array.ElementType : stripped;
    }

    /// <summary>The discriminant as a long, for messages.</summary>
    public string AsNumber(string expression) =>
        _type.SpecialType == SpecialType.System_Boolean ? $"({expression} ? 1 : 0)" : $"(long){expression}";

    /// <summary>Emits the statements that read the component; gives the expression that holds it.</summary>
    public string EmitRead(CodeWriter code)
    {
        string local = code.NewName("value");
        if (_optional)
        {
            code.Line($"{XdrNames.Full(_type)}? {local} = null;");
            code.Open("if (reader.ReadBoolean())");
            code.Line($"{local} = {EmitReadPlain(code)};");
            code.Close();
        }
        else
        {
            string value = EmitReadPlain(code);
            code.Line($"var {local} = {value};");
        }
        return local;
    }

    /// <summary>Emits the statements that write the component of <c>this</c>.</summary>
    public void EmitWrite(CodeWriter code)
    {
        string member = $"this.{Parameter.Name}";
        if (_optional)
        {
            string local = code.NewName("value");
            code.Line($"writer.WriteBoolean({member} is not null);");
            code.Open($"if ({member} is {{ }} {local})");
            EmitWritePlain(local, code);
            code.Close();
        }
        else
        {
            EmitWritePlain(IsNullableStruct ? $"{member}.Value" : member, code);
        }
    }

    private string EmitReadPlain(CodeWriter code)
    {
        if (IsOpaque)
        {
            string memory = IsMemory ? "Memory" : "";
            string copy = IsMemory ? "" : ".ToArray()";
            return _fixed is { } length ? $"reader.ReadFixedOpaque{memory}({length}){copy}" : $"reader.ReadOpaque{memory}({_max}){copy}";
        }
        if (_type is not IArrayTypeSymbol array)
            return ReadScalar(_type);

        string element = XdrNames.Full(array.ElementType);
        string items = code.NewName("items");
        if (_list)
        {
            code.Line($"var {items} = new global::System.Collections.Generic.List<{element}>();");
            code.Open("while (reader.ReadBoolean())");
            code.Line($"if ({items}.Count >= {_max})");
            code.Line($"    reader.ThrowTooLong((long){items}.Count + 1, {_max});");
            code.Line($"{items}.Add({ReadScalar(array.ElementType)});");
            code.Close();
            return $"{items}.ToArray()";
        }
        string count = code.NewName("count");
        string index = code.NewName("index");
        code.Line(_fixed is { } due
            ? $"const int {count} = {due};"
            : $"int {count} = reader.ReadCount({_max}, {ScalarSize(array.ElementType)});");
        code.Line($"var {items} = {count} == 0 ? global::System.Array.Empty<{element}>() : new {element}[{count}];");
        code.Line($"for (int {index} = 0; {index} < {items}.Length; {index}++)");
        code.Line($"    {items}[{index}] = {ReadScalar(array.ElementType)};");
        return items;
    }

    private void EmitWritePlain(string value, CodeWriter code)
    {
        if (IsOpaque)
        {
            string span = IsMemory ? $"{value}.Span" : value;
            if (_fixed is not null)
                EmitLengthCheck(value, code);
            code.Line(_fixed is not null ? $"writer.WriteFixedOpaque({span});" : $"writer.WriteOpaque({span}, {_max});");
            return;
        }
        if (_type is not IArrayTypeSymbol array)
        {
            code.Line(WriteScalar(_type, value));
            return;
        }
        string item = code.NewName("item");
        if (_fixed is not null)
        {
            EmitLengthCheck(value, code);
        }
        else if (_list)
        {
            code.Line($"if ({value}.Length > {_max})");
            code.Line($"    {XdrNames.Writer}.ThrowTooLong({value}.Length, {_max});");
        }
        else
        {
            code.Line($"writer.WriteCount({value}.Length, {_max});");
        }
        code.Open($"foreach (var {item} in {value})");
        if (_list)
            code.Line("writer.WriteBoolean(true);");
        code.Line(WriteScalar(array.ElementType, item));
        code.Close();
        if (_list)
            code.Line("writer.WriteBoolean(false);");
    }

    private void EmitLengthCheck(string value, CodeWriter code)
    {
        code.Line($"if ({value}.Length != {_fixed})");
        code.Line($"    {XdrNames.Writer}.ThrowWrongLength({value}.Length, {_fixed});");
    }

    private static string ReadScalar(ITypeSymbol type) => ScalarName(type) is { } scalar ? $"reader.Read{scalar}()"
        : type.TypeKind == TypeKind.Enum ? $"{XdrNames.EnumCodec(type)}.Read(ref reader)"
        : $"{XdrNames.Full(type)}.Read(ref reader)";

    private static string WriteScalar(ITypeSymbol type, string value) => ScalarName(type) is { } scalar ? $"writer.Write{scalar}({value});"
        : type.TypeKind == TypeKind.Enum ? $"{XdrNames.EnumCodec(type)}.Write(writer, {value});"
        : $"{value}.Write(writer);";

    private static string ScalarSize(ITypeSymbol type) => ScalarName(type) switch
    {
        "Int64" or "UInt64" => "8",
        not null => "4",
        null => type.TypeKind == TypeKind.Enum ? "4" : $"{XdrNames.Full(type)}.MinimumSize",
    };

    private static string? ScalarName(ITypeSymbol type) => type.SpecialType switch
    {
        SpecialType.System_Int32 => "Int32",
        SpecialType.System_UInt32 => "UInt32",
        SpecialType.System_Int64 => "Int64",
        SpecialType.System_UInt64 => "UInt64",
        SpecialType.System_Boolean => "Boolean",
        _ => null,
    };

    private static ITypeSymbol StripNullable(ITypeSymbol type) =>
        type is INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T } nullable
            ? nullable.TypeArguments[0]
            : type;

    private static bool IsXdrEnum(ITypeSymbol type) =>
        type.TypeKind == TypeKind.Enum && XdrNames.Find(type, XdrNames.XdrAttribute) is not null;

    private static bool IsXdrType(ITypeSymbol type) => ScalarName(type) is not null || IsXdrEnum(type) ||
        XdrNames.Find(type, XdrNames.XdrAttribute) is not null || XdrNames.Find(type, XdrNames.UnionAttribute) is not null ||
        type.AllInterfaces.Any(implemented => implemented.OriginalDefinition.ToDisplayString() == XdrNames.Interface);

    private static int? Length(AttributeData? attribute) => attribute?.ConstructorArguments[0].Value as int?;

    private void Check(ImmutableArray<XdrProblem>.Builder problems)
    {
        bool array = _type is IArrayTypeSymbol && !IsOpaque;
        bool max = XdrNames.Find(Parameter, XdrNames.MaxAttribute) is not null;
        if (_type.SpecialType == SpecialType.System_String)
            problems.Add(new XdrProblem(Parameter, "is a string: XDR strings are bytes, declare byte[] or ReadOnlyMemory<byte>"));
        else if (!IsOpaque && !IsXdrType(ElementOf(Parameter.Type)))
            problems.Add(new XdrProblem(Parameter, $"is of type {_type.ToDisplayString()}, which has no XDR form"));
        if (array && _type is IArrayTypeSymbol { ElementNullableAnnotation: NullableAnnotation.Annotated })
            problems.Add(new XdrProblem(Parameter, "is an array of optional elements: wrap the element in a record"));
        if (_fixed < 0 || _max.StartsWith("-", System.StringComparison.Ordinal))
            problems.Add(new XdrProblem(Parameter, "has a negative length"));
        if ((max || _fixed is not null || _list) && !IsOpaque && !array)
            problems.Add(new XdrProblem(Parameter, "has a length but is neither opaque nor array"));
        if (_list && !array || _fixed is not null && (max || _list))
            problems.Add(new XdrProblem(Parameter, "has lengths that contradict each other, or is a list that is no array"));
    }
}
