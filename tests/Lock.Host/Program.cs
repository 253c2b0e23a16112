using System.Globalization;
using System.Net;
using Kworker.LockHost;
using Kworker.Nfs;

// lock-host URL ADDRESS...
// A client for each address (of this machine). Commands on standard input, each with a tag; answered with it, in any order:
//   TAG lock CLIENT FILE START LENGTH [wait]    granted | denied | failed WHY
//   TAG unlock CLIENT FILE START LENGTH         ok | failed WHY
//   TAG write CLIENT FILE TEXT                  ok | failed WHY
//   TAG held CLIENT                             FILE/START/LENGTH... that the client believes it holds
//   TAG test FILE/START/LENGTH...               free or a process number for each, asked by other means than the clients'
// Said by itself: lost FILE/START/LENGTH. End of input ends all in order.
var clients = new List<LockingClient>();
var saying = new System.Threading.Lock();
NfsUrl url = NfsUrl.Parse(args[0]);
for (int i = 1; i < args.Length; i++)
    clients.Add(await LockingClient.MountAsync(args[0], IPAddress.Parse(args[i]), i - 1, Say));
var checker = new LockChecker(new IPEndPoint(IPAddress.Parse(url.Host), url.Port), url.Path);
Say("ready");
var running = new List<Task>();
while (await Console.In.ReadLineAsync() is { } line)
    running.Add(AnswerAsync(line.Split(' ')));
await Task.WhenAll(running);
foreach (LockingClient client in clients)
    await client.DisposeAsync();
Say("end");

void Say(string what)
{
    lock (saying)
        Console.WriteLine(what);
}

async Task AnswerAsync(string[] words)
{
    try
    {
        Say($"{words[0]} {await DoAsync(words[1], words[2..])}");
    }
    catch (Exception exception)
    {
        Say($"{words[0]} failed {exception.Message}");
    }
}

async Task<string> DoAsync(string command, string[] words)
{
    if (command == "test")
        return string.Join(' ', await checker.AskAsync(words.Select(static word => word.Split('/')).Select(static parts => (parts[0], (ulong)Number(parts[1]), (ulong)Number(parts[2])))));
    LockingClient client = clients[(int)Number(words[0])];
    return command switch
    {
        "lock" => await client.LockAsync(words[1], Number(words[2]), Number(words[3]), wait: words.Length > 4),
        "unlock" => await client.UnlockAsync(words[1], Number(words[2]), Number(words[3])),
        "write" => await client.WriteAsync(words[1], words[2]),
        "held" => string.Join(' ', client.Held),
        _ => throw new FormatException($"there is no command {command}"),
    };
}

static long Number(string word) => long.Parse(word, CultureInfo.InvariantCulture);
