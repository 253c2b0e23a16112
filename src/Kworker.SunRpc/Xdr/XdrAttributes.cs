namespace Kworker.SunRpc;

// How the types of an RFC's .x file are declared here; the source generator writes Read, Write and MinimumSize (IXdr<T>).
//
//   struct       [Xdr] public readonly partial record struct NfsTime3(uint Seconds, uint Nseconds);
//                Any positional record, class or struct, top-level; the components are the positional parameters, in their order.
//                Attributes stand on the parameters. What else the partial type holds is not on the wire.
//   enum         [Xdr] public enum NfsType3 { Regular = 1, Directory = 2 }     a value not declared is refused when read
//   union        [XdrUnion] public readonly partial record struct Lookup3Result(
//                    NfsStatus3 Status,                                         the first parameter is the discriminant (enum, int, uint, bool)
//                    [XdrCase(NfsStatus3.Ok)] Lookup3Ok Ok = default,           several values: [XdrCase(A, B)]
//                    [XdrDefault] Lookup3Failure Failure = default);            arms not selected hold their default
//                [XdrVoidCase(values)] on the type: cases without a body. [XdrUnion(DefaultVoid = true)]: "default: void".
//                Without a default, other discriminants are refused. "T?" on an arm means null unless selected, not "optional".
//   int, unsigned int, hyper, unsigned hyper, bool      int, uint, long, ulong, bool (0 or 1, else refused)
//   opaque x[8]  [XdrFixed(8)] byte[] X                 (a verifier is cheaper declared as ulong: the same eight bytes)
//   opaque x<64> [XdrMax(64)] byte[] X                  a copy
//                [XdrMax(64)] ReadOnlyMemory<byte> X    a slice of the request, valid only until its call has been answered; no copy
//   string x<255>                                       as opaque: names are bytes, of no encoding
//   T x<16>      [XdrMax(16)] T[] X                     T: any of the scalars, enums and [Xdr] types; without XdrMax: what the message can hold
//   T x[4]       [XdrFixed(4)] T[] X
//   T *x         T? X                                   also for the union of a bool with one arm (post_op_attr, set_mode3)
//   linked list  [XdrList] T[] X                        T declared without its last component "T *next"
//   void         XdrVoid                                arguments or results that are none
//   typedef      a record of one component: the wire is the same
//
// A type may also implement IXdr<T> by hand and be a component of others. Recursive types are refused at compile time: reading one
// would let the sender choose the depth of our stack.

/// <summary>Marks a positional <c>partial record</c> (an XDR struct) or an enum whose reader and writer are to be generated (RFC 4506).</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct | AttributeTargets.Enum, Inherited = false)]
public sealed class XdrAttribute : Attribute;

/// <summary>Marks a positional <c>partial record</c> that is an XDR discriminated union; its first parameter is the discriminant (RFC 4506, 4.15).</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct, Inherited = false)]
public sealed class XdrUnionAttribute : Attribute
{
    /// <summary>Whether the union ends with <c>default: void</c>.</summary>
    public bool DefaultVoid { get; set; }
}

/// <summary>Discriminants of an <see cref="XdrUnionAttribute">union</see> that select no arm.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct, Inherited = false)]
public sealed class XdrVoidCaseAttribute(params object[] discriminants) : Attribute
{
    /// <summary>The discriminants.</summary>
    public IReadOnlyList<object> Discriminants { get; } = discriminants;
}

/// <summary>The discriminants of a union that select this arm.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class XdrCaseAttribute(params object[] discriminants) : Attribute
{
    /// <summary>The discriminants.</summary>
    public IReadOnlyList<object> Discriminants { get; } = discriminants;
}

/// <summary>The arm of a union that every discriminant without an arm of its own selects.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class XdrDefaultAttribute : Attribute;

/// <summary>The greatest length of a variable-length component: bytes of an opaque or string, elements of an array or list.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class XdrMaxAttribute(int length) : Attribute
{
    /// <summary>Bytes of an opaque or string, elements of an array or list.</summary>
    public int Length { get; } = length;
}

/// <summary>The exact length of a fixed-length component: bytes of an opaque, elements of an array.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class XdrFixedAttribute(int length) : Attribute
{
    /// <summary>Bytes of an opaque, elements of an array.</summary>
    public int Length { get; } = length;
}

/// <summary>The array stands on the wire as a linked list: each element behind a TRUE, the end a FALSE.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class XdrListAttribute : Attribute;
