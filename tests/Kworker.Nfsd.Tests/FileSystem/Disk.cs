using System.Diagnostics;

namespace Kworker.Nfsd.Tests.FileSystem;

/// <summary>Mounts for tests: a disk in a file whose power can be cut, a disk that fails, layers.</summary>
internal sealed class Disk : IDisposable
{
    private readonly string _top = Path.Combine(Path.GetTempPath(), $"kworker-disk-{Guid.NewGuid():n}");
    private readonly Stack<string> _mounts = [];
    private string _image = "";

    public Disk() => Directory.CreateDirectory(_top);

    /// <summary>A new ext4 that writes nothing back by itself.</summary>
    public string MountExt4()
    {
        _image = Path.Combine(_top, "image");
        Make(_image, "-J", "size=4");
        return Mount("disk", "-o", "loop,commit=600", _image);
    }

    /// <summary>A new ext4 on a medium that has room for a part of it only: writing back fails, as on a broken disk.</summary>
    public string MountFailing()
    {
        string medium = Mount("medium", "-t", "tmpfs", "-o", "size=6m", "tmpfs");
        string image = Path.Combine(medium, "image");
        Make(image, "-O", "^has_journal");
        return Mount("disk", "-o", "loop,errors=continue", image);
    }

    /// <summary>Directories in layers: a file system without file handles.</summary>
    public string MountOverlay()
    {
        string Layer(string name) => Directory.CreateDirectory(Path.Combine(_top, name)).FullName;
        return Mount("merged", "-t", "overlay", "-o", $"lowerdir={Layer("lower")},upperdir={Layer("upper")},workdir={Layer("work")}", "overlay");
    }

    /// <summary>What the disk of <see cref="MountExt4"/> would hold if the power failed now, shown to <paramref name="look"/> after the recovery that a mount does.</summary>
    public void AfterPowerCut(Action<string> look)
    {
        // The image holds what the disk was told to write; what is in memory only is not in it.
        string copy = Path.Combine(_top, "copy");
        Run("cp", "--sparse=always", _image, copy);
        string mounted = Mount("recovered", "-o", "loop", copy);
        try
        {
            look(mounted);
        }
        finally
        {
            Run("umount", _mounts.Pop());
        }
    }

    private static void Make(string image, params string[] options)
    {
        using (FileStream file = File.Create(image))
            file.SetLength(64 << 20);
        Run("mkfs.ext4", ["-q", "-F", "-E", "lazy_itable_init=1,lazy_journal_init=1", .. options, image]);
    }

    private string Mount(string name, params string[] arguments)
    {
        string place = Directory.CreateDirectory(Path.Combine(_top, name)).FullName;
        Run("mount", [.. arguments, place]);
        _mounts.Push(place);
        return place;
    }

    private static void Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardError = true };
        try
        {
            using Process process = Process.Start(start)!;
            string error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != 0)
                Assert.Skip($"This machine does not let tests make disks: {program} {string.Join(' ', arguments)}: {error.Trim()}");
        }
        catch (System.ComponentModel.Win32Exception absent)
        {
            Assert.Skip($"This machine has no {program}: {absent.Message}");
        }
    }

    public void Dispose()
    {
        while (_mounts.TryPop(out string? mount))
            Process.Start("umount", ["-l", mount])!.WaitForExit();
        Directory.Delete(_top, recursive: true);
    }
}
