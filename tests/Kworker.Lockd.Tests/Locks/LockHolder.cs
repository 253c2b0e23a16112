using System.Diagnostics;

namespace Kworker.Lockd.Tests.Locks;

/// <summary>A C program that locks a file by plain fcntl, as told line by line.</summary>
internal sealed class LockHolder : IAsyncDisposable
{
    private const string Source = """
        #include <errno.h>
        #include <fcntl.h>
        #include <stdio.h>
        #include <string.h>
        int main(int argc, char **argv)
        {
            int fd = open(argv[1], O_RDWR);
            char what[16];
            long long start, length;
            if (fd < 0) return 1;
            while (scanf("%15s %lld %lld", what, &start, &length) == 3) {
                struct flock lock = { .l_whence = SEEK_SET, .l_start = start, .l_len = length };
                lock.l_type = !strcmp(what, "read") ? F_RDLCK : !strcmp(what, "write") ? F_WRLCK : F_UNLCK;
                if (fcntl(fd, F_SETLK, &lock) == 0) puts("ok");
                else puts(errno == EAGAIN || errno == EACCES ? "denied" : strerror(errno));
                fflush(stdout);
            }
            return 0;
        }
        """;

    private static readonly Lazy<string> s_program = new(Compile);
    private readonly Process _process;

    private LockHolder(Process process) => _process = process;

    public int Pid => _process.Id;

    public static Task<LockHolder> StartAsync(string path) => Task.FromResult(new LockHolder(Process.Start(new ProcessStartInfo(s_program.Value, [path])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
    })!));

    public async Task AskAsync(string question, string answer)
    {
        await _process.StandardInput.WriteLineAsync(question);
        await _process.StandardInput.FlushAsync();
        Assert.Equal(answer, await _process.StandardOutput.ReadLineAsync());
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static string Compile()
    {
        string directory = Directory.CreateTempSubdirectory("kworker-lockd-").FullName;
        string source = Path.Combine(directory, "lockholder.c");
        string program = Path.Combine(directory, "lockholder");
        File.WriteAllText(source, Source);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(directory, recursive: true);
        using Process compiler = Process.Start("cc", ["-O1", "-o", program, source]);
        compiler.WaitForExit();
        Assert.Equal(0, compiler.ExitCode); // a C compiler is needed (Debian: gcc, libc6-dev)
        return program;
    }
}
