"""Pictures of what the stories show: for people, kept where `NBFLOW_PICTURES` says, if it says so."""

from __future__ import annotations

import os
from pathlib import Path


def keep_picture(name: str, picture: bytes) -> None:
    """Keep a PNG under a name."""
    folder = os.environ.get("NBFLOW_PICTURES")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.png").write_bytes(picture)
