namespace Conformance.Replay;

/// <summary>The work functions of a scenario: what they are told to do, and what they did.</summary>
internal sealed class Items(World world)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Item> _items = [];
    private int _inside;

    /// <summary>The most functions that were inside at once so far.</summary>
    public int MaxRunning { get; private set; }

    public static bool IsDelayed(string name) => name.StartsWith('d');

    public Item this[string name]
    {
        get
        {
            if (name.Length != 2 || name[0] is not ('p' or 'd'))
                throw new FormatException($"there is no item '{name}'");
            lock (_lock)
            {
                if (!_items.TryGetValue(name, out var item))
                    _items.Add(name, item = new Item(this, name));
                return item;
            }
        }
    }

    /// <summary>Lets every run go, now and later, and no item queue itself again.</summary>
    public void Release()
    {
        lock (_lock)
        {
            foreach (var item in _items.Values)
            {
                item.RequeueAs(0, null);
                item.Gate.CompleteAll();
            }
        }
    }

    /// <summary>What the functions and those who direct them share is guarded by this.</summary>
    internal Lock Guard => _lock;

    internal void Begin(Item item)
    {
        lock (_lock)
            MaxRunning = Math.Max(MaxRunning, ++_inside);
        world.Tell(answer => answer.Started.Add(item.Name));
    }

    internal void End(Item item)
    {
        world.Tell(answer => answer.Finished.Add(item.Name));
        lock (_lock)
            _inside--;
    }
}
