using System.Diagnostics;

namespace Kworker;

/// <summary>Stacks as reports show them.</summary>
internal static class StackText
{
    /// <summary>The caller's stack without the frames of the library on top of it.</summary>
    internal static string Capture()
    {
        var trace = new StackTrace(skipFrames: 1, fNeedFileInfo: true);
        int first = 0;
        while (first < trace.FrameCount - 1 && IsOurs(trace.GetFrame(first)!))
            first++;
        return string.Join(Environment.NewLine, Enumerable.Range(first, trace.FrameCount - first).Select(i => trace.GetFrame(i)!.ToString().TrimEnd()));
    }

    private static bool IsOurs(StackFrame frame) =>
        DiagnosticMethodInfo.Create(frame) is { } method && method.DeclaringAssemblyName == typeof(StackText).Assembly.FullName;

    internal static string Indent(string text, string indentation) => indentation + text.ReplaceLineEndings(Environment.NewLine + indentation);
}
