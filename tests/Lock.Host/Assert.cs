namespace Kworker.Interop.Wire;

/// <summary>What the wire code, written for a test, says when the server is wrong.</summary>
internal static class Assert
{
    public static void True(bool condition, string message)
    {
        if (!condition)
            throw new InvalidDataException(message);
    }

    public static void Equal<T>(T expected, T actual) => True(Equals(expected, actual), $"{actual} instead of {expected}");

    public static void Empty(byte[] bytes) => True(bytes.Length == 0, $"{bytes.Length} bytes instead of none");
}
