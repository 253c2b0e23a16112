using System.Runtime.InteropServices;

namespace Kworker.Apps.Nfsdcltrack;

/// <summary>The five commands. Each returns what the program ends with.</summary>
/// <param name="storageDirectory">Where the database is.</param>
/// <param name="log">Takes what there is to say.</param>
/// <param name="endsKernelGrace">Whether the record is that of the kernel's server, which is told when nobody is left who could reclaim.</param>
/// <param name="environment">Looks up a variable of the environment.</param>
internal sealed partial class Commands(string storageDirectory, Log log, bool endsKernelGrace, Func<string, string?> environment)
{
    private const int MaxNameLength = 1024; // NFS4_OPAQUE_LIMIT
    private const int NoSuchEntry = 2; // ENOENT
    private const string EndGraceFile = "/proc/fs/nfsd/v4_end_grace";

    /// <summary>Runs one.</summary>
    public int Run(string? command, string? argument)
    {
        if (command is null)
        {
            log.Error("Missing command name");
            return ExitCodes.Invalid;
        }
        if (command == "init")
            return Init();
        Func<string, int>? function = command switch
        {
            "create" => Create,
            "check" => Check,
            "remove" => Remove,
            "gracedone" => GraceDone,
            _ => null,
        };
        if (function is null)
        {
            log.Error($"'{command}' doesn't match any known command");
            return ExitCodes.UnknownCommand;
        }
        if (argument is null)
        {
            log.Error($"Command {command} requires an argument");
            return ExitCodes.Invalid;
        }
        try
        {
            return function(argument);
        }
        catch (DatabaseException exception)
        {
            log.Error(exception.Message);
            return exception.ExitCode;
        }
    }

    private int Init()
    {
        try
        {
            using ClientDatabase database = ClientDatabase.Open(storageDirectory);
            EndGraceIfReclaimed(database);
            return ExitCodes.Ok;
        }
        catch (DatabaseException exception)
        {
            log.Error($"Failed to init database: {exception.Message}");
            return ExitCodes.CannotInit;
        }
    }

    private int Create(string hexId)
    {
        log.Debug("create client record");
        if (!TryParseId(hexId, out byte[] id, out int error))
            return error;
        using ClientDatabase database = ClientDatabase.Open(storageDirectory);
        database.Insert(id, HasSession, timeIsZero: false);
        if (HasSession)
            EndGraceIfReclaimed(database);
        return ExitCodes.Ok;
    }

    private int Check(string hexId)
    {
        log.Debug("check client record");
        if (!TryParseId(hexId, out byte[] id, out int error))
            return error;
        using ClientDatabase database = ClientDatabase.Open(storageDirectory);
        try
        {
            if (!database.Contains(id))
                return CheckLegacy(database, id);
        }
        catch (DatabaseException exception)
        {
            log.Error(exception.Message);
            return ExitCodes.NotRecorded; // What cannot be looked up is not there.
        }
        // With sessions the client says itself when it has done (create); without, that it has come back is all that will be heard.
        if (!HasSession)
            database.Touch(id);
        return ExitCodes.Ok;
    }

    private int Remove(string hexId)
    {
        log.Debug("remove client record");
        if (!TryParseId(hexId, out byte[] id, out int error))
            return error;
        using ClientDatabase database = ClientDatabase.Open(storageDirectory);
        database.Remove(id);
        return ExitCodes.Ok;
    }

    private int GraceDone(string start)
    {
        if (!TryParseTime(start, out long time, out int error))
            return error;
        log.Debug($"grace done: gracetime={time}");
        using ClientDatabase database = ClientDatabase.Open(storageDirectory);
        database.RemoveBefore(time);
        RemoveLegacy();
        return ExitCodes.Ok;
    }

    private bool HasSession => environment("NFSDCLTRACK_CLIENT_HAS_SESSION") is ['Y', ..];

    private void EndGraceIfReclaimed(ClientDatabase database)
    {
        if (environment("NFSDCLTRACK_GRACE_START") is not { } start || !TryParseTime(start, out long time, out _))
            return;
        long left = database.CountReclaiming(time);
        log.Debug($"there are {left} clients that have not completed reclaim");
        if (left != 0 || !endsKernelGrace)
            return;
        try
        {
            using FileStream file = new(EndGraceFile, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            file.Write("Y"u8);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            log.Debug($"grace ends at its time: {exception.Message}"); // No such file: no server of the kernel, or one that is older.
        }
    }

    /// <summary>Takes over a client from the directory in which the kernel used to keep its own records.</summary>
    private int CheckLegacy(ClientDatabase database, byte[] id)
    {
        if (environment("NFSDCLTRACK_LEGACY_RECDIR") is not { } directory || !Directory.Exists(directory))
            return ExitCodes.NotRecorded;
        // A client with sessions has yet to reclaim: it is not to outlive this grace unless it does.
        database.Insert(id, HasSession, timeIsZero: HasSession);
        int errno = RemoveDirectory(directory);
        if (errno is 0 or NoSuchEntry)
            return ExitCodes.Ok;
        log.Error($"Failed to rmdir {directory}: {errno}");
        return ExitCodes.NotRecorded;
    }

    private void RemoveLegacy()
    {
        if (environment("NFSDCLTRACK_LEGACY_TOPDIR") is not { } top || !Directory.Exists(top))
            return;
        foreach (string entry in Directory.GetFileSystemEntries(top))
        {
            int errno = RemoveDirectory(entry);
            if (errno != 0)
                log.Error($"unable to rmdir {entry}: {errno}");
        }
    }

    private static bool TryParseId(string hexId, out byte[] id, out int error)
    {
        id = [];
        error = ExitCodes.Invalid;
        if (hexId.Length % 2 != 0)
            return false;
        if (hexId.Length / 2 > MaxNameLength)
        {
            error = ExitCodes.NameTooLong;
            return false;
        }
        id = new byte[hexId.Length / 2];
        return Convert.FromHexString(hexId, id, out _, out _) == System.Buffers.OperationStatus.Done;
    }

    // As strtol(3) with base 0 reads it, nothing being 0.
    private static bool TryParseTime(string text, out long time, out int error)
    {
        error = ExitCodes.Invalid;
        ReadOnlySpan<char> digits = text.AsSpan().TrimStart();
        bool isNegative = digits is ['-', ..];
        if (digits is ['-' or '+', ..])
            digits = digits[1..];
        uint numberBase = digits switch
        {
            ['0', 'x' or 'X', _, ..] => 16,
            ['0', ..] => 8,
            _ => 10,
        };
        Int128 value = 0;
        time = 0;
        foreach (char digit in numberBase == 16 ? digits[2..] : digits)
        {
            if (!char.IsAsciiHexDigit(digit) || Convert.ToUInt32(digit.ToString(), 16) is var number && number >= numberBase)
                return false;
            value = Int128.Min((value * numberBase) + number, Int128.MaxValue / 32);
        }
        if (isNegative)
            value = -value;
        error = ExitCodes.OutOfRange;
        if (value < long.MinValue || value > long.MaxValue)
            return false;
        time = (long)value;
        return true;
    }

    /// <returns>0, or the errno.</returns>
    private static int RemoveDirectory(string path) => RemoveDirectoryCall(path) == 0 ? 0 : Marshal.GetLastPInvokeError();

    [LibraryImport("libc", EntryPoint = "rmdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RemoveDirectoryCall(string path);
}
