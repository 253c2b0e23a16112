using System.Text;
using System.Text.Json;

namespace Conformance.Scenarios;

/// <summary>
/// What came of one step, in the recorder's words. Values are kept as JSON text, so that <c>0</c> and <c>false</c> stay apart.
/// </summary>
internal sealed class Answer
{
    public string? Ret { get; set; }
    public string? InitCalls { get; set; }
    public string? CleanupCalls { get; set; }

    /// <summary>Tasks that came back in this step, each as <c>["A",0]</c>.</summary>
    public List<string> Returned { get; } = [];
    public List<string> Started { get; } = [];
    public List<string> Finished { get; } = [];

    public static Answer Read(JsonElement step)
    {
        var answer = new Answer();
        foreach (var member in step.EnumerateObject())
        {
            switch (member.Name)
            {
                case "do": break;
                case "ret": answer.Ret = member.Value.GetRawText(); break;
                case "init_calls": answer.InitCalls = member.Value.GetRawText(); break;
                case "cleanup_calls": answer.CleanupCalls = member.Value.GetRawText(); break;
                case "returned":
                    answer.Returned.AddRange(member.Value.EnumerateArray().Select(pair => Returning(pair[0].GetString()!, pair[1].GetRawText())));
                    break;
                case "started": answer.Started.AddRange(member.Value.EnumerateArray().Select(item => item.GetString()!)); break;
                case "finished": answer.Finished.AddRange(member.Value.EnumerateArray().Select(item => item.GetString()!)); break;
                default: throw new FormatException($"a step has the member '{member.Name}', which the replayer does not know");
            }
        }

        return answer;
    }

    /// <summary>A returned task with its value, as the recorder writes it.</summary>
    public static string Returning(string task, string value) => $"[\"{task}\",{value.Replace(" ", "", StringComparison.Ordinal)}]";

    /// <summary>
    /// Whether this answer is the one due. <paramref name="order"/> says which lists are compared as they stand; a list that is not is compared
    /// as a bag, because the recorder sorted it.
    /// </summary>
    public bool Equals(Answer due, ListOrder order) =>
        Ret == due.Ret && InitCalls == due.InitCalls && CleanupCalls == due.CleanupCalls
        && SameList(Returned, due.Returned, order.HasFlag(ListOrder.Returned))
        && SameList(Started, due.Started, order.HasFlag(ListOrder.Runs))
        && SameList(Finished, due.Finished, order.HasFlag(ListOrder.Runs));

    private static bool SameList(List<string> given, List<string> due, bool inOrder) => inOrder
        ? given.SequenceEqual(due)
        : given.Order(StringComparer.Ordinal).SequenceEqual(due.Order(StringComparer.Ordinal));

    public override string ToString()
    {
        var text = new StringBuilder();
        Value("ret", Ret);
        Value("init_calls", InitCalls);
        Value("cleanup_calls", CleanupCalls);
        List("returned", Returned);
        List("started", Started);
        List("finished", Finished);
        return text.Length == 0 ? "nothing" : text.ToString();

        void Value(string name, string? value)
        {
            if (value is not null)
                text.Append(text.Length == 0 ? "" : ", ").Append(name).Append(' ').Append(value);
        }

        void List(string name, List<string> values)
        {
            if (values.Count > 0)
                Value(name, $"[{string.Join(',', values)}]");
        }
    }
}

/// <summary>Which lists of an answer are in a meaningful order; the others were sorted by the recorder.</summary>
[Flags]
internal enum ListOrder
{
    None = 0,
    Returned = 1,
    /// <summary><c>started</c> and <c>finished</c>.</summary>
    Runs = 2,
}
