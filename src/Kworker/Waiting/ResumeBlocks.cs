namespace Kworker;

/// <summary>
/// By who wakes several: those that go on on the .NET thread pool it brings there in blocks (<see cref="ResumeRun"/>), the first of which begin while the later are still
/// being claimed; all others it lets go on at once. No lock is held meanwhile.
/// </summary>
internal struct ResumeBlocks
{
    /// <summary>So far ahead of each stands, in <c>Previous</c>, the one to be fetched from memory while it runs.</summary>
    private const int Ahead = 4;

    private Waiter? _block; // the first of the last block
    private Waiter? _last;
    private Waiter? _behind; // of the last block, so many before the next
    private int _inBlock; // of the last block
    private ResumeRun? _run; // when there are several blocks

    /// <summary>By who claimed it, and has cleared its links.</summary>
    internal void Resume(Waiter waiter)
    {
        if (waiter is AsyncWaiter { IsReadyElsewhere: true })
            Add(waiter);
        else
            waiter.Resume();
    }

    /// <summary>After the last one.</summary>
    internal readonly void Close()
    {
        if (_run is not null)
            _run.Close();
        else if (_inBlock == 1)
            Seam.QueueToCaller((AsyncWaiter)_block!);
        else if (_inBlock > 1)
            new ResumeRun(_block!).Close();
    }

    private void Add(Waiter waiter)
    {
        if (_inBlock is 0 or Seam.MostInResumeBlock)
        {
            if (_block is not null)
                (_run ??= new ResumeRun(_block)).Publish(_block, waiter);
            _block = waiter;
            _inBlock = 0;
        }
        else
        {
            _last!.NextToResume = waiter;
            LinkAhead(waiter);
        }

        _last = waiter;
        _inBlock++;
    }

    /// <summary>Not from the first, which has the next block there.</summary>
    private void LinkAhead(Waiter waiter)
    {
        if (_inBlock == 1)
        {
            _behind = waiter;
        }
        else if (_inBlock > Ahead)
        {
            _behind!.Previous = waiter;
            _behind = _behind.NextToResume;
        }
    }
}
