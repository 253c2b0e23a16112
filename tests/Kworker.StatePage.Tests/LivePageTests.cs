using System.Globalization;

namespace Kworker.StatePage.Tests;

/// <summary>The page in a real browser, as its readers use it.</summary>
public sealed class LivePageTests(Chromium browser)
{
    private const string Cell = "(table, row, column) => document.querySelector(`#${table} tr[data-key='${row}']`)?.cells[column]?.textContent";

    [Fact]
    public async Task Values_change_while_one_looks_without_the_page_being_loaded_again()
    {
        await using Site site = await Site.StartAsync();
        await using var scene = new Scene(site.System);
        Workqueue mail = scene.Queue("mail", new() { MaxActive = 1 });
        await using BrowserPage page = await OpenAsync(site);
        await page.EvaluateAsync<bool>("window.sameAsBefore = true");
        await WaitForCell(page, "queues-all", "mail", 1, "idle");

        scene.Run(mail, 1);
        scene.Wait(mail, 3);
        await WaitForCell(page, "queues-all", "mail", 1, "full");
        await WaitForCell(page, "queues-all", "mail", 2, "1");
        await WaitForCell(page, "queues-all", "mail", 3, "3");
        await page.WaitForAsync("[...document.querySelectorAll('#workers td')].some(cell => cell.textContent === 'blocked')");
        await page.WaitForAsync("document.querySelector('#items-all tbody').textContent.includes('Scene.Run')");
        scene.End();
        await WaitForCell(page, "queues-all", "mail", 1, "idle");
        await page.WaitForAsync("document.querySelector('#items-all tbody').textContent.includes('No item is queued')");
        // What ran while the page was open was measured.
        await page.WaitForAsync("document.querySelector(\"#queues-all tr[data-key='mail']\").cells[9].textContent !== ''");
        Assert.True(await page.EvaluateAsync<bool>("window.sameAsBefore"));
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task A_column_is_sorted_by_its_heading_and_stays_so()
    {
        await using Site site = await Site.StartAsync();
        await using var scene = new Scene(site.System);
        Workqueue few = scene.Queue("few", new() { MaxActive = 1 });
        Workqueue many = scene.Queue("many", new() { MaxActive = 1 });
        scene.Queue("none");
        scene.Run(few, 1);
        scene.Run(many, 1);
        scene.Wait(few, 2);
        scene.Wait(many, 12);
        await using BrowserPage page = await OpenAsync(site);

        await page.EvaluateAsync<bool>(Button("queues-all", 3, "click()"));
        Assert.Equal("many few none", await Order(page));
        Assert.Equal("descending", await page.EvaluateAsync<string>("document.querySelector('#queues-all th:nth-child(4)').ariaSort"));
        scene.Wait(few, 20);
        await page.WaitForAsync($"{OrderScript} === 'few many none'");
        // The keyboard does it, too; the other way round, and the button keeps the focus while the page changes.
        await page.EvaluateAsync<bool>(Button("queues-all", 3, "focus()"));
        await page.PressAsync("Enter");
        Assert.Equal("none many few", await Order(page));
        await page.WaitForUpdateAsync();
        Assert.Equal("Waiting", await page.EvaluateAsync<string>("document.activeElement.textContent"));
        await page.EvaluateAsync<bool>(Button("queues-all", 0, "click()"));
        Assert.Equal("few many none", await Order(page));
        Assert.Equal(1, await page.EvaluateAsync<int>("document.querySelectorAll('#queues-all th[aria-sort]').length"));
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task Keys_filter_step_pause_and_explain()
    {
        await using Site site = await Site.StartAsync();
        await using var scene = new Scene(site.System);
        scene.Queue("mail");
        scene.Queue("disk");
        await using BrowserPage page = await OpenAsync(site);

        await page.PressAsync("/");
        Assert.Equal("filter", await page.EvaluateAsync<string>("document.activeElement.id"));
        await page.PressAsync("m");
        await page.PressAsync("a");
        await page.WaitForAsync("document.querySelector(\"#queues-all tr[data-key='disk']\").hidden && !document.querySelector(\"#queues-all tr[data-key='mail']\").hidden");
        await page.WaitForUpdateAsync();
        Assert.True(await page.EvaluateAsync<bool>("document.querySelector(\"#queues-all tr[data-key='disk']\").hidden"));
        await page.PressAsync("Escape");
        await page.WaitForAsync("!document.querySelector(\"#queues-all tr[data-key='disk']\").hidden");

        await page.PressAsync("j");
        Assert.Equal("queues-title", await page.EvaluateAsync<string>("document.activeElement.id"));
        await page.PressAsync("j");
        Assert.Equal("items-title", await page.EvaluateAsync<string>("document.activeElement.id"));
        await page.PressAsync("k");
        Assert.Equal("queues-title", await page.EvaluateAsync<string>("document.activeElement.id"));

        await page.PressAsync("p");
        Assert.Equal("paused", await page.EvaluateAsync<string>("document.getElementById('live').textContent"));
        Assert.Equal("true", await page.EvaluateAsync<string>("document.getElementById('pause').ariaPressed"));
        await page.PressAsync("p");
        await page.WaitForAsync("document.getElementById('live').textContent === 'live'");

        await page.PressAsync("?");
        Assert.True(await page.EvaluateAsync<bool>("document.getElementById('help').open"));
        await page.PressAsync("Escape");
        await page.WaitForAsync("!document.getElementById('help').open");
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task A_system_that_does_nothing_says_so_in_each_table()
    {
        await using Site site = await Site.StartAsync();
        await using BrowserPage page = await OpenAsync(site);
        string[] empty = await page.EvaluateAsync<string[]>("[...document.querySelectorAll('tr.empty')].map(row => row.textContent)");
        Assert.Contains("No workqueue has been made.", empty);
        Assert.Contains("No timer is armed.", empty);
        Assert.Contains("Nothing has gone on for too long.", empty);
        Assert.All(empty, static text => Assert.NotEqual("None.", text));
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task Ten_thousand_of_everything_are_counted_all_and_shown_as_far_as_asked_for()
    {
        const int Many = 10_000;
        StateSection section = new("clients", "Clients")
        {
            Tables = [new("clients-all", "Clients", [new("Name"), new("Calls", true)], [.. Enumerable.Range(0, Many).Select(static i => new StateRow($"{i}", [$"client {i:00000}", StateCell.Number(i)]))])],
        };
        await using Site site = await Site.StartAsync(options =>
        {
            options.Sections.Add(() => [section]);
            options.Interval = TimeSpan.FromSeconds(1);
        });
        await using var scene = new Scene(site.System);
        Workqueue mail = scene.Queue("mail", new() { MaxActive = 1 });
        scene.Run(mail, 1);
        scene.Wait(mail, Many);
        for (int i = 0; i < Many; i++)
            scene.Delay(mail, TimeSpan.FromHours(1) + TimeSpan.FromSeconds(i));
        await using BrowserPage page = await OpenAsync(site);
        Assert.Equal("10,000", await page.EvaluateAsync<string>($"({Cell})('queues-all', 'mail', 3)"));
        Assert.Equal("2,000 or more", await page.EvaluateAsync<string>($"({Cell})('queues-all', 'mail', 5)"));
        Assert.Equal(200, await page.EvaluateAsync<int>("document.querySelectorAll('#clients-all tbody tr').length"));
        Assert.Equal("The first 200 of 10,000 are shown. Show more", await page.EvaluateAsync<string>("document.querySelector('#clients .more').textContent"));

        await page.GoToAsync($"{site.Address}?rows=10000");
        await page.WaitForUpdateAsync();
        Assert.Equal(Many, await page.EvaluateAsync<int>("document.querySelectorAll('#clients-all tbody tr').length"));
        await page.EvaluateAsync<bool>(Button("clients-all", 1, "click()"));
        Assert.Equal("client 09999", await page.EvaluateAsync<string>("document.querySelector('#clients-all tbody th').textContent"));
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task Without_scripts_it_is_a_plain_page_of_tables_that_comes_anew_by_itself()
    {
        await using Site site = await Site.StartAsync();
        await using var scene = new Scene(site.System);
        Workqueue mail = scene.Queue("mail", new() { MaxActive = 1 });
        scene.Run(mail, 1);
        scene.Wait(mail, 3);
        await using BrowserPage page = await browser.OpenAsync();
        await page.CallAsync("Emulation.setScriptExecutionDisabled", new() { ["value"] = true });
        await page.GoToAsync(site.Address);
        Assert.Equal("3", await page.EvaluateAsync<string>($"({Cell})('queues-all', 'mail', 3)"));
        Assert.True(await page.EvaluateAsync<bool>("document.getElementById('controls').hidden"));
        Assert.Equal(0, await page.EvaluateAsync<int>("document.querySelectorAll('th button').length"));
        Assert.Equal("5", await page.EvaluateAsync<string>("document.querySelector('head meta[http-equiv=refresh]').content"));
        Assert.Empty(page.Complaints);
    }

    [Theory]
    [InlineData("light")]
    [InlineData("dark")]
    public async Task Every_text_stands_out_from_its_ground(string colors)
    {
        await using Site site = await Site.StartAsync(static options => options.Sections.Add(static () => [Samples.EveryTone]));
        await using var scene = new Scene(site.System);
        scene.Delay(scene.Queue("mail"), TimeSpan.FromHours(1));
        await using BrowserPage page = await browser.OpenAsync();
        await page.PreferAsync(colors);
        await page.GoToAsync(site.Address);
        await page.WaitForUpdateAsync();
        double ground = await page.EvaluateAsync<double>("(() => { const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number); return r + g + b; })()");
        Assert.True(colors == "dark" ? ground < 150 : ground > 600, string.Create(CultureInfo.InvariantCulture, $"the ground is {ground}"));
        // The ratio of WCAG 2, of each element that has text of its own.
        string[] weak = await page.EvaluateAsync<string[]>("""
            (() => {
              const numbers = color => color.match(/[\d.]+/g).map(Number);
              const light = color => { const [r, g, b] = numbers(color).map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
              const ground = element => { for (; element; element = element.parentElement) { const color = getComputedStyle(element).backgroundColor; if (numbers(color)[3] !== 0) return color; } return 'rgb(255,255,255)'; };
              const weak = [];
              for (const element of document.querySelectorAll('body *')) {
                if (![...element.childNodes].some(node => node.nodeType === 3 && node.nodeValue.trim()) || element.closest('script, noscript, dialog, .skip, .unseen')) continue;
                const style = getComputedStyle(element);
                const [a, b] = [light(element.namespaceURI.includes('svg') ? style.fill : style.color), light(ground(element))].sort((x, y) => y - x);
                const ratio = (a + .05) / (b + .05);
                if (ratio < 4.5) weak.push(`${element.tagName} ${element.className} ${element.textContent.slice(0, 20)}: ${ratio.toFixed(2)}`);
              }
              return weak;
            })()
            """);
        Assert.Empty(weak);
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task On_a_phone_nothing_stands_beyond_the_edge_but_what_tables_scroll()
    {
        await using Site site = await Site.StartAsync(static options => options.Sections.Add(static () => [Samples.EveryTone]));
        await using var scene = new Scene(site.System);
        Workqueue mail = scene.Queue("a-queue-with-a-rather-long-name-as-they-are-sometimes");
        scene.Run(mail, 1);
        scene.Delay(mail, TimeSpan.FromHours(1));
        await using BrowserPage page = await browser.OpenAsync();
        await page.SizeAsync(390, 844, 3, isPhone: true);
        await page.GoToAsync(site.Address);
        await page.WaitForUpdateAsync();
        Assert.Equal(390, await page.EvaluateAsync<int>("Math.max(document.documentElement.scrollWidth, innerWidth)"));
        Assert.Equal(0, await page.EvaluateAsync<int>("[...document.querySelectorAll('body :not(.scroll *, nav *, .skip, .unseen, .unseen *, dialog, dialog *)')].filter(e => e.getBoundingClientRect().right > 391).length"));
        // The name of a row stays in sight while its table is scrolled.
        Assert.InRange(await page.EvaluateAsync<double>("(() => { const scroll = document.querySelector('#queues-all').parentElement; scroll.scrollLeft = 300; return document.querySelector('#queues-all tbody th').getBoundingClientRect().left; })()"), 0, 40);
        Assert.True(await page.EvaluateAsync<double>("parseFloat(getComputedStyle(document.querySelector('#queues-all td')).fontSize)") >= 14);
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task Names_that_clients_choose_are_shown_and_do_nothing()
    {
        string name = Samples.Hostile;
        await using Site site = await Site.StartAsync(options => options.Sections.Add(() => [new StateSection("clients", name)
        {
            Note = name,
            Facts = [new StateFact(name, name)],
            Picture = new StatePicture(name, [new StateBar(name, 1)]),
            Tables = [new("clients-all", name, [new(name)], [new StateRow(name, [new StateCell(name) { Detail = name }]), new StateRow("2", [StateCell.State(name, StateTone.Bad)])]) { Total = 5 }],
        }]));
        await using var scene = new Scene(site.System);
        scene.Queue(name);
        await using BrowserPage page = await OpenAsync(site);
        await page.WaitForUpdateAsync();
        Assert.False(await page.EvaluateAsync<bool>("'stolen' in window"));
        Assert.Equal(0, await page.EvaluateAsync<int>("document.querySelectorAll('img, iframe, main script, base, form[action]').length"));
        string shown = await page.EvaluateAsync<string>("document.querySelector('#clients-all tbody tr:nth-child(2)').textContent");
        Assert.Equal(StateText.Visible(name), shown);
        Assert.Contains("<img src=x onerror=", shown, StringComparison.Ordinal);
        Assert.Contains("\\u{202E}", shown, StringComparison.Ordinal);
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task It_says_when_the_program_has_gone()
    {
        await using Site site = await Site.StartAsync();
        await using BrowserPage page = await OpenAsync(site);
        await site.StopAsync();
        await page.WaitForAsync("document.getElementById('live').textContent === 'connection lost'");
        Assert.Equal("Bad", await page.EvaluateAsync<string>("document.getElementById('live').dataset.tone"));
    }

    [Fact]
    public async Task It_is_built_for_those_who_hear_it()
    {
        await using Site site = await Site.StartAsync();
        await using var scene = new Scene(site.System);
        scene.Queue("mail");
        await using BrowserPage page = await OpenAsync(site);
        foreach (string landmark in new[] { "header h1", "nav[aria-label]", "main#content", "footer", "a.skip[href='#content']", "[role=status]", "html[lang=en]" })
            Assert.Equal(1, await page.EvaluateAsync<int>($"document.querySelectorAll({System.Text.Json.JsonSerializer.Serialize(landmark)}).length"));
        string[] faults = await page.EvaluateAsync<string[]>("""
            [
              ...[...document.querySelectorAll('table')].filter(table => !table.caption?.textContent || [...table.tHead.rows[0].cells].some(cell => cell.tagName !== 'TH' || cell.scope !== 'col')).map(table => `table ${table.id}`),
              ...[...document.querySelectorAll('tbody tr:not(.empty)')].filter(row => row.cells[0].tagName !== 'TH' || row.cells[0].scope !== 'row').map(row => `row ${row.textContent}`),
              ...[...document.querySelectorAll('section')].filter(section => !document.getElementById(section.getAttribute('aria-labelledby'))?.textContent).map(section => `section ${section.id}`),
              ...[...document.querySelectorAll('svg:not([aria-hidden])')].filter(svg => !svg.getAttribute('aria-label')).map(() => 'svg'),
              ...[...document.querySelectorAll('input')].filter(input => !input.labels.length).map(() => 'input'),
              ...Object.entries(Object.groupBy(document.querySelectorAll('[id]'), element => element.id)).filter(([, all]) => all.length > 1).map(([id]) => `twice ${id}`),
            ]
            """);
        Assert.Empty(faults);
        // What has the focus is seen to have it.
        await page.PressAsync("Tab");
        await page.PressAsync("Tab");
        Assert.NotEqual("none", await page.EvaluateAsync<string>("getComputedStyle(document.activeElement).outlineStyle"));
    }

    private const string OrderScript = "[...document.querySelectorAll('#queues-all tbody tr')].map(row => row.cells[0].textContent).join(' ')";

    private static Task<string> Order(BrowserPage page) => page.EvaluateAsync<string>(OrderScript);

    private static string Button(string table, int column, string act) =>
        string.Create(CultureInfo.InvariantCulture, $"(document.querySelector('#{table}').tHead.rows[0].cells[{column}].firstElementChild.{act}, true)");

    private static Task WaitForCell(BrowserPage page, string table, string row, int column, string text) =>
        page.WaitForAsync(string.Create(CultureInfo.InvariantCulture, $"({Cell})('{table}', '{row}', {column}) === '{text}'"));

    private async Task<BrowserPage> OpenAsync(Site site)
    {
        BrowserPage page = await browser.OpenAsync();
        await page.GoToAsync(site.Address);
        await page.WaitForUpdateAsync();
        return page;
    }
}
