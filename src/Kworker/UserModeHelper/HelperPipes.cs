using System.Runtime.InteropServices;

namespace Kworker;

/// <summary>The pipes of one helper: its own ends until it is started, ours until it ends.</summary>
/// <remarks>
/// All are close-on-exec. Ours do not block; the helper's do, as programs expect. The helper's are numbered 3 and higher, so that putting them in
/// their places overwrites none of them, even where this process was started without standard input and outputs.
/// </remarks>
internal sealed unsafe class HelperPipes
{
    private const int FirstFree = 3;

    private HelperInputPipe? _input;
    private HelperOutputPipe? _output;
    private HelperOutputPipe? _error;

    private HelperPipes()
    {
    }

    /// <summary>The helper's end of its standard input, or -1.</summary>
    internal int ChildInput { get; private set; } = -1;

    /// <summary>The helper's end of its standard output, or -1.</summary>
    internal int ChildOutput { get; private set; } = -1;

    /// <summary>The helper's end of its standard error, or -1.</summary>
    internal int ChildError { get; private set; } = -1;

    /// <summary>Null and an errno where there are no descriptors left.</summary>
    internal static HelperPipes? TryOpen(HelperProgram program, out int error)
    {
        var pipes = new HelperPipes();
        error = pipes.OpenInput(program.Input);
        if (error == 0 && program.Output is { } output)
        {
            error = OpenOutput(output, out int child, out pipes._output);
            pipes.ChildOutput = child;
        }
        if (error == 0 && program.Error is { } errorOutput)
        {
            error = OpenOutput(errorOutput, out int child, out pipes._error);
            pipes.ChildError = child;
        }
        if (error == 0)
            return pipes;
        pipes.CloseChildEnds();
        pipes.CloseOurEnds();
        return null;
    }

    /// <summary>The helper has them, or never will.</summary>
    internal void CloseChildEnds()
    {
        Close(ChildInput);
        Close(ChildOutput);
        Close(ChildError);
        ChildInput = ChildOutput = ChildError = -1;
    }

    /// <summary>The helper was not started: nobody watches them.</summary>
    internal void CloseOurEnds()
    {
        Close(_input);
        Close(_output);
        Close(_error);
    }

    /// <summary>What the reaper is to watch.</summary>
    internal IEnumerable<HelperSource> Sources
    {
        get
        {
            if (_input is not null)
                yield return _input;
            if (_output is not null)
                yield return _output;
            if (_error is not null)
                yield return _error;
        }
    }

    /// <summary>The helper ended. On the reaper's thread.</summary>
    internal void Finish(HelperReaper reaper)
    {
        _input?.Finish(reaper);
        _output?.Finish(reaper);
        _error?.Finish(reaper);
    }

    /// <summary>Most inputs fit into the pipe at once, and then there is nothing to watch: what is read last is its end.</summary>
    private int OpenInput(ReadOnlyMemory<byte>? input)
    {
        if (input is not { } rest)
            return 0;
        int error = Open(ourEnd: 1, out int ours, out int child);
        ChildInput = child;
        if (error != 0)
            return error;
        int before;
        do
        {
            before = rest.Length;
            HelperInputPipe.TryWriteSome(ours, ref rest);
        }
        while (rest.Length < before);
        if (rest.IsEmpty)
            Close(ours);
        else
            _input = new HelperInputPipe(ours, rest);
        return 0;
    }

    private static int OpenOutput(HelperCapture capture, out int child, out HelperOutputPipe? pipe)
    {
        int error = Open(ourEnd: 0, out int ours, out child);
        pipe = error == 0 ? new HelperOutputPipe(ours, capture) : null;
        return error;
    }

    private static int Open(int ourEnd, out int ours, out int child)
    {
        ours = child = -1;
        int* ends = stackalloc int[2];
        if (HelperLibC.Pipe(ends, HelperLibC.CloseOnExec) != 0)
            return Marshal.GetLastPInvokeError();
        int low = ends[1 - ourEnd];
        int error = 0;
        if (low < FirstFree)
        {
            child = HelperLibC.DescriptorControl(low, HelperLibC.DuplicateCloseOnExec, FirstFree);
            error = child < 0 ? Marshal.GetLastPInvokeError() : 0;
            Close(low);
        }
        else
        {
            child = low;
        }
        ours = ends[ourEnd];
        if (error == 0 && HelperLibC.DescriptorControl(ours, HelperLibC.SetStatusFlags, HelperLibC.NonBlocking) != 0)
            error = Marshal.GetLastPInvokeError();
        if (error == 0)
            return 0;
        Close(child);
        Close(ours);
        ours = child = -1;
        return error;
    }

    private static void Close(HelperSource? source)
    {
        if (source is null)
            return;
        Close(source.Descriptor);
        source.Descriptor = -1;
    }

    private static void Close(int descriptor)
    {
        if (descriptor >= 0)
            HelperLibC.Close(descriptor);
    }
}
