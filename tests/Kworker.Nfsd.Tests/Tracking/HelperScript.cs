using Kworker.Nfsd.Tests.V3;

namespace Kworker.Nfsd.Tests.Tracking;

/// <summary>
/// A helper that writes down what it was given, to the last variable, and ends as told. A command that stands in the file <c>held</c>, with its argument, first
/// waits for <see cref="Release"/>; one that stands in <c>deadly</c> kills itself when it has done what it does.
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
            all=
            [ -e {{In("all")}} ] && all=1
            {
              echo call
              for argument; do echo "arg: $argument"; done
              # The shell adds variables of its own; this is what it was started with.
              tr '\0' '\n' </proc/$$/environ | while IFS= read -r line; do echo "env: $line"; done
            } >{{In("given")}}.$$
            cat {{In("given")}}.$$ >>{{In("given")}} # at once: others write, too
            [ "$1" = -f ] && shift 3 # -f -s DIR
            if [ "$held" = "$1 $2" ]; then read -r line <{{In("release")}}; fi
            if [ -n "$all" ]; then while ! [ -e {{In("go")}} ]; do sleep 0.02; done; fi
            if [ -e {{In("deadly")}}-$1 ]; then kill -9 $$; fi
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

    /// <summary>Every command that starts now waits for <see cref="ReleaseAll"/>.</summary>
    public void HoldAll() => File.WriteAllText(In("all"), "");

    /// <summary>Those that start from now on do not.</summary>
    public void HoldNoMore() => File.Delete(In("all"));

    public void ReleaseAll() => File.WriteAllText(In("go"), "");

    /// <summary>Whether a command ends by SIGKILL from now on.</summary>
    public void Die(string command, bool dies = true)
    {
        if (dies)
            File.WriteAllText(In($"deadly-{command}"), "");
        else
            File.Delete(In($"deadly-{command}"));
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
