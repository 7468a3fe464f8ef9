"""The command line inside the test's process, over a home of its own."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import pytest

from nbflow.cli.main import main
from tests.cli.cli_calls import Done, Nbflow


@pytest.fixture
def nbflow(home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Nbflow:
    """`nbflow("flows", "list")`: status and output of the whole entry point, errors included."""

    def call(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["nbflow", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        code = ended.value.code
        gc.unfreeze()  # `main` sets the collector up for a process that ends
        gc.enable()
        return Done(code if isinstance(code, int) else 0 if code is None else 1, out, err)

    return call
