"""The `%%flow` cell: validates the YAML, deploys it, shows the flow or runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nbflow.engine import Execution
from nbflow.errors import FlowValidationError, Problem
from nbflow.magics.arguments import Arguments, read_arguments
from nbflow.magics.errors import FlowCellError
from nbflow.magics.running import RUN_FLAGS, RUN_VALUED, bind, run_flow
from nbflow.magics.session import Session, shows_errors
from nbflow.widgets.flow import flow_html, show_flow
from nbflow.widgets.output import publish, static_bundle
from nbflow.widgets.problems import problems_html, problems_text

CELL_FLAGS = (*RUN_FLAGS, "run", "validate", "simulate")
CELL_VALUED = (*RUN_VALUED, "from", "days")


@shows_errors
def flow_cell(session: Session, line: str, cell: str) -> Execution | None:
    """Deploy the flow of a cell and show it; with `--run` or `--wait` run it and return the execution."""
    arguments = read_arguments(line.strip().removesuffix(";"), session.variables, flags=CELL_FLAGS, valued=CELL_VALUED)
    if arguments.words:
        raise FlowCellError(
            f"`{arguments.words[0]}` is no option of %%flow", "inputs are written key=value; `%%flow?` explains"
        )
    text = "\n" * _lines_above(session) + f"%%flow {line}".rstrip() + f"\n{cell}"
    if arguments.has("validate"):
        _validate(session, cell, text)
        return None
    if arguments.has("simulate"):
        _simulate(session, cell, text, arguments)
        return None
    runs = _asks_to_run(arguments)
    try:
        flow = session.engine.deploy(cell, strict=True)
    except FlowValidationError as invalid:
        raise _refuse(invalid.problems, text, "nothing was deployed") from None
    session.last_flow = (flow.namespace, flow.id)
    warnings = [problem for problem in session.engine.validate(cell) if problem.is_warning]
    if warnings:
        _show_problems(warnings, text)
    if runs:
        if not arguments.has("quiet"):
            publish(static_bundle(flow_html(flow), f"{flow.uid}  revision {flow.revision}"))
        return run_flow(session, flow.namespace, flow.id, arguments)
    show_flow(session.engine, flow, lambda execution: bind(session, arguments, execution))
    return None


def _asks_to_run(arguments: Arguments) -> bool:
    """`--run`, or anything that makes sense for a run alone."""
    return bool(
        arguments.inputs
        or arguments.labels
        or any(arguments.has(option) for option in ("run", "wait", "check", "timeout", "quiet", "detach"))
    )


def _validate(session: Session, cell: str, text: str) -> None:
    problems = session.engine.validate(cell)
    errors = [problem for problem in problems if problem.is_error]
    if errors:
        raise _refuse(problems, text, "nothing was deployed")
    if problems:
        _show_problems(problems, text)
    publish(static_bundle("<div>✓ the flow is valid; nothing was deployed</div>", "the flow is valid"))


def _simulate(session: Session, cell: str, text: str, arguments: Arguments) -> None:
    """Show what the schedules of the cell's flow would do; nothing is deployed."""
    from nbflow.magics.time_words import moment
    from nbflow.magics.trigger_commands import days, show_simulation

    try:
        found = session.engine.simulate_flow(cell, moment(arguments, "from"), days(arguments))
    except FlowValidationError as invalid:
        raise _refuse(invalid.problems, text, "nothing was simulated") from None
    show_simulation(found)


def _refuse(problems: Sequence[Problem], text: str, outcome: str) -> FlowCellError:
    _show_problems(problems, text)
    count = sum(problem.is_error for problem in problems)
    return FlowCellError(f"the flow is not valid: {count} problem{'' if count == 1 else 's'}; {outcome}")


def _show_problems(problems: Sequence[Problem], text: str) -> None:
    """Show problems of the YAML at their places in the cell, in which the magic stands above it."""
    above = len(text) - len(text.lstrip("\n")) + 1
    placed = [replace(problem, line=problem.line + above) for problem in problems]
    publish(static_bundle(problems_html(placed, text), problems_text(placed, text)))


def _lines_above(session: Session) -> int:
    """Blank lines above the magic: IPython drops them, and the editor counts them."""
    parent: object = session.shell.get_parent() if hasattr(session.shell, "get_parent") else {}
    code = str(parent.get("content", {}).get("code", "")) if isinstance(parent, dict) else ""
    above, found, _ = code.partition("%%flow")
    return above.count("\n") if found and not above.strip() else 0
