namespace Kworker.SunRpc.Tests;

[Xdr]
public readonly partial record struct Blob([XdrMax(1 << 20)] ReadOnlyMemory<byte> Bytes);

[Xdr]
public readonly partial record struct Number(uint Value);

[Xdr]
public readonly partial record struct Identity(uint Uid, uint Gid, uint[] Groups, byte[] MachineName, uint Port);

/// <summary>A program with something of everything: 0x20000001, versions 2 and 4.</summary>
internal sealed class TestProgram
{
    public const uint Id = 0x20000001;
    public const uint Echo = 1;
    public const uint Count = 2;
    public const uint Hold = 3;
    public const uint Fail = 4;
    public const uint Fill = 5;
    public const uint WhoAmI = 6;
    public const uint Refuse = 7;
    public const uint HoldAsync = 8;
    public const uint TooLong = 9;
    public const uint HoldCount = 10;
    public const uint Meet = 101;
    public const uint CallBack = 102;

    private int _counted;
    private int _held;

    /// <summary>What the COUNT procedures have counted.</summary>
    public int Counted => Volatile.Read(ref _counted);

    /// <summary>Completed once by every call that begins to be held.</summary>
    public Completion Held { get; } = new();

    /// <summary>Lets one held call go on with each Complete, all with CompleteAll.</summary>
    public Completion Release { get; } = new();

    /// <summary>The connection by which MEET was last called.</summary>
    public RpcConnection? LastConnection { get; private set; }

    /// <summary>Calls held at this moment.</summary>
    public int HeldNow => Volatile.Read(ref _held);

    public RpcProgram Create()
    {
        const RpcProcedureFlags idempotent = RpcProcedureFlags.Idempotent;
        return new RpcProgram(Id, "test")
            .Procedure<Blob, Blob>(2, Echo, "ECHO", (_, blob) => blob, idempotent)
            .Procedure<Blob, Blob>(4, Echo, "ECHO", (_, blob) => blob, idempotent)
            .Procedure<Number, Number>(4, Count, "COUNT", (_, _) => new Number((uint)Interlocked.Increment(ref _counted)))
            .Procedure<Number, Number>(4, Hold, "HOLD", OnHold, idempotent)
            .Procedure<XdrVoid, XdrVoid>(4, Fail, "FAIL", (_, _) => throw new InvalidOperationException("as told"))
            .WritingProcedure<Number>(4, Fill, "FILL", OnFill, idempotent)
            .Procedure<XdrVoid, Identity>(4, WhoAmI, "WHOAMI", OnWhoAmI, idempotent)
            .Procedure<XdrVoid, XdrVoid>(4, Refuse, "REFUSE", (_, _) => throw new RpcAuthException(RpcAuthStatus.TooWeak), idempotent)
            .ProcedureAsync<Number, Number>(4, HoldAsync, "HOLD_ASYNC", OnHoldAsync, idempotent)
            .WritingProcedure<XdrVoid>(4, TooLong, "TOO_LONG", (_, _, reply) => reply.WriteFixedOpaque(new byte[64 << 20]), idempotent)
            .Procedure<Number, Number>(4, HoldCount, "HOLD_COUNT", OnHoldCount)
            .Procedure<XdrVoid, XdrVoid>(4, Meet, "MEET", OnMeet, idempotent)
            .ProcedureAsync<Number, Number>(4, CallBack, "CALL_BACK", OnCallBack, idempotent);
    }

    private Number OnHold(RpcCall call, Number number)
    {
        Interlocked.Increment(ref _held);
        Held.Complete();
        Release.Wait();
        Interlocked.Decrement(ref _held);
        return number;
    }

    private Number OnHoldCount(RpcCall call, Number number)
    {
        OnHold(call, number);
        return new Number((uint)Interlocked.Increment(ref _counted));
    }

    private async ValueTask<Number> OnHoldAsync(RpcCall call, Number number)
    {
        Held.Complete();
        await Release.WaitAsync();
        return number;
    }

    private XdrVoid OnMeet(RpcCall call, XdrVoid arguments)
    {
        LastConnection = call.Connection;
        return arguments;
    }

    private static ValueTask<Number> OnCallBack(RpcCall call, Number number) => call.Connection!.CallAsync<Number, Number>(
        0x40000000, 1, 3, RpcCredential.None, number, TimeSpan.FromMinutes(1));

    private static void OnFill(RpcCall call, Number size, XdrWriter reply)
    {
        Memory<byte> room = reply.ReserveOpaque((int)size.Value);
        room.Span.Fill(0xAB);
        reply.CommitOpaque(room.Length);
    }

    private static Identity OnWhoAmI(RpcCall call, XdrVoid arguments) => call.Sys is { } sys
        ? new Identity(sys.Uid, sys.Gid, sys.Groups.ToArray(), sys.MachineName.ToArray(), (uint)call.RemoteEndPoint.Port)
        : new Identity(uint.MaxValue, uint.MaxValue, [], [], (uint)call.RemoteEndPoint.Port);
}
