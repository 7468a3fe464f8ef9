"""Results as JUnit XML, as CI servers read it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from nbflow.flowtests.comparing import text_of
from nbflow.flowtests.results import CaseResult, CaseState, Checked, SuiteResult
from nbflow.model.execution import instant

_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold. Source: https://www.w3.org/TR/xml/#charsets"""


def junit_xml(results: Sequence[SuiteResult]) -> str:
    """A `testsuites` document."""
    total = [case for result in results for case in result.cases]
    head = f'<testsuites name="nbflow" {_counts(total)}>'
    return "\n".join(
        ['<?xml version="1.0" encoding="UTF-8"?>', head, *(_suite(result) for result in results), "</testsuites>\n"]
    )


def _suite(result: SuiteResult) -> str:
    start = min(case.start for case in result.cases)
    head = f"  <testsuite name={_attribute(result.id)} timestamp={_attribute(instant(start))} {_counts(result.cases)}>"
    return "\n".join([head, *(_case(result, case) for case in result.cases), "  </testsuite>"])


def _case(result: SuiteResult, case: CaseResult) -> str:
    name = f"{result.namespace}.{result.flow_id}"
    head = f"    <testcase name={_attribute(case.id)} classname={_attribute(name)}"
    head += f' file={_attribute(result.file)} line="{case.line}"' if result.file else ""
    head += f' time="{case.duration.total_seconds():.3f}"'
    inner = []
    if case.state is CaseState.SKIPPED:
        inner.append("      <skipped/>")
    for error in case.errors:
        inner.append(f'      <error type="{case.state}" message={_attribute(error)}/>')
    for failed in case.failed:
        body = _text(_told(result, failed))
        inner.append(f'      <failure type="{failed.operator}" message={_attribute(failed.message)}>{body}</failure>')
    if case.logs or case.warnings:
        lines = [f"warning: {warning}" for warning in case.warnings] + list(case.logs)
        inner.append(f"      <system-out>{_text(chr(10).join(lines))}</system-out>")
    if not inner:
        return f"{head}/>"
    return "\n".join([f"{head}>", *inner, "    </testcase>"])


def _told(result: SuiteResult, failed: Checked) -> str:
    place = f"{result.file or result.id}:{failed.line}:{failed.column}"
    return (
        f"{place} {failed.subject} {failed.operator}\n"
        f"expected: {text_of(failed.expected)}\nactual:   {text_of(failed.actual)}"
    )


def _counts(cases: Sequence[CaseResult]) -> str:
    counts = {
        "tests": len(cases),
        "failures": sum(case.state is CaseState.FAILED for case in cases),
        "errors": sum(case.state is CaseState.ERROR for case in cases),
        "skipped": sum(case.state is CaseState.SKIPPED for case in cases),
    }
    words = " ".join(f'{name}="{count}"' for name, count in counts.items())
    return f'{words} time="{sum(case.duration.total_seconds() for case in cases):.3f}"'


def _text(text: str) -> str:
    return escape(_NO_XML.sub("�", text))


def _attribute(text: str) -> str:
    return quoteattr(_NO_XML.sub("�", text), {"\n": "&#10;"})
