"""Runs jq programs: at once where they must come to an end, else in a process that can be stopped."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys
from typing import Any

from nbflow.errors import TemplateError, UnsafeTemplateError

_MAX_PROGRAM = 10_000
_FORBIDDEN = re.compile(
    r"\$ENV\b|\b(?:env|input|inputs|input_filename|import|include|debug|halt|halt_error|stderr)\b(?!\s*:)"
)
_UNBOUNDED = re.compile(r"\b(?:def|recurse|while|until|repeat|range|limit|combinations)\b|\*\s*[0-9]{4,}")
_TEXT = re.compile(r'"(?:[^"\\]|\\[^(])*"')
_CHILD = """
import json, sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
except (ImportError, ValueError, OSError):
    pass
import jq
program, text = json.load(sys.stdin)
try:
    print(json.dumps({"results": jq.compile(program).input_text(text).all()}))
except (ValueError, StopIteration) as wrong:
    print(json.dumps({"error": str(wrong)}))
"""


def run_program(program: str, text: str, seconds: float) -> list[object]:
    """All results of a program for a JSON text. Raises: TemplateError."""
    if len(program) > _MAX_PROGRAM:
        raise UnsafeTemplateError(f"a jq expression may have {_MAX_PROGRAM} characters, not more")
    words = _TEXT.sub('""', program)
    for refused in _FORBIDDEN.finditer(words):
        if not words[: refused.start()].endswith("."):
            raise UnsafeTemplateError(f"`{refused.group()}` of jq may not be used: it reaches out of the expression")
    if _UNBOUNDED.search(words):
        return _apart(program, text, seconds)
    try:
        results: list[object] = _compiled(program).input_text(text).all()
    except (ValueError, StopIteration) as wrong:
        raise TemplateError(f"jq could not answer `{program[:200]}`: {wrong}") from wrong
    return results


@functools.lru_cache(maxsize=256)
def _compiled(program: str) -> Any:  # a program of the `jq` package, which has no types
    import jq

    return jq.compile(program)


def _apart(program: str, text: str, seconds: float) -> list[object]:
    """In a process of its own: the library cannot be stopped from within."""
    try:
        ended = subprocess.run(
            [sys.executable, "-c", _CHILD],
            input=json.dumps([program, text]),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise UnsafeTemplateError(f"the jq expression `{program[:80]}` took longer than {seconds:g} seconds") from late
    if ended.returncode != 0:
        raise UnsafeTemplateError(f"the jq expression `{program[:80]}` took too much memory")
    answer: dict[str, Any] = json.loads(ended.stdout)
    if "error" in answer:
        raise TemplateError(f"jq could not answer `{program[:200]}`: {answer['error']}")
    return list(answer["results"])
