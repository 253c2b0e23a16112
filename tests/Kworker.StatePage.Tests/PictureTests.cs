namespace Kworker.StatePage.Tests;

/// <summary>
/// Makes the pictures of the README and of the guide to operation, by hand: <c>KWORKER_PICTURES=docs/images dotnet run --project tests/Kworker.StatePage.Tests -- -class "*PictureTests"</c>.
/// </summary>
public sealed class PictureTests(Chromium browser)
{
    private const int Looks = 70;

    [Fact]
    [Trait("Run", "full")]
    public async Task A_program_at_work()
    {
        string folder = Environment.GetEnvironmentVariable("KWORKER_PICTURES") ?? Directory.CreateTempSubdirectory("pictures-").FullName;
        await using Site site = await Site.StartAsync(static options => options.Title = "post office");
        await using var office = new PostOffice(site.System);
        await using BrowserPage page = await browser.OpenAsync();
        await page.GoToAsync(site.Address);
        await page.WaitForAsync($"Number(document.documentElement.dataset.updates) > {Looks}");
        await page.SizeAsync(1180, 1000, 1.25);
        foreach (string colors in new[] { "light", "dark" })
        {
            await page.PreferAsync(colors);
            await page.WaitForUpdateAsync();
            await File.WriteAllBytesAsync(Path.Combine(folder, $"state-page-{colors}.png"), await page.PictureAsync());
            await page.EvaluateAsync<bool>("(document.getElementById('timers').scrollIntoView(), true)");
            await page.WaitForUpdateAsync();
            await File.WriteAllBytesAsync(Path.Combine(folder, $"state-page-{colors}-below.png"), await page.PictureAsync());
            await page.EvaluateAsync<bool>("(scrollTo(0, 0), true)");
        }

        await page.SizeAsync(390, 844, 2, isPhone: true);
        await page.WaitForUpdateAsync();
        await File.WriteAllBytesAsync(Path.Combine(folder, "state-page-phone.png"), await page.PictureAsync());
        Assert.Empty(page.Complaints);
    }
}
