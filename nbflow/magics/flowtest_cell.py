"""The `%%flowtest` cell: runs the test suite in it against a deployed flow, or that of the notebook's tasks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nbflow.flowtests import (
    FoundFlow,
    LoadedSuite,
    SuiteError,
    SuiteResult,
    World,
    prepared,
    read_suite,
    run_suites,
)
from nbflow.magics.arguments import Arguments, read_arguments
from nbflow.magics.errors import FlowCellError
from nbflow.magics.session import Session, shows_errors
from nbflow.nearest import did_you_mean
from nbflow.widgets.flow_tests import suite_html, suite_text, suites_summary
from nbflow.widgets.output import publish, static_bundle
from nbflow.widgets.problems import problems_html, problems_text

_OWN = "the %%task cells of this notebook"


@shows_errors
def flowtest_cell(session: Session, line: str, cell: str) -> None:
    """Run the suite of a cell and show how it ended."""
    arguments = read_arguments(line.strip(), session.variables, flags=("check",), valued=("parallel", "to"))
    above = f"%%flowtest {line}".rstrip() + "\n"
    world = World(session.engine.settings, session.engine.store)
    try:
        loaded = _read(session, world, cell, above)
        _refuse_unknown(loaded, arguments)
        with prepared([loaded], world) as ready:
            results = run_suites(ready, at_once=arguments.number("parallel", 4), only=arguments.words)
    except SuiteError as invalid:
        name = invalid.file or "cell"
        publish(
            static_bundle(
                problems_html(invalid.problems, invalid.text, name), problems_text(invalid.problems, invalid.text, name)
            )
        )
        raise FlowCellError(f"{invalid.message}; nothing was run") from None
    except KeyboardInterrupt:
        raise FlowCellError("interrupted: what ran was ended") from None
    _show(session, arguments, results[0])


def _read(session: Session, world: World, cell: str, above: str) -> LoadedSuite:
    """The suite; one that names no flow is about the notebook's own."""
    own = None
    if session.notebook.record.tasks:
        own = session.notebook.named(session.shell)
    loaded = read_suite(cell, whole=above + cell, skipped=1, of=own)
    if own is not None and (loaded.suite.namespace, loaded.suite.flow_id) == own:
        text = session.notebook.yaml(session.notebook.plan(session.shell), session.shell, str(Path.cwd()))
        world.local[own] = FoundFlow(own[0], own[1], text, file=_OWN, whole=text)
    return loaded


def _refuse_unknown(loaded: LoadedSuite, arguments: Arguments) -> None:
    known = [case.id for case in loaded.suite.test_cases]
    for name in arguments.words:
        if name not in known:
            raise FlowCellError(
                f"there is no case `{name}`", did_you_mean(name, known) or f"there are {', '.join(known)}"
            )
    if arguments.inputs:
        raise FlowCellError("%%flowtest takes no inputs", "give them in `fixtures: {inputs: …}` of a case")


def _show(session: Session, arguments: Arguments, result: SuiteResult) -> None:
    shown = replace(result, file="")
    publish(static_bundle(suite_html(shown), f"{suite_text(shown)}\n{suites_summary([shown])}"))
    name = arguments.options.get("to")
    if name is not None:
        if not name.isidentifier():
            raise FlowCellError(f"--to wants the name of a variable; got {name}")
        session.variables[name] = result
    if arguments.has("check") and result.is_failure:
        raise FlowCellError(f"the tests did not pass: {suites_summary([result])}")
