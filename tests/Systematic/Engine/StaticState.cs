using System.Reflection;

namespace Kworker.Systematic;

/// <summary>Static state of the library, put back before each schedule: one that failed may have left it in the middle of something.</summary>
internal static class StaticState
{
    private static readonly FieldInfo[] s_fields =
        [.. typeof(AsyncWaiterPool).GetFields(BindingFlags.NonPublic | BindingFlags.Static).Where(f => f.Name is "s_lock" or "s_chains" or "s_count"),
         .. typeof(WaitGraph).GetFields(BindingFlags.NonPublic | BindingFlags.Static).Where(f => f.Name is "s_lock" or "s_waits")];

    private static readonly object? s_cancelWaiters =
        typeof(Work).GetField("s_cancelWaiters", BindingFlags.NonPublic | BindingFlags.Static)!.GetValue(null);

    private static readonly FieldInfo[] s_waitQueueFields =
        [.. typeof(WaitQueue).GetFields(BindingFlags.NonPublic | BindingFlags.Instance).Where(f => f.Name is "_lock" or "_line")];

    internal static void Reset()
    {
        foreach (FieldInfo field in s_waitQueueFields)
            field.SetValue(s_cancelWaiters, Activator.CreateInstance(field.FieldType));
        foreach (FieldInfo field in s_fields)
            field.SetValue(null, field.FieldType.IsValueType ? Activator.CreateInstance(field.FieldType) : null);
    }
}
