using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace Kworker.SunRpc.Generators;

/// <summary>A declaration that has no XDR form, with its place as plain data.</summary>
internal sealed class XdrProblem : IEquatable<XdrProblem>
{
    private static readonly DiagnosticDescriptor s_descriptor = new(
        "XDR001", "The declaration has no XDR form", "'{0}' {1}", "Xdr", DiagnosticSeverity.Error, isEnabledByDefault: true);

    private readonly string _name;
    private readonly string _message;
    private readonly string _path;
    private readonly TextSpan _span;
    private readonly LinePositionSpan _lines;

    public XdrProblem(ISymbol symbol, string message)
    {
        Location location = symbol.Locations.Length > 0 ? symbol.Locations[0] : Location.None;
        _name = symbol.Name;
        _message = message;
        _path = location.SourceTree?.FilePath ?? "";
        _span = location.SourceSpan;
        _lines = location.GetLineSpan().Span;
    }

    public Diagnostic ToDiagnostic() =>
        Diagnostic.Create(s_descriptor, _path.Length == 0 ? Location.None : Location.Create(_path, _span, _lines), _name, _message);

    public bool Equals(XdrProblem? other) =>
        other is not null && _name == other._name && _message == other._message && _path == other._path && _span == other._span;

    public override bool Equals(object? obj) => Equals(obj as XdrProblem);

    public override int GetHashCode() => _message.GetHashCode() ^ _span.GetHashCode();
}
