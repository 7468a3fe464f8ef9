"""Passwords and keys that stand in the source of a notebook, where everyone who opens it reads them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nbflow.tasks.notebooks.checking.finding import CodeCell, Finding, Kind

_KEYS = {
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
    "a key of AWS": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "a token of GitHub": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{60,})\b",
    "a token of GitLab": r"\bglpat-[\w-]{20,}\b",
    "a token of Slack": r"\bxox[abprs]-[\w-]{10,}",
    "an address of a Slack webhook": r"https://hooks\.slack\.com/services/T\w+/B\w+/\w+",
    "an API key": r"\bsk-(?:ant-|proj-)?[\w-]{20,}",
    "a key of Google": r"\bAIza[\w-]{35}\b",
    "a key of Stripe": r"\b[rs]k_live_\w{20,}",
    "a JSON Web Token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}",
    "a password in an address": r"\b[a-z][a-z0-9+.-]*://[^\s:/@\"'{}]+:(?!\*+@)[^\s:/@\"'{}]+@",
}
"""What a secret is called → how it looks. Source: the formats that the services document."""
_ASSIGNED = re.compile(
    r"""(?P<name>\b\w*(?:passwo?r?d|passwd|secret|token|api_?key|access_?key|private_?key|credential)\w*)["']?\s*[=:]\s*"""
    r"""(?P<quote>["'])(?P<value>[^"'\s]{6,})(?P=quote)""",
    re.IGNORECASE,
)
_HARMLESS = re.compile(r"^(?:[*x.<\[{$%]|your|change|example|placeholder|dummy|secret\(|env)|^(.)\1*$", re.IGNORECASE)


def secrets_of(cells: Sequence[CodeCell]) -> list[Finding]:
    """Each line with something that looks like a secret; what it is, never its text."""
    findings = []
    for cell in cells:
        for number, line in enumerate(cell.source.splitlines(), 1):
            what = _secret_in(line)
            if what:
                hint = "keep it with `nbflow secrets set NAME`, and hand it over as a parameter: {{ secret('NAME') }}"
                findings.append(Finding(Kind.SECRET, cell.number, number, f"{what} stands in the source", hint))
    return findings


def _secret_in(line: str) -> str | None:
    for what, pattern in _KEYS.items():
        if re.search(pattern, line):
            return what
    for found in _ASSIGNED.finditer(line):
        if not _HARMLESS.match(found["value"]):
            return f"the value of `{found['name']}`"
    return None
