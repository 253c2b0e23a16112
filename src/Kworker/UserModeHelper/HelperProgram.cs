namespace Kworker;

/// <summary>A program to start, and with what. A relative path, of the program or of its directory, starts at "/".</summary>
internal sealed record HelperProgram(string Path, IReadOnlyList<string> Arguments, IReadOnlyList<string> Environment)
{
    /// <summary>Null: "/".</summary>
    internal string? WorkingDirectory { get; init; }

    /// <summary>Null: ours.</summary>
    internal HelperCredentials? Credentials { get; init; }

    /// <summary>Null: closed.</summary>
    internal ReadOnlyMemory<byte>? Input { get; init; }

    /// <summary>Null: closed.</summary>
    internal HelperCapture? Output { get; init; }

    /// <summary>Null: closed.</summary>
    internal HelperCapture? Error { get; init; }

    internal bool HasStreams => Input is not null || Output is not null || Error is not null;
}
