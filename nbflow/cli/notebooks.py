"""`nbflow notebook`: check a notebook, run it, put it on a schedule, fetch what its last run left."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nbflow.cli.options import HomeOption, InputsArgument, Output, OutputOption, read_pairs, read_uid
from nbflow.cli.showing import say, show_data, warn

app = typer.Typer(help="Check, run and schedule notebooks.", no_args_is_help=True, rich_markup_mode=None)

FileArgument = Annotated[Path, typer.Argument(metavar="NOTEBOOK", help="An .ipynb, or a .py in the percent format.")]
FilesOption = Annotated[
    list[str] | None, typer.Option("--file", "-f", metavar="PATH", help="A file it reads, by its path from its folder.")
]
IdOption = Annotated[str | None, typer.Option("--id", help="Id of the flow.", show_default="the notebook's name")]
NamespaceOption = Annotated[str, typer.Option("--namespace", "-n", help="Namespace of the flow.")]


@app.callback()
def _group() -> None:
    """Check, run and schedule notebooks."""


@app.command("check")
def check(
    notebook: FileArgument,
    inputs: InputsArgument = None,
    files: FilesOption = None,
    execute: Annotated[bool, typer.Option("--run/--no-run", help="Whether to run it in a clean kernel, too.")] = True,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Say what would go wrong when a notebook runs by itself: hidden state, files, packages, secrets."""
    from nbflow.engine import Engine
    from nbflow.notebooks import check_file, try_out

    given, handed = read_pairs(inputs, "an input"), files or []
    found = check_file(notebook, handed)
    state = None
    if execute:
        with Engine(home, takes_over=False) as engine:
            execution = try_out(engine, notebook, given, [*handed, *found.needs])
            state = str(execution.state)
            failures = [entry.message for entry in execution.logs("ERROR")]
    if output.is_data:
        show_data(
            output,
            {
                "findings": [
                    {
                        "kind": finding.kind,
                        "cell": finding.cell,
                        "line": finding.line,
                        "message": finding.message,
                        "hint": finding.hint,
                        "severity": "error" if finding.is_error else "warning",
                    }
                    for finding in found.findings
                ],
                "needs": found.needs,
                "state": state,
            },
        )
    else:
        for finding in found.findings:
            say(f"{'error' if finding.is_error else 'warning'}: {finding}")
        if state is not None:
            say(f"a run in a clean kernel ended in {state}")
            for message in failures if state not in ("SUCCESS", "WARNING", "SKIPPED") else ():
                warn(message)
        elif not found.findings:
            say("nothing found")
    if found.errors or state not in (None, "SUCCESS", "WARNING", "SKIPPED"):
        raise typer.Exit(1)


@app.command("run")
def run(
    notebook: FileArgument,
    inputs: InputsArgument = None,
    files: FilesOption = None,
    to: Annotated[Path | None, typer.Option("--to", help="Where to save the executed notebook.")] = None,
    home: HomeOption = None,
) -> None:
    """Run a notebook once with KEY=VALUE as its parameters, and save it with its outputs."""
    from nbflow.engine import Engine
    from nbflow.notebooks import check_file, executed_notebook, try_out

    given, handed = read_pairs(inputs, "an input"), files or []
    with Engine(home, takes_over=False) as engine:
        execution = try_out(engine, notebook, given, sorted({*handed, *check_file(notebook, handed).needs}))
        for entry in execution.logs("INFO"):
            (warn if entry.level in ("WARN", "ERROR") else say)(entry.message)
        content = executed_notebook(engine, execution)
    target = to or notebook.with_name(f"{notebook.stem}.executed.ipynb")
    if content is not None:
        target.write_bytes(content)
        warn(f"{execution.state}: {target}")
    if execution.state not in ("SUCCESS", "WARNING", "SKIPPED"):
        raise typer.Exit(1)


@app.command("schedule")
def schedule(
    notebook: FileArgument,
    cron: Annotated[str, typer.Option("--cron", help='When: "0 9 * * MON-FRI", "@daily" …')],
    timezone: Annotated[str | None, typer.Option("--timezone", help="Time zone of the schedule.")] = None,
    inputs: InputsArgument = None,
    files: FilesOption = None,
    flow_id: IdOption = None,
    namespace: NamespaceOption = "notebooks",
    snapshot: Annotated[
        bool, typer.Option("--snapshot", help="Run the notebook as it is now, whatever becomes of the file.")
    ] = False,
    home: HomeOption = None,
) -> None:
    """Deploy a flow that runs a notebook by the clock; KEY=VALUE are its parameters, expressions among them."""
    from nbflow.engine import Engine
    from nbflow.notebooks import NotebookFlow, check_file, name_of, publish

    given = read_pairs(inputs, "an input")
    for finding in check_file(notebook, files or []).findings:
        warn(f"{'error' if finding.is_error else 'warning'}: {finding}")
    wanted = NotebookFlow(flow_id or name_of(notebook.stem), namespace, "", cron, timezone, dict(given))
    with Engine(home, takes_over=False) as engine:
        published = publish(engine, notebook, wanted, files=files or [], snapshot=snapshot)
    say(f"{published.flow.uid}, revision {published.flow.revision}: {published.words}")
    say("it fires while a server runs: `nbflow server`, or JupyterLab")


@app.command("last")
def last(
    flow: Annotated[str, typer.Argument(metavar="NAMESPACE.ID", help="The flow that runs the notebook.")],
    to: Annotated[Path | None, typer.Option("--to", help="Where to save it.", show_default="ID.executed.ipynb")] = None,
    home: HomeOption = None,
) -> None:
    """Save the notebook that the last run of a flow has executed."""
    from nbflow.engine import Engine
    from nbflow.notebooks import last_executed

    namespace, flow_id = read_uid(flow, None, None)
    with Engine(home, takes_over=False) as engine:
        execution, content = last_executed(engine, namespace, flow_id)
    target = to or Path(f"{flow_id}.executed.ipynb")
    target.write_bytes(content)
    say(f"{target}: execution {execution.id}, {execution.state}")
