namespace Kworker;

/// <summary>What a helper may have beyond path, argv and envp. Whatever is not set stays as the kernel has it.</summary>
public sealed class HelperOptions
{
    /// <summary>
    /// Called before the program is started; anything but 0 refuses it and is the status. Unlike the kernel's it runs in this process,
    /// not in the new one: on the thread that calls Exec, or on a worker for <see cref="HelperWait.NoWait"/>.
    /// </summary>
    public Func<int>? Init { get; init; }

    /// <summary>
    /// Called exactly once for each Exec, whatever came of it, and last of all: on the thread of Exec, or on a worker where nobody
    /// waits (any more). For a helper that is waited for, that is after its end.
    /// </summary>
    public Action? Cleanup { get; init; }

    /// <summary>
    /// Where the program starts; a relative one starts at "/", as the path of the program does in any case. It is entered with the rights of
    /// the <see cref="Credentials"/>. Unless set: "/".
    /// </summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Whose rights the program has. Unless set: those of this process.</summary>
    public HelperCredentials? Credentials { get; init; }

    /// <summary>
    /// What the program reads from its standard input, then the end of it. A program that ends or closes its input before it has read all is no error.
    /// It is not copied: leave it unchanged until the call is over, or until the cleanup where nobody waits. Unless set, standard input is closed.
    /// </summary>
    public ReadOnlyMemory<byte>? StandardInput { get; init; }

    /// <summary>
    /// How many bytes of its standard output to keep for <see cref="UserModeHelperCall.StandardOutput"/>. What the program writes beyond is read and
    /// thrown away, so that it is not held up. 0, the default: standard output is closed, and writing to it is an error of the program.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public int StandardOutputLimit
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    }

    /// <summary>The same for standard error and <see cref="UserModeHelperCall.StandardError"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public int StandardErrorLimit
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    }
}
