"""What tests of every layer share: a home of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbflow.settings import Settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that does not exist yet; `NBFLOW_HOME` names it."""
    place = tmp_path / "home"
    monkeypatch.setenv("NBFLOW_HOME", str(place))
    return place


@pytest.fixture
def settings(home: Path) -> Settings:
    """Settings of that home. Durability "normal": a test needs no power loss survived, and is quicker."""
    return Settings(home, durability="normal")
