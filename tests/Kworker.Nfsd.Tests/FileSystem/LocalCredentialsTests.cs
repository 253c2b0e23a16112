using System.Runtime.InteropServices;
using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.FileSystem.Local;

namespace Kworker.Nfsd.Tests.FileSystem;

/// <summary>Who may do what, with root as the server (the kernel checks) and without (the server checks mode bits).</summary>
public sealed partial class LocalCredentialsTests
{
    private static readonly NfsCredentials s_owner = new(1000, 1000, 1000, 50);
    private static readonly NfsCredentials s_member = new(1001, 1001, 1000);
    private static readonly NfsCredentials s_other = new(1002, 1002);

    public static TheoryData<bool> BothChecks => [true, false];

    /// <summary>Both ways as root; the second is what a server that is not root does.</summary>
    private static Served Serve(bool byKernel)
    {
        Assert.SkipUnless(Served.IsRoot, Served.NeedsRoot);
        var served = new Served(new LocalFileSystemOptions { IsAsync = true, MayImpersonate = byKernel });
        Assert.Equal(byKernel, served.Fs.IsImpersonating);
        return served;
    }

    private static NfsHandle CreateFor(Served served, string name, uint mode, NfsCredentials owner)
    {
        NfsHandle file = served.Create(name);
        Assert.Equal(NfsStatus.Ok, served.Set(file, new NfsAttributeChanges { Uid = owner.Uid, Gid = owner.Gid, Mode = mode }));
        return file;
    }

    [Theory, MemberData(nameof(BothChecks))]
    public void Reading_and_writing_go_by_owner_group_and_other(bool byKernel)
    {
        using Served served = Serve(byKernel);
        NfsHandle file = CreateFor(served, "file", 0x1a0 /* 0640 */, s_owner);
        Assert.Equal(NfsStatus.Ok, served.Write(file, "text", caller: s_owner));
        Assert.Equal(NfsStatus.Acces, served.Write(file, "text", caller: s_member));
        Assert.Equal("text", served.Read(file, s_member));
        Assert.Equal(NfsStatus.Acces, served.TryRead(file, out _, s_other));
        Assert.Equal("text", served.Read(file, NfsCredentials.Root));
        Assert.Equal(NfsStatus.Acces, served.TryRead(file, out _, NfsCredentials.Nobody));
        Assert.Equal(NfsStatus.Acces, served.Fs.Commit(s_member, file, 0, 0, out _, out _));
        Assert.Equal(NfsStatus.Acces, served.Set(file, new NfsAttributeChanges { Size = 0 }, s_member));
    }

    [Theory, MemberData(nameof(BothChecks))]
    public void The_owner_reads_and_writes_whatever_the_mode_and_what_runs_can_be_read(bool byKernel)
    {
        using Served served = Serve(byKernel);
        NfsHandle file = CreateFor(served, "file", 0, s_owner);
        Assert.Equal(NfsStatus.Ok, served.Write(file, "text", caller: s_owner));
        Assert.Equal("text", served.Read(file, s_owner));
        Assert.Equal(NfsStatus.Acces, served.TryRead(file, out _, s_other));
        Assert.Equal(NfsStatus.Ok, served.Set(file, new NfsAttributeChanges { Mode = 0x49 /* 0111 */ }));
        Assert.Equal("text", served.Read(file, s_other));
        Assert.Equal(NfsStatus.Acces, served.Write(file, "x", caller: s_other));
    }

    [Theory, MemberData(nameof(BothChecks))]
    public void Access_says_what_would_be_allowed(bool byKernel)
    {
        using Served served = Serve(byKernel);
        const NfsAccess all = NfsAccess.Read | NfsAccess.Lookup | NfsAccess.Modify | NfsAccess.Extend | NfsAccess.Delete | NfsAccess.Execute;
        NfsHandle file = CreateFor(served, "file", 0x1e8 /* 0750 */, s_owner);
        NfsHandle directory = served.MakeDirectory("directory", 0x1e9 /* 0751 */);
        Assert.Equal(NfsStatus.Ok, served.Set(directory, new NfsAttributeChanges { Uid = 1000, Gid = 1000 }));
        NfsAccess Of(NfsHandle handle, NfsCredentials caller)
        {
            Assert.Equal(NfsStatus.Ok, served.Fs.Access(caller, handle, all, out NfsAccess granted, out _));
            return granted;
        }
        Assert.Equal(NfsAccess.Read | NfsAccess.Modify | NfsAccess.Extend | NfsAccess.Execute, Of(file, s_owner));
        Assert.Equal(NfsAccess.Read | NfsAccess.Execute, Of(file, s_member));
        Assert.Equal(NfsAccess.None, Of(file, s_other));
        Assert.Equal(all & ~NfsAccess.Execute, Of(directory, s_owner));
        Assert.Equal(NfsAccess.Read | NfsAccess.Lookup, Of(directory, s_member));
        Assert.Equal(NfsAccess.Lookup, Of(directory, s_other));
    }

    [Theory, MemberData(nameof(BothChecks))]
    public void Directories_are_searched_changed_and_listed_by_their_mode(bool byKernel)
    {
        using Served served = Serve(byKernel);
        NfsHandle directory = served.MakeDirectory("directory", 0x1c0 /* 0700 */);
        served.Fs.Create(NfsCredentials.Root, directory, "file"u8, NfsCreateHow.Guarded(new NfsAttributeChanges { Mode = 0x1b6 }), out NfsFile file, out _);
        Assert.Equal(NfsStatus.Ok, served.Set(directory, new NfsAttributeChanges { Uid = 1000, Gid = 1000 }));
        Assert.Equal(NfsStatus.Ok, served.TryLookup(directory, "file"u8, out _, s_owner));
        Assert.Equal(NfsStatus.Acces, served.TryLookup(directory, "file"u8, out _, s_other));
        Assert.Equal(NfsStatus.Acces, served.Fs.Create(s_other, directory, "new"u8, NfsCreateHow.Guarded(), out _, out _));
        Assert.Equal(NfsStatus.Acces, served.Fs.Remove(s_other, directory, "file"u8, out _));
        Assert.Equal(NfsStatus.Acces, served.Fs.Rename(s_other, directory, "file"u8, served.Root, "mine"u8, out _, out _));
        Assert.Equal(NfsStatus.Acces, served.Fs.Link(s_other, file.Handle, directory, "mine"u8, out _, out _));
        Assert.Equal(NfsStatus.Acces, served.Fs.ReadDirectory(s_other, directory, 0, 0, false, new Listing(9), out _));
        Assert.Equal(NfsStatus.Ok, served.Fs.ReadDirectory(s_owner, directory, 0, 0, true, new Listing(9), out _));

        // Readable, not searchable: names can be listed, files not be seen.
        Assert.Equal(NfsStatus.Ok, served.Set(directory, new NfsAttributeChanges { Mode = 0x1c4 /* 0704 */ }));
        var listing = new Listing(9);
        Assert.Equal(NfsStatus.Ok, served.Fs.ReadDirectory(s_other, directory, 0, 0, true, listing, out _));
        Assert.Equal(3, listing.Entries.Count);
        Assert.All(listing.Entries, entry => Assert.Null(entry.File));
    }

    [Theory, MemberData(nameof(BothChecks))]
    public void The_sticky_bit_keeps_others_files(bool byKernel)
    {
        using Served served = Serve(byKernel);
        NfsHandle directory = served.MakeDirectory("tmp", 0x3ff /* 01777 */);
        Assert.Equal(NfsStatus.Ok, served.Fs.Create(NfsCredentials.Root, directory, "file"u8, NfsCreateHow.Guarded(), out NfsFile file, out _));
        Assert.Equal(NfsStatus.Ok, served.Set(file.Handle, new NfsAttributeChanges { Uid = 1000 }));
        Assert.Equal(NfsStatus.Perm, served.Fs.Remove(s_other, directory, "file"u8, out _));
        Assert.Equal(NfsStatus.Perm, served.Fs.Rename(s_other, directory, "file"u8, directory, "mine"u8, out _, out _));
        Assert.Equal(NfsStatus.Ok, served.Fs.Rename(s_owner, directory, "file"u8, directory, "mine"u8, out _, out _));
        Assert.Equal(NfsStatus.Ok, served.Fs.Remove(s_owner, directory, "mine"u8, out _));
    }

    [Theory, MemberData(nameof(BothChecks))]
    public void What_is_the_owners_is_refused_to_others(bool byKernel)
    {
        using Served served = Serve(byKernel);
        NfsHandle file = CreateFor(served, "file", 0x1b6 /* 0666 */, s_owner);
        Assert.Equal(NfsStatus.Perm, served.Set(file, new NfsAttributeChanges { Mode = 0x1ff }, s_other));
        Assert.Equal(NfsStatus.Perm, served.Set(file, new NfsAttributeChanges { Uid = 1002 }, s_other));
        Assert.Equal(NfsStatus.Perm, served.Set(file, new NfsAttributeChanges { Uid = 1002 }, s_owner));
        Assert.Equal(NfsStatus.Perm, served.Set(file, new NfsAttributeChanges { Gid = 77 }, s_owner));
        Assert.Equal(NfsStatus.Ok, served.Set(file, new NfsAttributeChanges { Gid = 50 }, s_owner));
        Assert.Equal(NfsStatus.Perm, served.Set(file, new NfsAttributeChanges { ModifyTime = NfsTimeChange.To(new NfsTime(1, 0)) }, s_other));
        Assert.Equal(NfsStatus.Ok, served.Set(
            file, new NfsAttributeChanges { ModifyTime = NfsTimeChange.Now, AccessTime = NfsTimeChange.Now }, s_other));
        Assert.Equal(NfsStatus.Ok, served.Set(file, new NfsAttributeChanges { Mode = 0x180 }, s_owner));
    }

    [Fact]
    public void New_files_belong_to_whoever_made_them()
    {
        using Served served = Serve(byKernel: true);
        NfsAttributes file = served.Attributes(served.Create("file", caller: s_owner));
        Assert.Equal((1000u, 1000u), (file.Uid, file.Gid));
        NfsHandle directory = served.MakeDirectory("directory", caller: s_owner);
        Assert.Equal(1000u, served.Attributes(directory).Uid);

        // A directory with the set-gid bit hands its group down.
        Assert.Equal(NfsStatus.Ok, served.Set(directory, new NfsAttributeChanges { Gid = 77 }));
        Assert.Equal(NfsStatus.Ok, served.Set(directory, new NfsAttributeChanges { Mode = 0x5ff }));
        Assert.Equal(NfsStatus.Ok, served.Fs.MakeDirectory(s_owner, directory, "below"u8, new NfsAttributeChanges { Mode = 0x1ed }, out NfsFile below, out _));
        Assert.Equal((77u, 0x5edu), (below.Attributes!.Value.Gid, below.Attributes.Value.Mode));

        // Clients may send ids along that only root may set; the file is the caller's all the same.
        Assert.Equal(NfsStatus.Ok, served.Fs.Create(
            s_owner, served.Root, "sent"u8, NfsCreateHow.Guarded(new NfsAttributeChanges { Mode = 0x180, Uid = 0, Gid = 77 }), out NfsFile sent, out _));
        Assert.Equal((1000u, 1000u), (sent.Attributes!.Value.Uid, sent.Attributes.Value.Gid));
    }

    [Fact]
    public void Writing_and_giving_away_take_the_set_id_bits()
    {
        using Served served = Serve(byKernel: true);
        NfsHandle file = CreateFor(served, "file", 0x9ff /* 04777 */, s_owner);
        Assert.Equal(0x9ffu, served.Attributes(file).Mode);
        Assert.Equal(NfsStatus.Ok, served.Write(file, "x", caller: s_other));
        Assert.Equal(0x1ffu, served.Attributes(file).Mode);

        Assert.Equal(NfsStatus.Ok, served.Set(file, new NfsAttributeChanges { Mode = 0x9ff }, s_owner));
        Assert.Equal(NfsStatus.Ok, served.Set(file, new NfsAttributeChanges { Uid = 1001 }));
        Assert.Equal(0x1ffu, served.Attributes(file).Mode);

        // A set-gid bit for a group that the owner is not in does not stay.
        Assert.Equal(NfsStatus.Ok, served.Set(file, new NfsAttributeChanges { Uid = 1000, Gid = 77 }));
        Assert.Equal(NfsStatus.Ok, served.Set(file, new NfsAttributeChanges { Mode = 0x5ff }, s_owner));
        Assert.Equal(0x1ffu, served.Attributes(file).Mode);
    }

    [Fact]
    public void A_user_that_cannot_be_gets_nothing()
    {
        using Served served = Serve(byKernel: true);
        NfsHandle file = CreateFor(served, "file", 0x1b6, s_owner);
        var impossible = new NfsCredentials(uint.MaxValue, uint.MaxValue);
        Assert.Equal(NfsStatus.Acces, served.TryRead(file, out _, impossible));
        Assert.Equal(NfsStatus.Acces, served.Fs.Create(impossible, served.Root, "x"u8, NfsCreateHow.Guarded(), out _, out _));
        Assert.Equal(Status(), s_statusOfServer.Value);
    }

    private static readonly Lazy<string> s_statusOfServer = new(() =>
    {
        string result = "";
        var fresh = new Thread(() => result = Status());
        fresh.Start();
        fresh.Join();
        return result;
    });

    /// <summary>Who this thread is to the kernel.</summary>
    private static string Status() => string.Join('\n', File.ReadLines("/proc/thread-self/status").Where(line =>
        line.StartsWith("Uid:", StringComparison.Ordinal) || line.StartsWith("Gid:", StringComparison.Ordinal)
        || line.StartsWith("Groups:", StringComparison.Ordinal) || line.StartsWith("CapEff:", StringComparison.Ordinal)));

    private sealed class Fails : INfsDirectoryVisitor
    {
        public bool Visit(in NfsDirectoryEntry entry) => throw new InvalidOperationException("A fault in the protocol layer.");
    }

    [Fact]
    public void Credentials_leak_neither_to_the_next_call_nor_to_other_threads()
    {
        using Served served = Serve(byKernel: true);
        var threads = new List<Thread>();
        var faults = new System.Collections.Concurrent.ConcurrentQueue<string>();
        using var start = new Barrier(8);
        for (uint i = 0; i < 8; i++)
        {
            var caller = new NfsCredentials(2000 + i, 3000 + i, 4000 + i, 5000);
            var thread = new Thread(() =>
            {
                start.SignalAndWait();
                for (int round = 0; round < 200; round++)
                {
                    string name = $"{caller.Uid}-{round}";
                    NfsAttributes made = served.Attributes(served.Create(name, 0x180, caller));
                    if (made.Uid != caller.Uid || made.Gid != caller.Gid)
                        faults.Enqueue($"{name} belongs to {made.Uid}:{made.Gid}");
                    if (served.TryLookup(served.Root, "missing"u8, out _, caller) != NfsStatus.NoEnt)
                        faults.Enqueue("found what is not there");
                    Assert.Throws<InvalidOperationException>(() => served.Fs.ReadDirectory(caller, served.Root, 0, 0, true, new Fails(), out _));
                    if (Status() != s_statusOfServer.Value)
                        faults.Enqueue($"thread of {caller.Uid} is now\n{Status()}");
                }
            });
            threads.Add(thread);
        }
        _ = s_statusOfServer.Value;
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.Empty(faults);
        Assert.Equal(s_statusOfServer.Value, Status());
    }

    [Fact]
    public void A_thread_that_was_made_under_a_clients_credentials_does_not_keep_them()
    {
        using Served served = Serve(byKernel: true);
        NfsAttributes made = default;
        string status = "";
        var maker = new Thread(() =>
        {
            Libc.SetThreadGroups([77]);
            Libc.SetThreadFsGid(1234);
            Libc.SetThreadFsUid(1234);
            var heir = new Thread(() =>
            {
                made = served.Attributes(served.Create("file"));
                status = Status();
            });
            heir.Start();
            heir.Join();
        });
        maker.Start();
        maker.Join();
        Assert.Equal((0u, 0u), (made.Uid, made.Gid));
        Assert.Equal(s_statusOfServer.Value, status);
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SetThreadIds(nint number, nint real, nint effective, nint saved);

    /// <summary>Runs on a thread that is no longer root's; the rest of the process stays what it is.</summary>
    private static void AsUser(uint id, Action action)
    {
        bool isX64 = RuntimeInformation.ProcessArchitecture == Architecture.X64;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Assert.Equal(0, Libc.SetThreadGroups([]));
                Assert.Equal(0, SetThreadIds(isX64 ? 119 : 149, (nint)id, (nint)id, (nint)id));
                Assert.Equal(0, SetThreadIds(isX64 ? 117 : 147, (nint)id, (nint)id, (nint)id));
                action();
            }
            catch (Exception error)
            {
                failure = error; // Thrown again below, on the test's own thread.
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null)
            throw new InvalidOperationException($"As user {id}: {failure.Message}", failure);
    }

    [Fact]
    public void A_server_that_is_not_root_serves_its_own_files_honestly()
    {
        Assert.SkipUnless(Served.IsRoot, "Only root can start a thread of another user; a run that is not root's is what this test is about, all of it.");
        AsUser(1000, () =>
        {
            using var served = new Served(new LocalFileSystemOptions());
            Assert.False(served.Fs.IsImpersonating);
            Assert.False(served.Fs.IsOpeningByHandle);

            // As git does: created read-only, then written; the owner may, also after a restart.
            NfsHandle file = served.Create("object", 0x124 /* 0444 */, s_owner);
            Assert.Equal(NfsStatus.Ok, served.Write(file, "content", caller: s_owner));
            served.Restart();
            Assert.Equal(NfsStatus.Ok, served.Write(file, "C", caller: s_owner));
            Assert.Equal("Content", served.Read(file, s_other));
            Assert.Equal(0x124u, served.Attributes(file).Mode);

            Assert.Equal(NfsStatus.Ok, served.Set(file, new NfsAttributeChanges { Mode = 0x180 }, s_owner));
            Assert.Equal(NfsStatus.Acces, served.TryRead(file, out _, s_other));
            Assert.Equal("Content", served.Read(file, NfsCredentials.Root));
            Assert.Equal(NfsStatus.Perm, served.Set(file, new NfsAttributeChanges { Uid = 0 }, s_owner));
            Assert.Equal(NfsStatus.Ok, served.Fs.MakeSymbolicLink(s_owner, served.Root, "link"u8, "object"u8, default, out NfsFile link, out _));
            Assert.Equal(NfsStatus.Ok, served.Set(link.Handle, new NfsAttributeChanges { ModifyTime = NfsTimeChange.To(new NfsTime(7, 0)) }, s_owner));
            Assert.Equal(NfsStatus.Ok, served.Fs.Link(s_owner, file, served.Root, "second"u8, out _, out _));
            Assert.Equal(NfsStatus.Ok, served.Fs.Remove(s_owner, served.Root, "object"u8, out _));
            served.Restart();
            Assert.Equal("Content", served.Read(file, s_owner));
        });
    }
}
