"""How many lines of each file a commit would change."""

from __future__ import annotations

import re
from pathlib import Path

from nbflow.tasks.git.repository import Git
from nbflow.types import JsonValue

_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")


async def changed_lines(git: Git, target: Path, before: str) -> list[dict[str, JsonValue]]:
    """A row for each file that differs from a commit (or a tree) in the index, sorted by path.

    As Kestra counts: of a changed piece, the lines that there are more or fewer of, or else its lines as `changes`.
    """
    options = ("--cached", "--no-color", "--no-ext-diff", "--no-renames", "--unified=0")
    names = await git.run("diff", *options[:-1], "--name-only", before, at=target)
    counts = {name: [0, 0, 0] for name in names}
    name = ""
    for line in await git.run("diff", *options, before, at=target):
        if line.startswith(("--- a/", "+++ b/")) and line[6:].rstrip("\t") in counts:
            name = line[6:].rstrip("\t")
        match = _HUNK.match(line)
        if match is None or not name:
            continue
        old, new = (int(part) if part is not None else 1 for part in match.groups())
        counts[name][0] += max(new - old, 0)
        counts[name][1] += max(old - new, 0)
        counts[name][2] += new if new == old else 0
    return [
        {"file": name, "additions": f"+{more}", "deletions": f"-{fewer}", "changes": str(changed)}
        for name, (more, fewer, changed) in sorted(counts.items())
    ]
