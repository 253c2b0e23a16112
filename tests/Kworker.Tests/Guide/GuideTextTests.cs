namespace Kworker.Tests.Guide;

public sealed class GuideTextTests
{
    [Fact]
    public void Each_piece_of_code_in_the_guide_is_one_that_is_run() => GuideText.Check("Kworker.Tests", "guide.md", "tracing.md");
}
