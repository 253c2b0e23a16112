using System.Text;
using System.Threading.Channels;

namespace Kworker.Nfsd.Tests.App;

/// <summary>Output whose lines can be waited for, one after the other.</summary>
internal sealed class Lines : TextWriter
{
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
    private readonly StringBuilder _line = new(); // lock: itself

    public override Encoding Encoding => Encoding.UTF8;

    public ChannelReader<string> Reader => _lines.Reader;

    public override void Write(char value)
    {
        lock (_line)
        {
            if (value != '\n')
            {
                _line.Append(value);
                return;
            }

            _lines.Writer.TryWrite(_line.ToString());
            _line.Clear();
        }
    }
}
