"""What tests of `nbflow.source` share: a registry of small plugins."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from nbflow.plugins.registry import Registry

sys.path.insert(0, str(Path(__file__).parent))  # so that `parts` can be imported whichever import mode is set

from tests.source.parts import make_registry


@pytest.fixture(scope="session")
def registry() -> Registry:
    return make_registry()
