"""How the tests of flow tests run suites: from texts, against flows given as texts or deployed in a home."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent, indent

from nbflow.flowtests import CaseResult, SuiteError, SuiteResult, World, find_suites, prepared, run_suites
from nbflow.settings import Settings
from nbflow.store import Store

NOWHERE = Settings(Path("there-is-no-such-home"))


def flow(tasks: str, more: str = "", flow_id: str = "etl") -> str:
    """The text of a flow in `company.team`."""
    return f"id: {flow_id}\nnamespace: company.team\n{dedent(more)}\ntasks:\n{indent(dedent(tasks), '  ')}"


def suite(cases: str, flow_id: str = "etl") -> str:
    """The text of a suite of that flow."""
    return f"id: suite\nnamespace: company.team\nflowId: {flow_id}\ntestCases:\n{indent(dedent(cases), '  ')}"


def run(suite_text: str, *flows: str, store: Store | None = None, only: Sequence[str] = ()) -> SuiteResult:
    """Run a suite."""
    world = World(store.settings if store is not None else NOWHERE, store)
    files = [(f"flow{number}.yaml", text) for number, text in enumerate(flows)]
    with prepared(find_suites([*files, ("suite.yaml", suite_text)], world), world) as ready:
        (result,) = run_suites(ready, only=only)
    return result


def run_case(case: str, *flows: str, store: Store | None = None) -> CaseResult:
    """Run a suite of one case, written as an entry of `testCases`."""
    (result,) = run(suite(case), *flows, store=store).cases
    return result


def problems(suite_text: str, *flows: str) -> list[tuple[int, int, str, str, str]]:
    """What is wrong with a suite: line, column, path, message and mend."""
    try:
        run(suite_text, *flows)
    except SuiteError as refused:
        return [(one.line, one.column, one.path, one.message, one.hint) for one in refused.problems]
    return []
