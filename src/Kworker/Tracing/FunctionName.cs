using System.Reflection;
using System.Runtime.CompilerServices;

namespace Kworker;

/// <summary>How a function is called in reports: "Type.Method", and for what a compiler made of a lambda or local function the method that it stands in.</summary>
internal static class FunctionName
{
    private static readonly ConditionalWeakTable<MethodInfo, string> s_names = [];

    internal static string Of(Delegate function) => s_names.GetValue(function.Method, Make);

    private static string Make(MethodInfo method)
    {
        Type? type = method.DeclaringType;
        while (type is { DeclaringType: not null } && type.Name.StartsWith('<'))
            type = type.DeclaringType; // a closure
        return $"{NameOf(type)}{InSource(method.Name)}";
    }

    private static string NameOf(Type? type)
    {
        if (type is null)
            return "";
        int arity = type.Name.IndexOf('`', StringComparison.Ordinal);
        return $"{(arity < 0 ? type.Name : type.Name[..arity])}.";
    }

    /// <summary>"&lt;Method&gt;b__1_0" is a lambda in Method, "&lt;Method&gt;g__Local|1_0" a local function of it.</summary>
    private static string InSource(string name)
    {
        int end = name.IndexOf('>', StringComparison.Ordinal);
        if (!name.StartsWith('<') || end < 0)
            return name;
        string outer = name[1..end];
        int local = name.IndexOf("g__", end, StringComparison.Ordinal);
        int bar = name.IndexOf('|', end);
        return local >= 0 && bar > local ? $"{outer}.{name[(local + 3)..bar]}" : $"{outer} lambda";
    }
}
