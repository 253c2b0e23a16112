// A schedule owns the static state of the library while it runs.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
