using System.Runtime.InteropServices;
using System.Text;

namespace Kworker;

/// <summary>Path, argv and envp of one helper in the form that an exec takes: null-terminated bytes, in one block of native memory.</summary>
/// <remarks>Encoded as strict UTF-8: a string that is no text would otherwise reach the helper changed.</remarks>
internal sealed unsafe class HelperArguments : IDisposable
{
    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private byte* _block;

    internal HelperArguments(string path, IReadOnlyList<string> argv, IReadOnlyList<string> envp)
    {
        path = FromRoot(path);
        long size = (argv.Count + envp.Count + 2) * sizeof(byte*) + Size(path);
        foreach (string argument in argv)
            size += Size(argument);
        foreach (string variable in envp)
            size += Size(variable);

        _block = (byte*)NativeMemory.Alloc(checked((nuint)size));
        Argv = (byte**)_block;
        Envp = Argv + argv.Count + 1;
        byte* next = (byte*)(Envp + envp.Count + 1);
        byte* end = _block + size;

        Path = Copy(path, ref next, end);
        for (int i = 0; i < argv.Count; i++)
            Argv[i] = Copy(argv[i], ref next, end);
        Argv[argv.Count] = null;
        for (int i = 0; i < envp.Count; i++)
            Envp[i] = Copy(envp[i], ref next, end);
        Envp[envp.Count] = null;
    }

    internal byte* Path { get; }

    internal byte** Argv { get; }

    internal byte** Envp { get; }

    /// <summary>A relative path starts at "/", wherever the program does.</summary>
    internal static string FromRoot(string path) => path.StartsWith('/') ? path : "/" + path;

    /// <summary>Throws where a string cannot be handed to a program unchanged.</summary>
    internal static void Validate(string text, string parameterName)
    {
        ArgumentNullException.ThrowIfNull(text, parameterName);
        if (text.Contains('\0'))
            throw new ArgumentException($"'{text.Replace("\0", "\\0")}' holds a null character, where the kernel would cut it.", parameterName);
        try
        {
            s_strict.GetByteCount(text);
        }
        catch (EncoderFallbackException e)
        {
            throw new ArgumentException($"A string of {text.Length} characters has no UTF-8 form: {e.Message}", parameterName, e);
        }
    }

    public void Dispose()
    {
        NativeMemory.Free(_block);
        _block = null;
    }

    private static int Size(string text) => s_strict.GetByteCount(text) + 1;

    private static byte* Copy(string text, ref byte* next, byte* end)
    {
        byte* start = next;
        int length = s_strict.GetBytes(text, new Span<byte>(start, checked((int)(end - start))));
        start[length] = 0;
        next = start + length + 1;
        return start;
    }
}
