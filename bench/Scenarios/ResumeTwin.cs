using System.Runtime.CompilerServices;

namespace Kworker.Bench.Scenarios;

/// <summary>
/// The least that waking many async methods asks for, and nothing else: what each is to go on with stands in an array, and pool threads call their share of it, one after
/// another. No line, no claim, no token, no time, no result; nothing keeps them from being resumed twice.
/// </summary>
internal sealed class ResumeTwin(int waiters, int threads)
{
    private readonly Action[] _continuations = new Action[waiters];
    private int _count;

    internal Awaitable Wait() => new(this);

    internal void Wake()
    {
        int share = (_count + threads - 1) / threads;
        for (int i = 0; i < threads; i++)
        {
            (int first, int end) = (i * share, Math.Min((i + 1) * share, _count));
            ThreadPool.UnsafeQueueUserWorkItem(_ => Resume(first, end), null);
        }
    }

    private void Resume(int first, int end)
    {
        foreach (Action continuation in _continuations.AsSpan(first..end))
            continuation();
    }

    internal readonly struct Awaitable(ResumeTwin twin) : ICriticalNotifyCompletion
    {
        public bool IsCompleted => false;

        public Awaitable GetAwaiter() => this;

        public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

        public void UnsafeOnCompleted(Action continuation) => twin._continuations[twin._count++] = continuation;

        public void GetResult()
        {
        }
    }
}
