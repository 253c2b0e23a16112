using Microsoft.Extensions.Logging;

namespace Kworker.Nfsd.Tracking;

/// <summary>What client tracking says: the kernel's lines, word for word, at debug level, and what an administrator should know above it.</summary>
internal static partial class TrackingLog
{
    [LoggerMessage(40, LogLevel.Debug, "nfsd4_umh_cltrack_upcall: cltrack_prog is disabled")]
    public static partial void UpcallDisabled(ILogger logger);

    [LoggerMessage(41, LogLevel.Debug, "nfsd4_umh_cltrack_upcall: cmd: {Command}")]
    public static partial void UpcallCommand(ILogger logger, string command);

    [LoggerMessage(42, LogLevel.Debug, "nfsd4_umh_cltrack_upcall: arg: {Argument}")]
    public static partial void UpcallArgument(ILogger logger, string argument);

    [LoggerMessage(43, LogLevel.Debug, "nfsd4_umh_cltrack_upcall: env{Number}: {Variable}")]
    public static partial void UpcallEnvironment(ILogger logger, int number, string variable);

    [LoggerMessage(44, LogLevel.Debug, "NFSD: {Program} was not found or isn't executable ({Errno}). Setting cltrack_prog to blank string!")]
    public static partial void UpcallTurnedOff(ILogger logger, string program, int errno);

    [LoggerMessage(45, LogLevel.Debug, "nfsd4_umh_cltrack_upcall: {Program} return value: {Value}")]
    public static partial void UpcallReturned(ILogger logger, string program, int value);

    [LoggerMessage(46, LogLevel.Debug, "NFSD: Using UMH upcall client tracking operations.")]
    public static partial void UsingUpcall(ILogger logger);

    [LoggerMessage(47, LogLevel.Debug, "NFSD: nfs4_make_rec_clidname for {Name}")]
    public static partial void MakesDirectoryName(ILogger logger, string name);

    [LoggerMessage(50, LogLevel.Warning, "NFSv4 clients are not recorded: {Program} {Reason}. Who is not recorded cannot get its locks and open files back after the "
        + "next restart of the server. When the program is there, SIGHUP turns the record on again")]
    public static partial void TurnedOff(ILogger logger, string program, string reason);

    [LoggerMessage(51, LogLevel.Warning, "NFSv4 clients are not recorded: {Program} init {Outcome}. Nobody can get locks and open files of before back, and who comes now "
        + "cannot after the next restart. When that is mended, SIGHUP turns the record on")]
    public static partial void InitFailed(ILogger logger, string program, string outcome);

    [LoggerMessage(52, LogLevel.Warning, "The client {Name} could not be recorded: {Program} create {Outcome}. It cannot get its locks and open files back after the next restart")]
    public static partial void CreateFailed(ILogger logger, string name, string program, string outcome);

    [LoggerMessage(53, LogLevel.Warning, "The client {Name} may not reclaim: {Program} check {Outcome}")]
    public static partial void CheckFailed(ILogger logger, string name, string program, string outcome);

    [LoggerMessage(54, LogLevel.Warning, "{What} could not be taken out of the record: {Program} {Outcome}. The record says more than is true: that is tried "
        + "again; if the server is started anew before, nobody can get locks and open files back")]
    public static partial void RemoveFailed(ILogger logger, string what, string program, string outcome);

    [LoggerMessage(55, LogLevel.Warning, "The record of NFSv4 clients is not to be believed: the server could not write it when it should have. Nobody can get locks and open "
        + "files of before back; from now on clients are recorded again")]
    public static partial void Distrusted(ILogger logger);

    [LoggerMessage(56, LogLevel.Information, "NFSv4 clients are recorded by {Program}{Place}")]
    public static partial void Recording(ILogger logger, string program, string place);

    [LoggerMessage(57, LogLevel.Warning, "The record of NFSv4 clients has times of the future, {Seconds} s from now: has the clock been set back? Clients may have to do without "
        + "their locks after the next restart")]
    public static partial void ClockSetBack(ILogger logger, long seconds);

    [LoggerMessage(58, LogLevel.Error, "{File}, which says whether the record of NFSv4 clients is to be believed, cannot be read or written: {Reason}")]
    public static partial void CannotWriteTrust(ILogger logger, string file, string reason);

    [LoggerMessage(60, LogLevel.Information, "The record of NFSv4 clients is as it should be again")]
    public static partial void MadeGood(ILogger logger);

    [LoggerMessage(59, LogLevel.Information, "NFSv4 clients are recorded already")]
    public static partial void IsOnAlready(ILogger logger);

    [LoggerMessage(60, LogLevel.Information, "A helper that the server of before has started still changes the record of NFSv4 clients: waiting for its end")]
    public static partial void WaitsForHelper(ILogger logger);

    [LoggerMessage(61, LogLevel.Warning, "A helper that the server of before has started has not ended in {Seconds} s: nobody can get locks and open files of before back")]
    public static partial void HelperStuck(ILogger logger, double seconds);
}
