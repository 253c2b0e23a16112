using System.Runtime.Versioning;

[assembly: SupportedOSPlatform("linux")]

namespace Kworker.Apps.Nfsdcltrack;

/// <summary>
/// The record of NFSv4 clients on stable storage, one command a start: what nfsd, and the kernel's, call for init, create, check, remove and gracedone.
/// Arguments, exit codes and database are those of nfs-utils' program of this name, so that either can go on where the other stopped.
/// </summary>
internal static class Program
{
    public static int Main(string[] arguments)
    {
        NfsConf conf = NfsConf.Read("/etc/nfs.conf");
        if (!CommandLine.TryParse(arguments, out CommandLine line))
        {
            Console.Error.WriteLine(CommandLine.Usage);
            return ExitCodes.Usage;
        }
        var log = new Log(line.IsForeground, line.IsDebug || conf.IsDebug);
        // The kernel's own server is that of the record which nfs.conf names; another's record says nothing about its grace.
        string? storage = line.StorageDirectory ?? conf.StorageDirectory;
        var commands = new Commands(
            storage ?? CommandLine.DefaultStorage, log, line.StorageDirectory is null && conf.StorageDirectory is not null, Environment.GetEnvironmentVariable);
        return commands.Run(line.Command, line.Argument);
    }
}
