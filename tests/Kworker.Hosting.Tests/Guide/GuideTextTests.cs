using Kworker.Tests.Guide;

namespace Kworker.Hosting.Tests.Guide;

public sealed class GuideTextTests
{
    [Fact]
    public void Each_piece_of_code_in_the_document_is_one_that_is_run() => GuideText.Check("Kworker.Hosting.Tests", "hosting.md");
}
