using CsCheck;
using Kworker.Nfsd.FileSystem;
using Kworker.PowerCut;

namespace Kworker.Nfsd.Tests.FileSystem;

/// <summary>The back end of power-cut tests loses what was not synced, all of it, and nothing else.</summary>
public sealed class PowerCutTests : IDisposable
{
    private readonly Served _served = new();
    private readonly PowerCutFileSystem _system;
    private readonly NfsHandle _file;

    public PowerCutTests()
    {
        _system = new PowerCutFileSystem(_served.Fs);
        _file = _served.Create("file");
    }

    public void Dispose() => _served.Dispose();

    private ulong Write(ulong offset, string text, NfsStability stability = NfsStability.Unstable)
    {
        Assert.Equal(NfsStatus.Ok, _system.Write(
            NfsCredentials.Root, _file, offset, System.Text.Encoding.ASCII.GetBytes(text), stability, out NfsWritten written, out _));
        return written.Epoch;
    }

    private ulong Commit(ulong offset = 0, uint count = 0)
    {
        Assert.Equal(NfsStatus.Ok, _system.Commit(NfsCredentials.Root, _file, offset, count, out ulong epoch, out _));
        return epoch;
    }

    [Fact]
    public void Unstable_writes_are_lost_and_the_epoch_tells()
    {
        Write(0, "durable", NfsStability.FileSync);
        ulong epoch = Write(0, "changed and longer");
        Assert.Equal("changed and longer", _served.Read(_file));
        Assert.Equal(18ul, _system.Cut());
        Assert.Equal("durable", _served.Read(_file));
        Assert.NotEqual(epoch, Commit());
        Assert.Equal(Commit(), Write(0, "D"));
    }

    [Fact]
    public void Committed_and_stable_writes_stay()
    {
        ulong epoch = Write(0, "committed ");
        Assert.Equal(epoch, Commit());
        Write(10, "stable ", NfsStability.DataSync);
        Write(17, "lost");
        Assert.Equal(4ul, _system.Cut());
        Assert.Equal("committed stable ", _served.Read(_file));
        Assert.Equal(0ul, _system.Cut());
    }

    [Fact]
    public void A_commit_saves_its_range_and_no_more()
    {
        Write(0, "0123456789");
        Commit(3, 4);
        _system.Cut();
        Assert.Equal("\0\0\03456", _served.Read(_file));
    }

    [Fact]
    public void Sizes_that_were_set_stay()
    {
        Write(0, "0123456789", NfsStability.FileSync);
        Write(5, "lost");
        Assert.Equal(NfsStatus.Ok, _system.SetAttributes(NfsCredentials.Root, _file, new NfsAttributeChanges { Size = 7 }, null, out _));
        _system.Cut();
        Assert.Equal("0123456", _served.Read(_file));
        Write(7, "lost");
        Assert.Equal(NfsStatus.Ok, _system.Create(
            NfsCredentials.Root, _served.Root, "file"u8, NfsCreateHow.Unchecked(new NfsAttributeChanges { Size = 0 }), out _, out _));
        _system.Cut();
        Assert.Equal("", _served.Read(_file));
    }

    [Fact]
    public void Removed_files_stay_removed()
    {
        Write(0, "lost");
        Assert.Equal(NfsStatus.Ok, _system.Remove(NfsCredentials.Root, _served.Root, "file"u8, out _));
        _system.Cut();
        Assert.Equal(NfsStatus.NoEnt, _served.TryLookup(_served.Root, "file"u8, out _));
    }

    private sealed record Step(int Kind, int Offset, int Length, byte Value);

    private static readonly Gen<Step[]> s_steps = Gen.Select(
        Gen.Int[0, 5], Gen.Int[0, 40], Gen.Int[0, 20], Gen.Byte[1, 255], (kind, offset, length, value) => new Step(kind, offset, length, value)).Array[0, 25];

    /// <summary>The same told the plain way: two copies of the file, of which a cut takes the one for the other.</summary>
    private sealed class Model
    {
        private byte[] _now = [];
        private byte[] _durable = [];

        public byte[] Now => _now;

        public void Run(Step step)
        {
            int end = step.Offset + step.Length;
            switch (step.Kind)
            {
                case 0 or 1: // Write, unstable.
                    Fill(ref _now, step);
                    break;
                case 2 when step.Length > 0: // Write, stable.
                    Fill(ref _now, step);
                    Fill(ref _durable, step);
                    break;
                case 3: // Commit of a range; length 0 to the end.
                    Save(step.Offset, step.Length == 0 ? _now.Length : Math.Min(end, _now.Length));
                    break;
                case 4: // Set the size. What is unsynced below it stays so.
                    Array.Resize(ref _now, step.Offset);
                    Array.Resize(ref _durable, step.Offset);
                    break;
                case 5:
                    _now = [.. _durable];
                    break;
            }
        }

        private static void Fill(ref byte[] bytes, Step step)
        {
            if (step.Length == 0)
                return;
            Array.Resize(ref bytes, Math.Max(bytes.Length, step.Offset + step.Length));
            bytes.AsSpan(step.Offset, step.Length).Fill(step.Value);
        }

        private void Save(int start, int end)
        {
            if (end <= start)
                return;
            Array.Resize(ref _durable, Math.Max(_durable.Length, end));
            _now.AsSpan(start, end - start).CopyTo(_durable.AsSpan(start));
        }
    }

    [Fact]
    public void It_is_what_two_copies_would_be()
    {
        s_steps.Sample(steps =>
        {
            NfsHandle file = _file;
            _system.SetAttributes(NfsCredentials.Root, file, new NfsAttributeChanges { Size = 0 }, null, out _);
            var model = new Model();
            foreach (Step step in steps)
            {
                byte[] data = [.. Enumerable.Repeat(step.Value, step.Length)];
                NfsStatus status = step.Kind switch
                {
                    0 or 1 => _system.Write(NfsCredentials.Root, file, (ulong)step.Offset, data, NfsStability.Unstable, out _, out _),
                    2 => _system.Write(NfsCredentials.Root, file, (ulong)step.Offset, data, NfsStability.FileSync, out _, out _),
                    3 => _system.Commit(NfsCredentials.Root, file, (ulong)step.Offset, (uint)step.Length, out _, out _),
                    4 => _system.SetAttributes(NfsCredentials.Root, file, new NfsAttributeChanges { Size = (ulong)step.Offset }, null, out _),
                    _ => Cut(),
                };
                Assert.Equal(NfsStatus.Ok, status);
                model.Run(step);
                byte[] buffer = new byte[100];
                Assert.Equal(NfsStatus.Ok, _system.Read(NfsCredentials.Root, file, 0, buffer, out int count, out _, out _));
                Assert.Equal(model.Now, buffer[..count]);
            }
        }, iter: 300, threads: 1);
    }

    private NfsStatus Cut()
    {
        _system.Cut();
        return NfsStatus.Ok;
    }
}
