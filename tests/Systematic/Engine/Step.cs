namespace Kworker.Systematic;

/// <summary>What a thread is about to do where the scheduler chooses.</summary>
internal enum Step
{
    Begin,
    CompareExchange,
    Exchange,
    Or,
    And,
    Increment,
    Read,
    Write,
    Fence,
    Spin,
    Start,
    Park,
    Sleep,
    Unpark,
    Cancel,
    User,
}
