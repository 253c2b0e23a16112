namespace Kworker;

/// <summary>How a work function is named in messages: type and method, as the kernel prints the symbol.</summary>
internal static class WorkFunction
{
    internal static string Name(Delegate function) => $"{function.Method.DeclaringType?.Name}.{function.Method.Name}";
}
