using System.Runtime.InteropServices;

namespace Kworker;

/// <summary>Our end of a helper's standard output or standard error.</summary>
internal sealed unsafe class HelperOutputPipe(int descriptor, HelperCapture capture) : HelperSource(descriptor, HelperLibC.EpollIn)
{
    /// <summary>One read an event: a helper that writes without end takes its turn with the others.</summary>
    internal override void Advance(HelperReaper reaper)
    {
        if (Read(reaper.Buffer, out _) == ReadResult.Over)
            reaper.Remove(this);
    }

    /// <summary>
    /// The helper ended: what it wrote is in the pipe, all of it, and no more than that is read. Whoever else has the pipe open and goes on writing finds
    /// it broken.
    /// </summary>
    internal void Finish(HelperReaper reaper)
    {
        if (Descriptor < 0)
            return;
        int left = 0;
        if (HelperLibC.IoControl(Descriptor, HelperLibC.BytesToRead, &left) == 0)
        {
            while (left > 0)
            {
                ReadResult result = Read(reaper.Buffer.AsSpan(0, Math.Min(left, reaper.Buffer.Length)), out int count);
                if (result is ReadResult.Over or ReadResult.Nothing)
                    break;
                left -= count;
            }
        }
        reaper.Remove(this);
    }

    private ReadResult Read(Span<byte> buffer, out int count)
    {
        nint length;
        fixed (byte* bytes = buffer)
            length = HelperLibC.Read(Descriptor, bytes, (nuint)buffer.Length);
        count = (int)Math.Max(length, 0);
        if (length > 0)
        {
            capture.Add(buffer[..count]);
            return ReadResult.Some;
        }
        if (length == 0)
            return ReadResult.Over;
        return Marshal.GetLastPInvokeError() switch
        {
            Errno.EINTR => ReadResult.Interrupted,
            Errno.EAGAIN => ReadResult.Nothing,
            _ => ReadResult.Over,
        };
    }

    private enum ReadResult
    {
        Some,
        Nothing,
        Interrupted,
        Over,
    }
}
