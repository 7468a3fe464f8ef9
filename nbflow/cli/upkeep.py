"""`nbflow gc` and `nbflow executions purge`: deleting what need not be kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import typer

from nbflow.cli.options import HomeOption, Output, OutputOption, UsageError
from nbflow.cli.showing import say, show_data
from nbflow.cli.startup import settle

DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Delete nothing; tell what would be deleted.")]

_GARBAGE = {
    "folders": ("folder of an execution that is no more", "folders of executions that are no more"),
    "files": ("file in it", "files in them"),
    "caches": ("cache of a flow that is not deployed", "caches of flows that are not deployed"),
    "uploads": ("file that never became whole", "files that never became whole"),
    "workingDirs": ("working directory of a process that has died", "working directories of processes that have died"),
    "logs": ("log line older than `logging.retention`", "log lines older than `logging.retention`"),
    "kv": ("expired value", "expired values"),
    "outcomes": (
        "outcome of a task that its cache kept long enough",
        "outcomes of tasks that their caches kept long enough",
    ),
    "commands": ("command that nobody waits for", "commands that nobody waits for"),
    "engines": ("lease of an engine that has died", "leases of engines that have died"),
}
"""What is removed, one and many."""


def gc(
    older_than: Annotated[
        str | None,
        typer.Option(
            "--older-than", metavar="DURATION", help="Only files older than this: PT12H, P30D.", show_default="PT1H"
        ),
    ] = None,
    dry_run: DryRunOption = False,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Remove what nothing refers to any more, and give the space back."""
    from nbflow.clock import SystemClock
    from nbflow.settings import Settings
    from nbflow.store import Store
    from nbflow.store.garbage import IN_USE

    age = IN_USE if older_than is None else read_age(older_than)
    now = SystemClock().now()
    before(now, age)
    settle()
    with Store(Settings.load(home)) as store:
        removed = store.purging.collect_garbage(now, older_than=age, dry_run=dry_run).to_dict()
    if output.is_data:
        show_data(output, {**removed, "dryRun": dry_run})
        return
    freed = removed.pop("bytesFreed")
    verb = "would remove" if dry_run else "removed"
    lines = [f"{verb} {removed[name]} {words[removed[name] != 1]}" for name, words in _GARBAGE.items() if removed[name]]
    for line in lines or ["nothing to remove"]:
        say(line)
    if freed:
        say(f"{'would free' if dry_run else 'freed'} {shown_bytes(freed)}")


def purge(
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="DURATION", help="Those that ended so long ago: PT12H, P30D.")
    ],
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", help="Only this namespace and those below it.")
    ] = None,
    flow: Annotated[str | None, typer.Option("--flow", help="Only this flow, of this very namespace.")] = None,
    state: Annotated[list[str] | None, typer.Option("--state", help="Only in this state; repeat it.")] = None,
    keep_logs: Annotated[bool, typer.Option("--keep-logs", help="Leave their log lines.")] = False,
    keep_metrics: Annotated[bool, typer.Option("--keep-metrics", help="Leave their metrics.")] = False,
    keep_files: Annotated[
        bool, typer.Option("--keep-files", help="Leave their files, until `nbflow gc` finds them.")
    ] = False,
    dry_run: DryRunOption = False,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Delete executions that ended long ago, with their logs, metrics and files."""
    from nbflow.clock import SystemClock
    from nbflow.model.state import TERMINAL
    from nbflow.settings import Settings
    from nbflow.store import Store

    states = [name.upper() for name in state or ()]
    for name in states:
        if name not in TERMINAL:
            raise UsageError(f"no execution ends in `{name}`", hint=f"there are {', '.join(sorted(TERMINAL))}")
    now = SystemClock().now()
    end_date = before(now, read_age(older_than))
    settle()
    with Store(Settings.load(home)) as store:
        purged = store.purging.purge_executions(
            now,
            end_date=end_date,
            namespace=namespace,
            flow_id=flow,
            states=states,
            purge_log=not keep_logs,
            purge_metric=not keep_metrics,
            purge_storage=not keep_files,
            dry_run=dry_run,
        )
    if output.is_data:
        counts = {"executionsCount": purged.executions, "logsCount": purged.logs, "metricsCount": purged.metrics}
        show_data(output, {**counts, "storagesCount": purged.files, "dryRun": dry_run})
        return
    counted = (
        (purged.executions, "execution"),
        (purged.logs, "log line"),
        (purged.metrics, "metric"),
        (purged.files, "file"),
    )
    words = ", ".join(f"{number} {word}{'' if number == 1 else 's'}" for number, word in counted)
    say(f"{'would delete' if dry_run else 'deleted'} {words}")


def read_age(text: str) -> timedelta:
    """A length of time: ISO 8601, or its last part alone, such as 30d. Raises: UsageError."""
    from nbflow.model.durations import parse_duration

    for prefix in ("", "P", "PT"):
        try:
            age = parse_duration(prefix + text.strip())
        except (ValueError, OverflowError):
            continue
        if age >= timedelta():
            return age
    raise UsageError(f"`{text}` is no length of time", hint="write it as PT12H or P30D, or as 12h or 30d")


def before(now: datetime, age: timedelta) -> datetime:
    """The instant so long ago. Raises: UsageError when there was none."""
    try:
        return now - age
    except OverflowError as beyond:
        raise UsageError("so long ago there was no year 1", hint="P3650D are ten years") from beyond


def shown_bytes(count: int) -> str:
    """A number of bytes in the unit that suits it."""
    size, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
