using System.Runtime.InteropServices;

namespace Kworker.Interop.Peers;

/// <summary>What systemd makes of <c>SystemCallFilter=</c> and <c>RestrictAddressFamilies=</c>, by the same library: a filter that answers EPERM to all else.</summary>
internal static partial class SystemCallFilter
{
    private const string Library = "libseccomp.so.2";
    private const uint Allow = 0x7fff0000; // SCMP_ACT_ALLOW
    private const uint NotPermitted = 0x00050000 | 1; // SCMP_ACT_ERRNO(EPERM)
    private const int IsEqual = 4; // SCMP_CMP_EQ

    private static readonly Dictionary<string, ulong> s_families = new() { ["AF_UNIX"] = 1, ["AF_INET"] = 2, ["AF_INET6"] = 10, ["AF_NETLINK"] = 16 };

    /// <summary>Writes the filter of a unit to a file, as bubblewrap and the kernel take it.</summary>
    public static void Write(ServiceUnit unit, string path)
    {
        var context = Init(NotPermitted);
        var socket = Resolve("socket");
        foreach (var call in unit.Words("SystemCallFilter").SelectMany(Expand).Distinct())
        {
            // Of another architecture, or newer than the library: negative.
            if (Resolve(call) is var number and >= 0 && number != socket)
                Assert.Equal(0, AddRule(context, Allow, number, 0, null));
        }

        foreach (var family in unit.Words("RestrictAddressFamilies"))
            Assert.Equal(0, AddRule(context, Allow, socket, 1, [new Comparison { Argument = 0, Operator = IsEqual, Value = s_families[family] }]));

        using (var file = File.Create(path))
            Assert.Equal(0, Export(context, (int)file.SafeFileHandle.DangerousGetHandle()));
        Release(context);
    }

    private static IEnumerable<string> Expand(string word)
    {
        if (word[0] != '@')
            return [word];
        var lines = Command.Run(Machine.NeedCommand("systemd-analyze", "systemd"), ["syscall-filter", word]).Succeeds().Output.Split('\n');
        return lines.Skip(1).Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#').SelectMany(Expand);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Comparison
    {
        public uint Argument;
        public int Operator;
        public ulong Value;
        public ulong Second;
    }

    [LibraryImport(Library, EntryPoint = "seccomp_init")]
    private static partial nint Init(uint otherwise);

    [LibraryImport(Library, EntryPoint = "seccomp_release")]
    private static partial void Release(nint context);

    [LibraryImport(Library, EntryPoint = "seccomp_syscall_resolve_name", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Resolve(string name);

    [LibraryImport(Library, EntryPoint = "seccomp_rule_add_array")]
    private static partial int AddRule(nint context, uint action, int call, uint count, Comparison[]? comparisons);

    [LibraryImport(Library, EntryPoint = "seccomp_export_bpf")]
    private static partial int Export(nint context, int descriptor);
}
