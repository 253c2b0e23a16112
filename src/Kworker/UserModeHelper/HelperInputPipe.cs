using System.Runtime.InteropServices;

namespace Kworker;

/// <summary>Our end of a helper's standard input, and what is still to be written to it.</summary>
internal sealed unsafe class HelperInputPipe(int descriptor, ReadOnlyMemory<byte> rest) : HelperSource(descriptor, HelperLibC.EpollOut)
{
    private const int MaxWrite = 65536;

    private ReadOnlyMemory<byte> _rest = rest;

    internal override void Advance(HelperReaper reaper)
    {
        if (!TryWriteSome(Descriptor, ref _rest) || _rest.IsEmpty)
            reaper.Remove(this);
    }

    internal void Finish(HelperReaper reaper)
    {
        if (Descriptor >= 0)
            reaper.Remove(this);
    }

    /// <summary>
    /// Writes what the pipe takes now. False where nobody reads it any more. The runtime ignores SIGPIPE in every process that it runs in, so a broken pipe
    /// is no more than that.
    /// </summary>
    internal static bool TryWriteSome(int descriptor, ref ReadOnlyMemory<byte> rest)
    {
        if (rest.IsEmpty)
            return true;
        nint written;
        ReadOnlySpan<byte> span = rest.Span;
        fixed (byte* bytes = span)
            written = HelperLibC.Write(descriptor, bytes, (nuint)Math.Min(span.Length, MaxWrite));
        if (written < 0)
            return Marshal.GetLastPInvokeError() is Errno.EAGAIN or Errno.EINTR;
        rest = rest[(int)written..];
        return true;
    }
}
