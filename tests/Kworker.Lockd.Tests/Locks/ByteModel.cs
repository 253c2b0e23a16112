using Kworker.Lockd.Locks;

namespace Kworker.Lockd.Tests.Locks;

/// <summary>The rules of POSIX at their plainest: for each byte, what each owner holds there; and a line of requests that wait.</summary>
internal sealed class ByteModel(int owners, int bytes, int files)
{
    private readonly LockKind?[,,] _held = new LockKind?[files, owners, bytes];

    public List<Waiting> Line { get; } = [];

    internal sealed record Waiting(int Id, int File, int Owner, LockKind Kind, int Start, int End);

    /// <summary>The locks of a file as runs of bytes, in order.</summary>
    public List<(int Owner, LockKind Kind, int Start, int End)> Runs(int file)
    {
        var runs = new List<(int Owner, LockKind Kind, int Start, int End)>();
        for (int owner = 0; owner < owners; owner++)
        {
            for (int at = 0; at < bytes; at++)
            {
                if (_held[file, owner, at] is not { } kind)
                    continue;
                int start = at;
                while (at + 1 < bytes && _held[file, owner, at + 1] == kind)
                    at++;
                runs.Add((owner, kind, start, at));
            }
        }
        return [.. runs.OrderBy(run => run.Start).ThenBy(run => run.Owner)];
    }

    public List<(int Owner, LockKind Kind, int Start, int End)> Conflicts(int file, int owner, LockKind kind, int start, int end) =>
        [.. Runs(file).Where(run => run.Owner != owner && run.Start <= end && start <= run.End && (kind == LockKind.Write || run.Kind == LockKind.Write))];

    public void Set(int file, int owner, LockKind? kind, int start, int end)
    {
        for (int at = start; at <= end; at++)
            _held[file, owner, at] = kind;
    }

    /// <summary>Whether the owner waits, by way of others or not, for the target, if it asked for this.</summary>
    public bool Reaches(Waiting request, int target)
    {
        var seen = new HashSet<int>();
        var next = new Queue<int>(Conflicts(request.File, request.Owner, request.Kind, request.Start, request.End).Select(run => run.Owner));
        while (next.TryDequeue(out int owner))
        {
            if (owner == target)
                return true;
            if (!seen.Add(owner))
                continue;
            foreach (Waiting waiting in Line.Where(waiting => waiting.Owner == owner))
            {
                foreach (var run in Conflicts(waiting.File, waiting.Owner, waiting.Kind, waiting.Start, waiting.End))
                    next.Enqueue(run.Owner);
            }
        }
        return false;
    }

    /// <summary>Grants what can be, the first first, until nothing can; then ends what waits in a cycle through an owner that was granted something.</summary>
    public (List<int> Granted, List<int> Deadlocks) Settle(int file, int? grantedOwner)
    {
        var granted = new List<Waiting>();
        while (Line.FirstOrDefault(waiting => waiting.File == file
            && Conflicts(file, waiting.Owner, waiting.Kind, waiting.Start, waiting.End).Count == 0) is { } first)
        {
            Line.Remove(first);
            Set(file, first.Owner, first.Kind, first.Start, first.End);
            granted.Add(first);
        }
        var deadlocks = new List<int>();
        IEnumerable<int> lucky = granted.Select(waiting => waiting.Owner);
        foreach (int owner in grantedOwner is { } one ? lucky.Prepend(one) : lucky)
        {
            foreach (Waiting waiting in Line.Where(waiting => waiting.Owner == owner && Reaches(waiting, owner)).ToArray())
            {
                Line.Remove(waiting);
                deadlocks.Add(waiting.Id);
            }
        }
        return ([.. granted.Select(waiting => waiting.Id)], deadlocks);
    }
}
