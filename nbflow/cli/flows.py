"""`nbflow flows`: look at flows, deploy, run, switch and delete them."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from nbflow.cli.completion import complete_flow, complete_namespace
from nbflow.cli.groups import new_group, verb
from nbflow.cli.options import (
    FlowOption,
    HomeOption,
    NamespaceOption,
    Output,
    OutputOption,
    RevisionOption,
    UsageError,
    read_uids,
)
from nbflow.cli.places import open_place
from nbflow.cli.progress import tracked
from nbflow.cli.run import execute
from nbflow.cli.showing import say, show_data, show_done, show_rows, warn
from nbflow.cli.sources import find_sources
from nbflow.cli.validate import PathsArgument, validate

UidsArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAMESPACE.ID | NAMESPACE ID]", help="The flow.", autocompletion=complete_flow),
]
FileArgument = Annotated[str, typer.Argument(metavar="FILE", help="A file with one flow, or - for stdin.")]

app = new_group("Deploy, run, look at and change flows.")
verb(app, "execute", "run", "trigger", is_remote=True)(execute)
verb(app, "validate", is_remote=True)(validate)


@verb(app, "list", "ls", is_remote=True)
def list_flows(
    only: Annotated[
        str | None,
        typer.Argument(metavar="[NAMESPACE]", help="Only this namespace.", autocompletion=complete_namespace),
    ] = None,
    namespace: NamespaceOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """List the deployed flows."""
    with open_place(home) as place:
        flows = place.flows.all(namespace or only)
    rows = [
        (
            flow["namespace"],
            flow["id"],
            str(flow["revision"]),
            _first_line(flow.get("description")),
            "disabled" if flow.get("disabled") else "",
        )
        for flow in flows
    ]
    heads = ("NAMESPACE", "ID", "REVISION", "DESCRIPTION", "")
    show_rows(output, flows, heads, rows, "no flows; `nbflow flows deploy FILE` adds one")


@verb(app, "get", "show", "describe", is_remote=True)
def get(
    uid: UidsArgument = None,
    namespace: NamespaceOption = None,
    flow: FlowOption = None,
    revision: RevisionOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Show the source of a flow."""
    names = read_uids(uid, namespace, flow)
    with open_place(home) as place:
        found = place.flows.get(*names, revision)
    show_done(output, found, str(found["source"]).rstrip("\n"))


@verb(app, "deploy", "apply", is_remote=True)
def deploy_flows(
    paths: PathsArgument,
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", help="Put all of them into this namespace.")
    ] = None,
    override: Annotated[
        bool, typer.Option("--override/--no-override", help="Whether flows that are there already are changed.")
    ] = True,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", hidden=True)] = False,  # it is always so here
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Save flows; nothing is saved if any of them is not valid."""
    from nbflow.cli.deploying import deploy, problems_of
    from nbflow.source import render_problems, split_documents

    found = [(name, _moved(text, namespace)) for name, text in find_sources(paths)]
    wrong = []
    with open_place(home) as place:
        for name, text in tracked(found, "checking"):
            problems = problems_of(place, text)
            if any(problem.is_error for problem in problems):
                warn(render_problems(problems, text, name))
                wrong.append(name)
        if wrong:
            raise UsageError(f"nothing was deployed: {', '.join(wrong)} must be mended first")
        documents = [(name, document) for name, text in found for document in split_documents(text)]
        if not override:
            _refuse_known(place.flows.exists, documents)
        flows = [deploy(place, document, name) for name, document in tracked(documents, "deploying")]
    if output.is_data:
        show_data(output, flows)
        return
    for flow in flows:
        say(f"deployed {flow['namespace']}.{flow['id']}, revision {flow['revision']}")


@verb(app, "create", is_remote=True)
def create(file: FileArgument, output: OutputOption = Output.TEXT, home: HomeOption = None) -> None:
    """Save a new flow; refused when it is there already."""
    _save(file, output, home, is_new=True)


@verb(app, "update", is_remote=True)
def update(file: FileArgument, output: OutputOption = Output.TEXT, home: HomeOption = None) -> None:
    """Save a new revision of a flow; refused when it is not there yet."""
    _save(file, output, home, is_new=False)


@verb(app, "delete", is_remote=True)
def delete(
    uid: UidsArgument = None,
    namespace: NamespaceOption = None,
    flow: FlowOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Delete a flow; its executions stay."""
    namespace, flow_id = read_uids(uid, namespace, flow)
    with open_place(home) as place:
        place.flows.delete(namespace, flow_id)
    show_done(output, {"namespace": namespace, "id": flow_id, "deleted": True}, f"deleted {namespace}.{flow_id}")


@verb(app, "enable", is_remote=True)
def enable(
    uid: UidsArgument = None,
    namespace: NamespaceOption = None,
    flow: FlowOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Switch a flow on."""
    _switch(read_uids(uid, namespace, flow), output, home, disabled=False)


@verb(app, "disable", is_remote=True)
def disable(
    uid: UidsArgument = None,
    namespace: NamespaceOption = None,
    flow: FlowOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Switch a flow off: nothing starts it until it is switched on."""
    _switch(read_uids(uid, namespace, flow), output, home, disabled=True)


def _switch(names: tuple[str, str], output: Output, home: HomeOption, *, disabled: bool) -> None:
    with open_place(home) as place:
        place.flows.switch(*names, disabled=disabled)
    done = {"namespace": names[0], "id": names[1], "disabled": disabled}
    show_done(output, done, f"{'.'.join(names)} is {'off' if disabled else 'on'}")


def _save(file: str, output: Output, home: HomeOption, *, is_new: bool) -> None:
    from nbflow.cli.deploying import deploy

    ((name, text),) = find_sources([file])
    with open_place(home) as place:
        names = _named(text)
        if all(names) and place.flows.exists(*names) is is_new:
            state, other = ("is there already", "update") if is_new else ("is not there", "create")
            raise UsageError(f"the flow {'.'.join(names)} {state}", hint=f"nbflow flows {other} {file}")
        flow = deploy(place, text, name)
    show_done(output, flow, f"deployed {flow['namespace']}.{flow['id']}, revision {flow['revision']}")


def _refuse_known(exists: object, documents: list[tuple[str, str]]) -> None:
    assert callable(exists)
    known = [".".join(names) for _, text in documents if all(names := _named(text)) and exists(*names)]
    if known:
        raise UsageError(f"nothing was deployed: {', '.join(known)} is there already", hint="--override changes it")


def _named(text: str) -> tuple[str, str]:
    """Namespace and id that a source names; empty where it does not."""
    found = [re.search(rf"^{key}\s*:\s*[\"']?([^\s\"'#]+)", text, re.MULTILINE) for key in ("namespace", "id")]
    namespace, flow_id = ("" if match is None else match[1] for match in found)
    return namespace, flow_id


def _moved(text: str, namespace: str | None) -> str:
    """The flows of a text, all of them in a namespace."""
    if namespace is None:
        return text
    return re.sub(r"^(namespace\s*:\s*)[\"']?[^\s\"'#]+[\"']?", rf"\g<1>{namespace}", text, flags=re.MULTILINE)


def _first_line(text: str | None) -> str:
    line = (text or "").strip().partition("\n")[0]
    return line if len(line) <= 60 else f"{line[:59]}…"
