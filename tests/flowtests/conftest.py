"""The command line and a notebook's shell, over a home of their own."""

from __future__ import annotations

from tests.cli.conftest import nbflow
from tests.magics.conftest import run, shell

__all__ = ["nbflow", "run", "shell"]
