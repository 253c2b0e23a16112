namespace Kworker.Nfsd.V4;

/// <summary>What holds for an operation before its handler is called.</summary>
[Flags]
internal enum OperationFlags
{
    None = 0,

    /// <summary>Exists in minor version 0.</summary>
    V40 = 1,

    /// <summary>Exists in minor version 1; what was taken out of 4.0 answers NOTSUPP there (RFC 8881 section 17).</summary>
    V41 = 2,

    /// <summary>In both.</summary>
    Both = V40 | V41,

    /// <summary>Needs a current filehandle, else NOFILEHANDLE.</summary>
    NeedsCurrent = 4,

    /// <summary>4.1: may come first. If it is not SEQUENCE, it is then the only one (RFC 8881 section 2.10.3).</summary>
    WithoutSession = 8,

    /// <summary>Changes something: it is not begun unless its result fits into the reply.</summary>
    Modifies = 16,

    /// <summary>Writes a body even if it fails (SETATTR): see <see cref="Operation.WriteFailureBody"/>.</summary>
    AlwaysHasBody = 32,
}
