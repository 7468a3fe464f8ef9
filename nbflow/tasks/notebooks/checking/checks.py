"""All checks of a notebook together, and what a run of it in a clean kernel needs beside it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from nbflow.tasks.notebooks.checking.files import files_of
from nbflow.tasks.notebooks.checking.finding import Finding, code_cells
from nbflow.tasks.notebooks.checking.hidden_state import hidden_state_of
from nbflow.tasks.notebooks.checking.packages import packages_of
from nbflow.tasks.notebooks.checking.secrets import secrets_of
from nbflow.tasks.notebooks.loading import Notebook
from nbflow.tasks.notebooks.parameters import declared_in, language_of


@dataclass(frozen=True, slots=True)
class Check:
    """What was found, in the order of the cells; and the files beside the notebook that it reads (`needs`)."""

    findings: list[Finding] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)

    @property
    def errors(self) -> list[Finding]:
        """What a run would fail of, or should never hold."""
        return [finding for finding in self.findings if finding.is_error]


def check_notebook(notebook: Notebook, directory: Path, declared: Collection[str] = ()) -> Check:
    """Look at a notebook of a folder. `declared` are files that are handed over. Nothing is run; files are looked for.

    A notebook in another language than Python is only searched for secrets.
    """
    cells = code_cells(notebook)
    findings = secrets_of(cells)
    needs: list[str] = []
    if language_of(notebook) == "python":
        parameters = {parameter.name for parameter in declared_in(notebook)}
        findings += hidden_state_of(cells, parameters)
        findings += packages_of(cells, directory)
        unknown, needs = files_of(cells, directory, declared)
        findings += unknown
    return Check(sorted(findings, key=lambda finding: (finding.cell, finding.line, not finding.is_error)), needs)
