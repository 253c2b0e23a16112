using System.Net;
using Kworker.Interop.Wire;

namespace Kworker.LockHost;

/// <summary>Asks the server who holds what: by TEST of NLM version 4 (RFC 1813, appendix II), with bytes written by hand.</summary>
internal sealed class LockChecker(IPEndPoint server, string export)
{
    private const uint Nlm = 100021;
    private const uint Granted = 0;
    private const uint Denied = 1;
    private const uint InGrace = 4;

    /// <summary>For each range "free" or the process that holds it: "77". The grace period is waited out.</summary>
    public async Task<IReadOnlyList<string>> AskAsync(IEnumerable<(string File, ulong Start, ulong Length)> ranges)
    {
        using RawNfs nfs = await RawNfs.MountAsync(server, server.Port, export);
        var handles = new Dictionary<string, byte[]>();
        var answers = new List<string>();
        foreach ((string file, ulong start, ulong length) in ranges)
        {
            if (!handles.TryGetValue(file, out byte[]? handle))
                handles[file] = handle = (await nfs.LookupAsync(nfs.Root, file)).Handle;
            answers.Add(await AskAsync(nfs.Rpc, handle, start, length));
        }
        return answers;
    }

    private static async Task<string> AskAsync(RawRpc rpc, byte[] handle, ulong start, ulong length)
    {
        while (true)
        {
            var arguments = new RawWriter()
                .Text("c").UInt32(1).Text("checker").Opaque(handle).Text("1@checker").UInt32(1).UInt64(start).UInt64(length);
            RawReader reply = await rpc.CallAsync(Nlm, 4, 1, arguments);
            reply.Opaque(); // cookie
            switch (reply.UInt32())
            {
                case Granted:
                    return "free";
                case Denied:
                    reply.UInt32(); // exclusive
                    return $"{reply.UInt32()}";
                case InGrace:
                    await Task.Delay(100); // it ends by the server's clock
                    break;
                case uint status:
                    throw new InvalidDataException($"TEST: status {status}");
            }
        }
    }
}
