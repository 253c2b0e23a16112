using System.Runtime.Versioning;
using System.Text;
using Kworker.Nfs;

[assembly: SupportedOSPlatform("linux")]

// Mounts the URL that it is given, then does what its standard input says, a line each, and answers each by a line: "ok ..." or the error.
await using var client = await NfsClient.MountAsync(args[0]);
var open = new Dictionary<string, NfsFile>();
await Console.Out.WriteLineAsync("ok mounted");
while (await Console.In.ReadLineAsync() is { } line)
{
    string answer;
    try
    {
        answer = "ok " + await DoAsync(line.Split(' '));
    }
    catch (NfsException exception)
    {
        answer = exception.Message;
    }
    await Console.Out.WriteLineAsync(answer);
    await Console.Out.FlushAsync();
}

async Task<string> DoAsync(string[] words)
{
    switch (words)
    {
        case ["open", var name]:
            open.Add(name, await client.OpenAsync(name, FileMode.OpenOrCreate, FileAccess.ReadWrite));
            return name;
        case ["write", var name, var text]:
            await open[name].WriteAsync(0, Encoding.UTF8.GetBytes(text));
            return name;
        case ["read", var name]:
            var buffer = new byte[1000];
            return Encoding.UTF8.GetString(buffer, 0, await open[name].ReadAsync(0, buffer));
        case ["remove", var name]:
            await client.RemoveAsync(name);
            return name;
        case ["rename", var from, var to]:
            await client.RenameAsync(from, to);
            return to;
        case ["close", var name]:
            open.Remove(name, out NfsFile? file);
            await file!.DisposeAsync();
            return name;
        default:
            throw new InvalidDataException($"'{string.Join(' ', words)}' is no command");
    }
}
