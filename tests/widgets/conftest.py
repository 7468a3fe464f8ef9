"""Fixtures of the tests of views: an engine, and a real kernel, each with a home of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nbflow.engine import Engine
from tests.widgets.kernels import Kernel, open_kernel


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path / "home") as engine:
        yield engine


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    with open_kernel(tmp_path / "kernel-home", tmp_path) as kernel:
        yield kernel
