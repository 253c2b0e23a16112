using System.Diagnostics;

namespace Kworker;

/// <summary>
/// A lock of one word for a handful of instructions (the kernel's <c>raw_spinlock_t</c>). Rules: nothing that blocks, allocates much
/// or calls user code happens while it is held; it is not re-entrant. A struct: keep it in a field, never copy it.
/// </summary>
[DebuggerDisplay("{_held == 1 ? \"held\" : \"free\"}")]
internal struct Spinlock
{
    /// <summary>0 free, 1 held. 0 → 1 by compare-and-swap of who takes it; 1 → 0 by a plain release of who holds it.</summary>
    private int _held;

    internal void Enter()
    {
        if (Seam.CompareExchange(ref _held, 1, 0) != 0)
            EnterContended();
    }

    internal void Exit() => Seam.Write(ref _held, 0);

    [Conditional("DEBUG")]
    internal readonly void AssertHeld() => Debug.Assert(_held == 1, "the lock must be held here");

    private void EnterContended()
    {
        var spin = new SpinWait();
        do
        {
            // Wait on a plain read: a failing compare-and-swap would take the cache line away from who holds the lock.
            while (Seam.Read(in _held) != 0)
                Seam.Spin(ref spin);
        }
        while (Seam.CompareExchange(ref _held, 1, 0) != 0);
    }
}
