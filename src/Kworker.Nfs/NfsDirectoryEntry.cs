namespace Kworker.Nfs;

/// <summary>A name in a directory.</summary>
/// <param name="Name">The name; bytes that are no UTF-8 stand as lone surrogates U+DC80 to U+DCFF, and go back to the server as they came.</param>
/// <param name="FileId">The file's number within its file system.</param>
/// <param name="Attributes">The file's attributes, if the server sent them along.</param>
public sealed record NfsDirectoryEntry(string Name, ulong FileId, NfsAttributes? Attributes);
