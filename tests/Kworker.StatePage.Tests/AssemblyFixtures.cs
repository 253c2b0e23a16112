using Kworker.StatePage.Tests;

[assembly: AssemblyFixture(typeof(Chromium))]
