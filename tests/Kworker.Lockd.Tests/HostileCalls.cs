using Kworker.SunRpc;

namespace Kworker.Lockd.Tests;

/// <summary>Arguments that somebody has spoilt: some bytes changed, or cut short, for whatever procedure.</summary>
internal static class HostileCalls
{
    private const int MostChanges = 4;

    /// <summary>Calls of procedures <paramref name="first"/> to <paramref name="last"/>; the test's output has the seed.</summary>
    public static IEnumerable<(uint Procedure, Raw Arguments)> From(byte[][] messages, uint first, uint last, int count)
    {
        int seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (int i = 0; i < count; i++)
        {
            byte[] bytes = [.. messages[random.Next(messages.Length)]];
            for (int changes = random.Next(MostChanges + 1); changes > 0; changes--)
            {
                bytes[random.Next(bytes.Length)] = random.Next(3) switch
                {
                    0 => 0xFF,
                    1 => 0,
                    _ => (byte)random.Next(256),
                };
            }
            int length = random.Next(2) == 0 ? bytes.Length : random.Next(bytes.Length + 1);
            yield return ((uint)random.Next((int)first, (int)last + 1), new Raw(bytes[..length]));
        }
    }

    /// <summary>Calls, and takes any answer or refusal.</summary>
    public static async Task TryAsync(this RpcClient rpc, uint program, uint version, uint procedure, Raw arguments)
    {
        try
        {
            await rpc.CallAsync<Raw, XdrVoid>(program, version, procedure, arguments);
        }
        catch (RpcClientException)
        {
            // Garbage, or no such procedure.
        }
    }

    public static byte[] Encode<T>(T value)
        where T : IXdr<T>
    {
        using var writer = new XdrWriter();
        value.Write(writer);
        return writer.Written.ToArray();
    }

    /// <summary>Bytes in place of arguments.</summary>
    internal readonly record struct Raw(byte[] Bytes) : IXdr<Raw>
    {
        public static int MinimumSize => 0;

        public static Raw Read(ref XdrReader reader) => default;

        public void Write(XdrWriter writer) => writer.WriteFixedOpaque(Bytes);
    }
}
