// The server is Linux's: its tests use what .NET marks as not for Windows.
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]
