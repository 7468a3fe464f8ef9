"""How two executed notebooks differ, cell by cell: source and outputs, as text. Counters and ids do not count."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nbflow.engine.comparing.result import CellDiff

MOST_LINES = 30


def compare_notebooks(before: bytes, after: bytes) -> tuple[CellDiff, ...]:
    """Compare two .ipynb files. Raises: ValueError when one is no notebook."""
    left, right = _cells(before), _cells(after)
    return tuple(_differences(left, right))


def unified(before: str, after: str, most: int = MOST_LINES) -> tuple[str, ...]:
    """Lines of a unified diff without its head; empty when the texts agree; at most so many."""
    found = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2)
    lines = ["⋮" if line.startswith("@@") else line for line in list(found)[2:]][1:]  # no head, no numbers of lines
    return tuple(lines) if len(lines) <= most else (*lines[:most], f"… {len(lines) - most} more lines")


def _cells(content: bytes) -> list[tuple[str, str, str]]:
    """Type, source and outputs of each cell."""
    notebook = json.loads(content)
    cells = notebook.get("cells") if isinstance(notebook, Mapping) else None
    if not isinstance(cells, list):
        raise ValueError("it has no cells")
    return [
        (str(cell.get("cell_type")), _joined(cell.get("source")), "\n".join(_outputs(cell.get("outputs") or [])))
        for cell in cells
        if isinstance(cell, Mapping)
    ]


def _differences(left: Sequence[tuple[str, str, str]], right: Sequence[tuple[str, str, str]]) -> Iterator[CellDiff]:
    matcher = difflib.SequenceMatcher(a=[cell[:2] for cell in left], b=[cell[:2] for cell in right], autojunk=False)
    for _, begin, end, new_begin, new_end in matcher.get_opcodes():
        pairs = min(end - begin, new_end - new_begin)
        for step in range(pairs):
            number = new_begin + step
            (_, source, outputs), (_, new_source, new_outputs) = left[begin + step], right[number]
            if (source, outputs) != (new_source, new_outputs):
                changes = unified(source, new_source), unified(outputs, new_outputs)
                yield CellDiff(number + 1, "changed", _title(new_source), *changes)
        for number in range(begin + pairs, end):
            yield CellDiff(number + 1, "removed", _title(left[number][1]))
        for number in range(new_begin + pairs, new_end):
            yield CellDiff(number + 1, "added", _title(right[number][1]))


def _outputs(outputs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for output in outputs:
        kind = output.get("output_type")
        if kind == "stream":
            yield _joined(output.get("text")).rstrip("\n")
        elif kind == "error":
            yield f"{output.get('ename')}: {output.get('evalue')}"
        else:
            data = output.get("data") or {}
            if "text/plain" in data:
                yield _joined(data["text/plain"])
            for mime in sorted(data):
                if mime.startswith(("image/", "application/")):  # its content cannot be read by people
                    content = json.dumps(data[mime], sort_keys=True).encode()
                    yield f"[{mime} {hashlib.sha256(content).hexdigest()[:8]}]"


def _joined(text: object) -> str:
    return "".join(map(str, text)) if isinstance(text, list) else str(text or "")


def _title(source: str) -> str:
    line = next((line for line in source.splitlines() if line.strip()), "")
    return line if len(line) <= 80 else f"{line[:79]}…"
