namespace Kworker.Stress.Actors;

/// <summary>Does anything to any item and queue, and waits on its thread.</summary>
internal sealed class ItemActor(World world, string name, int seed) : Actor(world, name, seed)
{
    protected override void Act()
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
                    item.Modify(Random, UpTo(Chance(0.1) ? 500 : 4));
                    break;
                case < 780:
                    item.Cancel();
                    break;
                case < 830:
                    item.CancelSync();
                    break;
                case < 880:
                    item.CancelForGoodAsync(isAsync: false).AsTask().GetAwaiter().GetResult();
                    break;
                case < 920:
                    item.Flush();
                    break;
                case < 935:
                    World.AnyQueue(Random).Queue.Flush();
                    break;
                case < 937:
                    if (Chance(0.5))
                        World.AnyQueue(Random).Queue.Drain();
                    else
                        World.AnyQueue(Random).Queue.Drain(UpTo(3));
                    break;
                case < 950:
                    World.Gossip.Complete();
                    break;
                case < 960:
                    World.Rumours.WakeUpAll();
                    break;
                case < 965:
                    item.DisableForAWhileAsync(Random, isAsync: false).AsTask().GetAwaiter().GetResult();
                    break;
                case < 970:
                    Thread.Yield();
                    break;
                default:
                    Spin(Random.Next(1000));
                    break;
            }
        }
    }
}
