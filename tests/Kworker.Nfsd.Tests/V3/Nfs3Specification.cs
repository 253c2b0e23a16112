using System.Text;
using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Tests.Wire;

namespace Kworker.Nfsd.Tests.V3;

/// <summary>What every procedure answers whatever file system is behind it: over TCP, with bytes of our own making.</summary>
public abstract partial class Nfs3Specification : IDisposable
{
    private readonly ServedFileSystem _served;

    private protected Nfs3Specification(INfsFileSystem fileSystem)
    {
        _served = new ServedFileSystem(fileSystem);
        Client = _served.Connect();
        Root = Client.MustMount(ServedFileSystem.Path);
    }

    private protected Nfs3Client Client { get; }

    private protected byte[] Root { get; }

    /// <summary>Whether the file system says what a file was like before a change.</summary>
    private protected abstract bool TellsBefore { get; }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        Client.Dispose();
        _served.Dispose();
    }

    private protected byte[] MustLookup(byte[] directory, string name)
    {
        Looked looked = Client.Lookup(directory, Encoding.UTF8.GetBytes(name));
        Assert.Equal(Stat.Ok, looked.Status);
        return looked.Handle;
    }

    private protected byte[] MustMakeDirectory(byte[] directory, string name)
    {
        Made made = Client.MkDir(directory, Encoding.UTF8.GetBytes(name));
        Assert.Equal(Stat.Ok, made.Status);
        return made.Handle!;
    }

    /// <summary>A directory's change, as far as the file system tells it: before and after differ, after is what GETATTR says.</summary>
    private protected void AssertChanged(byte[] file, Attr before, Wcc wcc)
    {
        Assert.NotNull(wcc.After);
        Assert.Equal(Client.MustGetAttr(file) with { Atime = wcc.After.Atime }, wcc.After);
        if (TellsBefore)
            Assert.Equal(new Before(before.Size, before.Mtime, before.Ctime), wcc.Before);
    }
}
