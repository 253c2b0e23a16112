using System.Diagnostics;

namespace Kworker.SunRpc;

/// <summary>What our rpcbind knows. Thread-safe.</summary>
[DebuggerDisplay("{_records.Count} records")]
internal sealed class RpcbindTable
{
    private const int MaximumRecords = 4096;

    private readonly Lock _lock = new();
    private readonly List<RpcbindRecord> _records = []; // _lock

    /// <summary>Adds a record; false if there is one for its program, version and transport, or no room.</summary>
    public bool Set(RpcbindRecord record)
    {
        lock (_lock)
        {
            if (_records.Count >= MaximumRecords || _records.Exists(known => IsSame(known, record.Program, record.Version, record.NetId)))
                return false;
            _records.Add(record);
            return true;
        }
    }

    /// <summary>
    /// Removes the records of a version, of one transport or (null) of all; false if there was none that the caller may remove.
    /// </summary>
    public bool Unset(uint program, uint version, string? netId, string owner)
    {
        lock (_lock)
        {
            return _records.RemoveAll(record =>
                record.Program == program && record.Version == version && (netId is null || record.NetId == netId) &&
                (owner == RpcbindRecord.Superuser || record.Owner == owner)) > 0;
        }
    }

    /// <summary>
    /// The record for a program and transport: that of the version, or, unless it must be the version, of any other one, from which the
    /// caller then hears PROG_MISMATCH.
    /// </summary>
    public RpcbindRecord? Find(uint program, uint version, string netId, bool exact)
    {
        lock (_lock)
        {
            return _records.Find(record => IsSame(record, program, version, netId)) ??
                (exact ? null : _records.Find(record => record.Program == program && record.NetId == netId));
        }
    }

    /// <summary>A copy of all records.</summary>
    public RpcbindRecord[] List()
    {
        lock (_lock)
            return [.. _records];
    }

    private static bool IsSame(RpcbindRecord record, uint program, uint version, string netId) =>
        record.Program == program && record.Version == version && record.NetId == netId;
}
