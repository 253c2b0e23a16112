using System.Globalization;

namespace Kworker.Interop.Crash;

/// <summary>What can be held by one alone: a range of a file that is locked, or (no slot) a file that is open so that others may not write.</summary>
internal readonly record struct Holdable(string File, int? Slot)
{
    public override string ToString() => Slot is { } slot ? string.Create(CultureInfo.InvariantCulture, $"{File}[{slot}]") : File;
}

/// <summary>
/// What all clients believe to hold, by what the server has answered. Nobody may be given what another holds, nor anything new while somebody is still
/// waited for. Thread-safe.
/// </summary>
internal sealed class Ledger
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Holdable, (CrashClient Client, int Life)> _held = []; // _lock; with the life in which the server has last said so
    private readonly List<CrashClient> _clients = []; // _lock

    public void Add(CrashClient client)
    {
        lock (_lock)
            _clients.Add(client);
    }

    /// <summary>The server has granted something, new or reclaimed.</summary>
    public void Granted(CrashClient client, Holdable what, CrashLife life, bool isReclaim)
    {
        lock (_lock)
        {
            CheckFree(client, what, life);
            if (!isReclaim)
                CheckNobodyIsWaitedFor(client, $"got {what}", life);
            _held[what] = (client, life.Number);
        }
    }

    /// <summary>The server has given something new that nobody holds alone.</summary>
    public void GrantedToMany(CrashClient client, Holdable what, CrashLife life)
    {
        lock (_lock)
        {
            CheckFree(client, what, life);
            CheckNobodyIsWaitedFor(client, $"opened {what}", life);
        }
    }

    /// <summary>Not held any more: about to be given up, or lost.</summary>
    public void Drop(CrashClient client, Holdable what)
    {
        lock (_lock)
        {
            if (_held.TryGetValue(what, out var held) && held.Client == client)
                _held.Remove(what);
        }
    }

    public void DropAll(CrashClient client)
    {
        lock (_lock)
        {
            foreach (var what in HeldBy(client))
                _held.Remove(what);
        }
    }

    public IReadOnlyList<Holdable> HeldBy(CrashClient client)
    {
        lock (_lock)
            return [.. _held.Where(held => held.Value.Client == client).Select(held => held.Key)];
    }

    public bool Holds(CrashClient client, Holdable what)
    {
        lock (_lock)
            return _held.TryGetValue(what, out var held) && held.Client == client;
    }

    private void CheckFree(CrashClient client, Holdable what, CrashLife life)
    {
        if (!_held.TryGetValue(what, out var held) || held.Client == client)
            return;
        if (held.Life == life.Number)
            throw new InvalidDataException($"{client} was given {what}, which {held.Client} holds");
        if (held.Client.IsWaitedFor(life))
            throw new InvalidDataException($"{client} was given {what} after {life.Elapsed.TotalSeconds:f2} s, which {held.Client} may still reclaim");
        _held.Remove(what); // its grace is over, or it was not in the record
    }

    private void CheckNobodyIsWaitedFor(CrashClient client, string what, CrashLife life)
    {
        if (_clients.Find(other => other.IsWaitedFor(life)) is { } other)
            throw new InvalidDataException($"{client} {what} {life.Elapsed.TotalSeconds:f2} s after the start, while {other} may still reclaim");
        life.GraceIsOver();
    }
}
