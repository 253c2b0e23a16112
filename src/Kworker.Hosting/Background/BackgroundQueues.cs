using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Kworker.Hosting;

/// <summary>Makes the host's background queues, and closes them with it.</summary>
internal sealed class BackgroundQueues(
    KworkerSystem system, IServiceScopeFactory scopes, IOptionsMonitor<BackgroundQueueOptions> options, ILogger<KworkerSystem> logger)
{
    private readonly ConcurrentBag<BackgroundQueue> _all = [];

    internal BackgroundQueue Make(string name)
    {
        var queue = new BackgroundQueue(name, options.Get(name), system, scopes, logger);
        _all.Add(queue);
        return queue;
    }

    /// <summary>The system has ended.</summary>
    internal void Close()
    {
        foreach (BackgroundQueue queue in _all)
            queue.Dispose();
    }
}
