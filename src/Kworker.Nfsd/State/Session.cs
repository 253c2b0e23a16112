using System.Diagnostics;
using Kworker.Nfsd.V4;

namespace Kworker.Nfsd.State;

/// <summary>A session of 4.1: slots, each of which runs one request at a time and keeps its answer (RFC 8881 section 2.10).</summary>
[DebuggerDisplay("{Id}, {Slots.Length} slots")]
internal sealed class Session
{
    private volatile bool _isGone;

    public Session(NfsState state, NfsClient client, Sessionid4 id, uint flags, in ChannelLimits fore, in ChannelLimits back, uint callbackProgram)
    {
        State = state;
        Client = client;
        Id = id;
        Flags = flags;
        Fore = fore;
        Back = back;
        CallbackProgram = callbackProgram;
        Slots = new SessionSlot[fore.MaxRequests];
        for (int i = 0; i < Slots.Length; i++)
            Slots[i] = new SessionSlot(this, (uint)i);
    }

    public NfsState State { get; }

    public NfsClient Client { get; }

    public Sessionid4 Id { get; }

    /// <summary><c>CREATE_SESSION4_FLAG_*</c> as granted.</summary>
    public uint Flags { get; }

    public ChannelLimits Fore { get; }

    public ChannelLimits Back { get; }

    /// <summary>The program to call on the back channel. Written under the client's lock.</summary>
    public uint CallbackProgram { get; set; }

    public SessionSlot[] Slots { get; }

    /// <summary>It was destroyed. Written under the client's lock.</summary>
    public bool IsGone
    {
        get => _isGone;
        set => _isGone = value;
    }
}
