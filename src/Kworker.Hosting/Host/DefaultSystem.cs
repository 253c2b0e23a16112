namespace Kworker.Hosting;

/// <summary>
/// Whose turn it is to be <see cref="KworkerSystem.Default"/>: that of the host which was made last, of those that live. (A program has one host; its tests may have many
/// at once.) After the last one its ended system stays: whoever comes then is refused, and escapes nobody's shutdown.
/// </summary>
internal static class DefaultSystem
{
    private static readonly Lock s_lock = new();
    private static readonly List<KworkerSystem> s_alive = []; // in the order in which they were made; under s_lock

    internal static void Push(KworkerSystem system)
    {
        lock (s_lock)
        {
            s_alive.Add(system);
            KworkerSystem.Default = system;
        }
    }

    /// <summary>A system has ended. Nothing happens if it was never made the default.</summary>
    internal static void Remove(KworkerSystem system)
    {
        lock (s_lock)
        {
            // Somebody else may have set another since: that stays.
            if (s_alive.Remove(system) && ReferenceEquals(KworkerSystem.Default, system) && s_alive.Count > 0)
                KworkerSystem.Default = s_alive[^1];
        }
    }
}
