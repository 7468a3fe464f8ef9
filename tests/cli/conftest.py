"""The command line inside the test's process, over a home of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from nbflow.cli.main import invoke
from tests.cli.cli_calls import Done, Nbflow


@pytest.fixture
def nbflow(home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Nbflow:
    """`nbflow("flows", "list")`: status and output of the whole entry point, errors included."""

    def call(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["nbflow", *arguments])
        status = invoke()
        out, err = capfd.readouterr()
        return Done(status, out, err)

    return call
