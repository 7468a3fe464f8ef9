"""Results of flow tests for people: cases with their states, and of what failed what was expected and what is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from nbflow.flowtests import CaseResult, CaseState, Checked, SuiteResult
from nbflow.flowtests.comparing import text_of
from nbflow.widgets.gantt import seconds

_SIGNS = {CaseState.SUCCESS: "✓", CaseState.FAILED: "✗", CaseState.ERROR: "!", CaseState.SKIPPED: "–"}
_COLOURS = {
    CaseState.SUCCESS: "var(--jp-success-color1, #388e3c)",
    CaseState.FAILED: "var(--jp-error-color1, #d32f2f)",
    CaseState.ERROR: "var(--jp-error-color1, #d32f2f)",
    CaseState.SKIPPED: "var(--jp-ui-font-color2, #757575)",
}
_WIDEST = 200


def suite_text(result: SuiteResult) -> str:
    """A suite as text: a line for each case, and below those that failed why."""
    return "\n".join(_lines(result))


def suites_summary(results: Sequence[SuiteResult]) -> str:
    """How many cases there were, and how they ended."""
    total = sum(len(result.cases) for result in results)
    words = [f"{total} case{'' if total == 1 else 's'}"]
    for state, word in (
        (CaseState.SUCCESS, "passed"),
        (CaseState.FAILED, "failed"),
        (CaseState.ERROR, "in error"),
        (CaseState.SKIPPED, "skipped"),
    ):
        count = sum(result.count(state) for result in results)
        if count:
            words.append(f"{count} {word}")
    return ", ".join(words)


def suite_html(result: SuiteResult) -> str:
    """A suite as HTML: a table of its cases, why they failed folded out below them."""
    rows = []
    for case in result.cases:
        colour = _COLOURS[case.state]
        about = f' <span style="opacity:.7">{escape(case.description)}</span>' if case.description else ""
        mocked = f"{len(case.mocked)} mocked" if case.mocked else ""
        rows.append(
            f'<tr><td style="color:{colour};text-align:left"><b>{_SIGNS[case.state]} {case.state}</b></td>'
            f'<td style="text-align:left">{escape(case.id)}{about}</td><td>{seconds(case.duration)}</td>'
            f'<td style="text-align:left" title="{escape(", ".join(case.mocked))}">{mocked}</td></tr>'
        )
        why = list(_why(result, case))
        if why:
            text = escape("\n".join(why))
            rows.append(
                f'<tr><td></td><td colspan="3" style="text-align:left"><pre style="margin:0;white-space:pre-wrap">'
                f"{text}</pre></td></tr>"
            )
    head = f"<b>{escape(result.id)}</b> of {escape(result.namespace)}.{escape(result.flow_id)}"
    summary = f"{head}: {escape(suites_summary([result]))}"
    return f'<div class="jp-nbflow-tests">{summary}<table>{"".join(rows)}</table></div>'


def _lines(result: SuiteResult) -> Iterator[str]:
    yield f"{result.id} of {result.namespace}.{result.flow_id} ({result.origin})"
    widest = max((len(case.id) for case in result.cases), default=0)
    for case in result.cases:
        mocked = f"  {len(case.mocked)} mocked" if case.mocked else ""
        line = f"  {_SIGNS[case.state]} {case.state:<7}  {case.id:<{widest}}  {seconds(case.duration):>8}{mocked}"
        yield line.rstrip()
        for why in _why(result, case):
            yield f"      {why}".rstrip()


def _why(result: SuiteResult, case: CaseResult) -> Iterator[str]:
    for error in case.errors:
        lines = error.splitlines() or [""]
        yield f"{_place(result, case.line, case.column)} {lines[0]}"
        yield from lines[1:]
    for failed in case.failed:
        yield from _told(result, failed)
    for warning in case.warnings:
        yield f"warning: {warning}"
    if case.logs and case.state is not CaseState.SUCCESS:
        yield f"execution {case.execution_state}, its log ends:"
        yield from (f"  {line}" for entry in case.logs[-8:] for line in entry.splitlines()[:3])


def _told(result: SuiteResult, failed: Checked) -> Iterator[str]:
    about = f"  ({failed.description})" if failed.description else ""
    yield f"{_place(result, failed.line, failed.column)} {failed.subject} {failed.operator}{about}"
    if not failed.message.startswith("expected "):
        yield f"  {failed.message}"
    yield f"  expected: {_short(text_of(failed.expected))}"
    yield f"  actual:   {_short(text_of(failed.actual))}"


def _place(result: SuiteResult, line: int, column: int) -> str:
    return f"{result.file or 'cell'}:{line}:{column}"


def _short(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
