namespace Kworker.Systematic;

/// <summary>Mistakes that the timers could have made, or did, each in a few lines of the same protocol.</summary>
public sealed class TimerBugTests
{
    private const long Armed = 1;
    private const long Firing = 2;
    private const long Parity = 4;

    /// <summary>Who settles an item reads its state before he says that he will have settled it: who arms it in between relies on him.</summary>
    [Fact]
    public void A_wheel_that_looks_before_it_says_so() => SeededBugTests.Finds((scenario, wrong) =>
    {
        long state = 0;
        int unsettled = 0, entries = 0;
        bool isInWheel = false;
        void Change(long to)
        {
            Seam.CompareExchange(ref state, to, to ^ Armed);
            if (Seam.Read(in unsettled) != 0)
                return;
            Seam.Write(ref unsettled, 1);
            Seam.Increment(ref entries);
        }

        void Settle()
        {
            while (Seam.Read(in entries) > 0)
            {
                Seam.Write(ref entries, Seam.Read(in entries) - 1);
                long before = Seam.Read(in state);
                Seam.Write(ref unsettled, 0);
                Seam.Fence();
                isInWheel = ((wrong ? before : Seam.Read(in state)) & Armed) != 0;
            }
        }

        var wheel = scenario.Run("wheel", () =>
        {
            for (int i = 0; i < 3; i++)
                Settle();
        });
        Change(Armed);
        Change(0);
        Change(Armed);
        wheel.Join();
        Settle();
        Assert.True(isInWheel);
    });

    /// <summary>An item that was disarmed and armed twice looks as it did: it fires at a time that is no more its own.</summary>
    [Fact]
    public void A_timer_that_is_fired_for_an_arming_of_the_past() => SeededBugTests.Finds((scenario, wrong) =>
    {
        const int Now = 10;
        long state = Armed;
        int unsettled = 0;
        long due = 5 << 1; // and the parity of its arming
        static bool IsLanded(long due, long state) => (due & 1) != 0 == ((state & Parity) != 0);
        var wheel = scenario.Run("wheel", () =>
        {
            long seen = Seam.Read(in state);
            if ((seen & Armed) == 0)
                return;
            long firing = wrong ? seen : seen | Firing;
            if (!wrong && Seam.CompareExchange(ref state, firing, seen) != seen)
                return;
            if (!IsLanded(Seam.Read(in due), firing) || Seam.Read(in unsettled) != 0)
                return;
            if (Seam.CompareExchange(ref state, firing & ~(Armed | Firing), firing) == firing)
                Assert.True(Seam.Read(in due) >> 1 <= Now);
        });
        for (int i = 0; i < 2; i++)
        {
            long seen = Seam.Read(in state);
            while ((seen & Armed) != 0 && Seam.CompareExchange(ref state, seen & ~(Armed | Firing), seen) != seen)
                seen = Seam.Read(in state);
            if ((seen & Armed) == 0)
                return; // it has fired
            seen &= ~(Armed | Firing);
            long armed = (seen | Armed) ^ Parity;
            Seam.CompareExchange(ref state, armed, seen);
            Seam.Write(ref unsettled, 1);
            Seam.Write(ref due, ((20L + i) << 1) | ((armed & Parity) != 0 ? 1L : 0L));
        }

        wheel.Join();
    });

    /// <summary>
    /// A bug that was: whether an arming had landed was told from the parities alone, which two armings later are what they were. Who had seen the first landed disarmed
    /// the third, which had not, and armed it anew; the time of the third was written over that of the fourth: it never landed.
    /// </summary>
    [Fact]
    public void An_arming_that_is_taken_for_one_that_has_landed() => SeededBugTests.Finds((scenario, wrong) =>
    {
        const long Landing = 8;
        long state = 0, due = 0; // the parity of the arming that wrote it
        bool HasLanded(long seen) => wrong ? Seam.Read(in due) == (seen & Parity) : (seen & Landing) == 0;
        void Arm()
        {
            while (true)
            {
                long seen = Seam.Read(in state);
                if ((seen & Armed) != 0)
                    return;
                long armed = (seen | Armed | (wrong ? 0 : Landing)) ^ Parity;
                if (Seam.CompareExchange(ref state, armed, seen) != seen)
                    continue;
                Seam.Write(ref due, armed & Parity);
                if (!wrong)
                    Seam.And(ref state, ~Landing);
                return;
            }
        }

        void Disarm()
        {
            var spin = new SpinWait();
            while (true)
            {
                long seen = Seam.Read(in state);
                if ((seen & Armed) == 0)
                    return;
                if (!HasLanded(seen))
                    Seam.Spin(ref spin);
                else if (Seam.CompareExchange(ref state, seen & ~Armed, seen) == seen)
                    return;
            }
        }

        Arm();
        var other = scenario.Run("disarms and arms, twice", () =>
        {
            for (int i = 0; i < 2; i++)
            {
                Disarm();
                Arm();
            }
        });
        Disarm();
        Arm();
        other.Join();
        if ((state & Armed) != 0)
            Assert.Equal(state & Parity, due);
    }, schedules: 5000);
}
