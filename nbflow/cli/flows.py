"""`nbflow flows`: the deployed flows."""

from __future__ import annotations

from typing import Annotated

import typer

from nbflow.cli.options import (
    HomeOption,
    InputsArgument,
    LabelOption,
    NamespaceOption,
    Output,
    OutputOption,
    UsageError,
    read_pairs,
    read_uid,
)
from nbflow.cli.run import TimeoutOption
from nbflow.cli.showing import say, show_json, show_table
from nbflow.cli.sources import find_sources
from nbflow.cli.validate import PathsArgument, validate

FlowOption = Annotated[str | None, typer.Option("--flow", "--id", help="Id of the flow.")]
UidArgument = Annotated[str | None, typer.Argument(metavar="[NAMESPACE.ID]", help="The flow.")]

app = typer.Typer(help="List, deploy, run and delete flows.", no_args_is_help=True, rich_markup_mode=None)
app.command("validate")(validate)


@app.command("list")
def list_flows(namespace: NamespaceOption = None, output: OutputOption = Output.TEXT, home: HomeOption = None) -> None:
    """List the deployed flows."""
    from nbflow.engine import Engine

    with Engine(home, takes_over=False) as engine:
        flows = engine.flows(namespace)
    if output is Output.JSON:
        show_json([flow.to_dict() for flow in flows])
    elif flows:
        rows = [
            (
                flow.namespace,
                flow.id,
                str(flow.revision),
                _first_line(flow.description),
                "disabled" if flow.disabled else "",
            )
            for flow in flows
        ]
        show_table(("NAMESPACE", "ID", "REVISION", "DESCRIPTION", ""), rows)
    else:
        say("no flows; `nbflow flows deploy FILE` adds one")


@app.command("get")
def get(
    uid: UidArgument = None,
    namespace: NamespaceOption = None,
    flow: FlowOption = None,
    revision: Annotated[int | None, typer.Option(help="An older version.")] = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Show the source of a flow."""
    from nbflow.engine import Engine

    with Engine(home, takes_over=False) as engine:
        found = engine.flow(*read_uid(uid, namespace, flow), revision)
    if output is Output.JSON:
        show_json(found.to_dict(with_source=True))
    else:
        say(found.source.rstrip("\n"))


@app.command("deploy")
def deploy_flows(paths: PathsArgument, output: OutputOption = Output.TEXT, home: HomeOption = None) -> None:
    """Save flows; nothing is saved if any of them is not valid."""
    from nbflow.cli.live import deploy
    from nbflow.engine import Engine
    from nbflow.source import render_problems, split_documents
    from nbflow.source.parts import parts_of

    found = list(find_sources(paths))
    wrong = []
    with Engine(home, takes_over=False) as engine:
        for name, text in found:
            problems = [part.in_whole(each) for part in parts_of(text) for each in engine.validate(part.text)]
            if any(problem.is_error for problem in problems):
                typer.echo(render_problems(problems, text, name), err=True)
                wrong.append(name)
        if wrong:
            raise UsageError(f"nothing was deployed: {', '.join(wrong)} must be mended first")
        flows = [deploy(engine, document, name) for name, text in found for document in split_documents(text)]
    if output is Output.JSON:
        show_json([flow.to_dict() for flow in flows])
        return
    for flow in flows:
        say(f"deployed {flow.uid}, revision {flow.revision}")


@app.command("delete")
def delete(
    uid: UidArgument = None,
    namespace: NamespaceOption = None,
    flow: FlowOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Delete a flow; its executions stay."""
    from nbflow.engine import Engine

    namespace, flow_id = read_uid(uid, namespace, flow)
    with Engine(home, takes_over=False) as engine:
        engine.delete_flow(namespace, flow_id)
    if output is Output.JSON:
        show_json({"namespace": namespace, "id": flow_id, "deleted": True})
    else:
        say(f"deleted {namespace}.{flow_id}")


@app.command("execute")
def execute(
    inputs: InputsArgument = None,
    namespace: NamespaceOption = None,
    flow: FlowOption = None,
    label: LabelOption = None,
    timeout: TimeoutOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Run a deployed flow here and show it as it goes, as `nbflow run` does."""
    from nbflow.cli.live import run_deployed

    given = list(inputs or [])
    uid = given.pop(0) if given and "=" not in given[0] else None
    namespace, flow_id = read_uid(uid, namespace, flow)
    pairs, labels = read_pairs(given, "an input"), read_pairs(label, "a label")
    raise typer.Exit(run_deployed(namespace, flow_id, pairs, labels, timeout, output, home))


def _first_line(text: str | None) -> str:
    line = (text or "").strip().partition("\n")[0]
    return line if len(line) <= 60 else f"{line[:59]}…"
