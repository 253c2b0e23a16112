using Kworker.Nfsd.Tests.V3;

namespace Kworker.Nfsd.Tests.Tracking;

/// <summary>
/// A helper that writes down what it was given, to the last variable, and ends as told. A command that stands in the file <c>held</c>, with its argument, first
/// waits for <see cref="Release"/>.
/// </summary>
internal sealed class HelperScript : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public HelperScript()
    {
        Path = In("wrap");
        File.WriteAllText(Path, $$"""
            #!/bin/sh
            held=$(cat {{In("held")}} 2>&1)
            {
              echo call
              for argument; do echo "arg: $argument"; done
              # The shell adds variables of its own; this is what it was started with.
              tr '\0' '\n' </proc/$$/environ | while IFS= read -r line; do echo "env: $line"; done
            } >{{In("given")}}.$$
            cat {{In("given")}}.$$ >>{{In("given")}} # at once: others write, too
            [ "$1" = -f ] && shift 3 # -f -s DIR
            if [ "$held" = "$1 $2" ]; then read -r line <{{In("release")}}; fi
            if [ -e {{In("exit")}}-$1 ]; then echo "said by $1" >&2; exit $(cat {{In("exit")}}-$1); fi
            exit 0
            """.ReplaceLineEndings("\n"));
        File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        System.Diagnostics.Process.Start("mkfifo", In("release")).WaitForExit();
    }

    public string Path { get; }

    /// <summary>A file in the script's directory.</summary>
    public string In(string name) => System.IO.Path.Combine(_directory.Path, name);

    /// <summary>What it was given, a call each.</summary>
    public IReadOnlyList<string> Given => !File.Exists(In("given")) ? [] :
        [.. File.ReadAllText(In("given")).Split("call\n", StringSplitOptions.RemoveEmptyEntries).Select(call => call.TrimEnd('\n'))];

    /// <summary>The commands that it was given.</summary>
    public string Commands => string.Join(' ', Given.Select(call => call.Split('\n').Select(line => line["arg: ".Length..]).First(word => word is "init" or "create" or "check" or "remove" or "gracedone")));

    public void Hold(string command, string argument) => File.WriteAllText(In("held"), $"{command} {argument}");

    public void Release()
    {
        File.Delete(In("held"));
        File.WriteAllText(In("release"), "go\n");
    }

    public void EndWith(string command, int? exitCode)
    {
        if (exitCode is null)
            File.Delete(In($"exit-{command}"));
        else
            File.WriteAllText(In($"exit-{command}"), $"{exitCode}");
    }

    public void Dispose() => _directory.Dispose();
}
