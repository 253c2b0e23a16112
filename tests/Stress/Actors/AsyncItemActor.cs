namespace Kworker.Stress.Actors;

/// <summary>As <see cref="ItemActor"/>, with the waits that hold no thread.</summary>
internal sealed class AsyncItemActor(World world, string name, int seed) : Actor(world, name, seed)
{
    protected override async Task ActAsync()
    {
        while (IsOn)
        {
            StressItem item = World.AnyItem(Random);
            int what = Random.Next(1000);
            Doing($"{what} on {item.Ledger.Name}");
            switch (what)
            {
                case < 350:
                    item.Queue(Random);
                    break;
                case < 550 when item.IsDelayed:
                    item.Queue(Random, UpTo(4));
                    break;
                case < 700 when item.IsDelayed:
                    item.Modify(Random, UpTo(4));
                    break;
                case < 780:
                    item.Cancel();
                    break;
                case < 830:
                    await item.CancelSyncAsync();
                    break;
                case < 880:
                    await item.CancelForGoodAsync(isAsync: true);
                    break;
                case < 930:
                    await item.FlushAsync();
                    break;
                case < 945:
                    await World.AnyQueue(Random).Queue.FlushAsync();
                    break;
                case < 947:
                    if (Chance(0.5))
                        await World.AnyQueue(Random).Queue.DrainAsync();
                    else
                        await World.AnyQueue(Random).Queue.DrainAsync(UpTo(3));
                    break;
                case < 960:
                    await World.Gossip.WaitAsync(UpTo(1));
                    break;
                case < 965:
                    await item.DisableForAWhileAsync(Random, isAsync: true);
                    break;
                default:
                    await Task.Yield();
                    break;
            }
        }
    }
}
