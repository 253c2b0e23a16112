namespace Kworker;

/// <summary>Runs a program as the kernel runs its helpers (kernel/umh.c): call_usermodehelper and its relatives.</summary>
/// <remarks>
/// <para>
/// The program runs in "/", with exactly the arguments and environment given, out of the reach of our terminal (in a process group of
/// its own; where we have a terminal, in a session of its own), with default signal dispositions and without a single descriptor of ours:
/// its standard input and outputs are closed. No shell is involved.
/// User, groups, umask, nice value and resource limits are those of this process (the kernel's helpers run as root with umask 022).
/// Directory, ids, standard input and outputs can be had otherwise: <see cref="HelperOptions"/>.
/// </para>
/// <para>
/// All members may be called from any thread. They concern the current <see cref="KworkerSystem"/>: disabling helpers in one does
/// not touch another. A system that is disposed refuses further calls and waits until those under way have returned. It does not wait for
/// helpers that nobody waits for; they run on and are still reaped.
/// </para>
/// <para>
/// On Linux a helper costs no thread while it runs. Other platforms start it by <see cref="System.Diagnostics.Process"/>, which
/// inherits standard input and outputs, names argv[0] itself and cannot tell exit codes 129 to 159 from signals; there, streams and ids are refused.
/// </para>
/// </remarks>
public static class UserModeHelper
{
    /// <summary>Runs a program and waits as told (call_usermodehelper).</summary>
    /// <param name="path">The program; a relative path starts at "/", the empty one runs nothing and gives 0.</param>
    /// <param name="argv">All its arguments, the first being its name. Empty: -EINVAL.</param>
    /// <param name="envp">Its whole environment, as NAME=value.</param>
    /// <param name="wait">What to wait for.</param>
    /// <param name="cancellationToken">Ends the wait; the helper runs on and is reaped.</param>
    /// <exception cref="ArgumentException">A string holds a null character or is not valid text.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled first.</exception>
    public static HelperStatus Call(
        string path,
        IReadOnlyList<string> argv,
        IReadOnlyList<string> envp,
        HelperWait wait,
        CancellationToken cancellationToken = default) => Setup(path, argv, envp).Exec(wait, cancellationToken);

    /// <inheritdoc cref="Call"/>
    public static ValueTask<HelperStatus> CallAsync(
        string path,
        IReadOnlyList<string> argv,
        IReadOnlyList<string> envp,
        HelperWait wait,
        CancellationToken cancellationToken = default) => Setup(path, argv, envp).ExecAsync(wait, cancellationToken);

    /// <summary>Prepares a call with callbacks (call_usermodehelper_setup). Nothing happens before its Exec.</summary>
    /// <param name="path">The program; a relative path starts at "/", the empty one runs nothing and gives 0.</param>
    /// <param name="argv">All its arguments, the first being its name. Empty: -EINVAL.</param>
    /// <param name="envp">Its whole environment, as NAME=value.</param>
    /// <param name="init">See <see cref="HelperOptions.Init"/>.</param>
    /// <param name="cleanup">See <see cref="HelperOptions.Cleanup"/>.</param>
    /// <exception cref="ArgumentException">A string holds a null character or is not valid text.</exception>
    public static UserModeHelperCall Setup(
        string path,
        IReadOnlyList<string> argv,
        IReadOnlyList<string> envp,
        Func<int>? init = null,
        Action? cleanup = null) => new(path, argv, envp, new HelperOptions { Init = init, Cleanup = cleanup });

    /// <summary>
    /// Prepares a call with all that <see cref="HelperOptions"/> can ask for: standard input, captured outputs, working directory, user
    /// and groups. Nothing happens before its Exec.
    /// </summary>
    /// <param name="path">The program; a relative path starts at "/", the empty one runs nothing and gives 0.</param>
    /// <param name="argv">All its arguments, the first being its name. Empty: -EINVAL.</param>
    /// <param name="envp">Its whole environment, as NAME=value.</param>
    /// <param name="options">What it is to have.</param>
    /// <exception cref="ArgumentException">A string holds a null character or is not valid text.</exception>
    public static UserModeHelperCall Setup(
        string path, IReadOnlyList<string> argv, IReadOnlyList<string> envp, HelperOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new(path, argv, envp, options);
    }

    /// <summary>
    /// Refuses helpers from now on (-EBUSY), and waits up to 5 seconds until no caller is inside a call any more
    /// (usermodehelper_disable).
    /// </summary>
    /// <returns>0; or -EAGAIN after these 5 seconds, and then helpers are enabled again.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled first. Helpers are enabled again.</exception>
    public static int Disable(CancellationToken cancellationToken = default) => KworkerSystem.Current.Helpers.Disable(cancellationToken);

    /// <inheritdoc cref="Disable"/>
    public static ValueTask<int> DisableAsync(CancellationToken cancellationToken = default) =>
        KworkerSystem.Current.Helpers.DisableAsync(cancellationToken);

    /// <summary>Allows helpers again (usermodehelper_enable).</summary>
    public static void Enable() => KworkerSystem.Current.Helpers.Enable();
}
