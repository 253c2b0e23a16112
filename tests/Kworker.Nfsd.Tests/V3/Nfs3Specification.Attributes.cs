using Kworker.Nfsd.Tests.Wire;

namespace Kworker.Nfsd.Tests.V3;

// NULL, GETATTR, SETATTR, ACCESS.
public abstract partial class Nfs3Specification
{
    [Fact]
    public void Null_does_nothing() => Client.Call(0, new XdrBytes()).End();

    [Fact]
    public void Getattr_tells_what_a_file_is()
    {
        byte[] file = Client.MustCreate(Root, "file", new Sattr { Mode = 0x1a0 });
        Client.Write(file, 0, new byte[5000]);
        Attr attr = Client.MustGetAttr(file);
        Assert.Equal(1u, attr.Type);
        Assert.Equal(0x1a0u, attr.Mode);
        Assert.Equal(1u, attr.Nlink);
        Assert.Equal(5000ul, attr.Size);
        Assert.Equal(2u, Client.MustGetAttr(Root).Type);
        Assert.Equal(attr.Fsid, Client.MustGetAttr(Root).Fsid);
        Assert.NotEqual(attr.Fileid, Client.MustGetAttr(Root).Fileid);
    }

    [Fact]
    public void Setattr_sets_each_attribute_and_leaves_the_others()
    {
        byte[] file = Client.MustCreate(Root, "file");
        Client.Write(file, 0, "0123456789"u8);
        Attr before = Client.MustGetAttr(file);

        (uint status, Wcc wcc) = Client.SetAttr(file, new Sattr { Mode = 0x124 });
        Assert.Equal(Stat.Ok, status);
        AssertChanged(file, before, wcc);
        Assert.Equal(before with { Mode = 0x124, Ctime = wcc.After!.Ctime }, wcc.After);

        Assert.Equal(Stat.Ok, Client.SetAttr(file, new Sattr { Size = 4 }).Status);
        Assert.Equal(4ul, Client.MustGetAttr(file).Size);
        Assert.Equal(Stat.Ok, Client.SetAttr(file, new Sattr { Size = 8 }).Status);
        Assert.Equal("0123\0\0\0\0"u8, Client.Read(file, 0, 100).Data);

        var past = new Time(1_000_000_000, 5_000);
        Assert.Equal(Stat.Ok, Client.SetAttr(file, new Sattr { Atime = (2, past), Mtime = (2, past with { Seconds = 7 }) }).Status);
        Attr set = Client.MustGetAttr(file);
        Assert.Equal(past, set.Atime);
        Assert.Equal(past with { Seconds = 7 }, set.Mtime);
        Assert.Equal(Stat.Ok, Client.SetAttr(file, new Sattr { Mtime = (1, default) }).Status);
        Assert.True(Client.MustGetAttr(file).Mtime.Seconds > past.Seconds);
        Assert.Equal(past, Client.MustGetAttr(file).Atime);
    }

    [Fact]
    public void Setattr_with_a_guard_that_does_not_match_is_not_done()
    {
        byte[] file = Client.MustCreate(Root, "file", new Sattr { Mode = 0x180 });
        Time ctime = Client.MustGetAttr(file).Ctime;
        (uint status, Wcc wcc) = Client.SetAttr(file, new Sattr { Mode = 0x1ff }, ctime with { Nanoseconds = ctime.Nanoseconds ^ 1 });
        Assert.Equal(Stat.NotSync, status);
        Assert.Equal(0x180u, wcc.After!.Mode);
        Assert.Equal(Stat.Ok, Client.SetAttr(file, new Sattr { Mode = 0x1ff }, ctime).Status);
        Assert.Equal(0x1ffu, Client.MustGetAttr(file).Mode);
    }

    [Fact]
    public void Setattr_of_a_directorys_size_is_invalid()
    {
        (uint status, Wcc wcc) = Client.SetAttr(Root, new Sattr { Size = 0 });
        Assert.Equal(Stat.Inval, status);
        Assert.NotNull(wcc.After);
    }

    [Fact]
    public void Setattr_to_no_time_at_all_is_invalid()
    {
        byte[] file = Client.MustCreate(Root, "file");
        Assert.Equal(Stat.Inval, Client.SetAttr(file, new Sattr { Mtime = (2, new Time(1, 1_000_000_000)) }).Status);
    }

    [Fact]
    public void Setattr_past_what_a_file_can_hold_is_refused()
    {
        byte[] file = Client.MustCreate(Root, "file");
        Assert.Equal(Stat.Inval, Client.SetAttr(file, new Sattr { Size = ulong.MaxValue }).Status);
        Assert.Equal(0ul, Client.MustGetAttr(file).Size);
    }

    [Fact]
    public void Access_of_a_directory_tells_its_attributes()
    {
        (uint status, uint granted, Attr? attr) = Client.Access(Root, 0x1f);
        Assert.Equal((Stat.Ok, 0x1fu, 2u), (status, granted, attr!.Type));
        Assert.Equal(0x01u, Client.Access(Root, 0x01).Access);
        Assert.Equal(0u, Client.Access(Root, 0xffffffc0).Access);
    }
}
