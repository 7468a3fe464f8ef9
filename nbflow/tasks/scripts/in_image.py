"""What a script brings along where it runs with the programs of an image, and not with those of this machine."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

_STAND_IN = Path(__file__).parent / "stand_in" / "kestra.py"


def environment_in_image(own: Mapping[str, str], library: str) -> dict[str, str]:
    """The environment of a script, beside the image's: the task's own, and where it may import `kestra` from."""
    path = [own["PYTHONPATH"]] if own.get("PYTHONPATH") else []
    quiet = {"PIP_ROOT_USER_ACTION": "ignore", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return {
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
        **quiet,
        **own,
        "PYTHONPATH": ":".join([*path, library]),
    }


def install_in_image(dependencies: Sequence[str]) -> str:
    """The shell command that installs Python packages in a container."""
    return shlex.join(["python", "-m", "pip", "install", "--quiet", *dependencies])


def put_stand_in(directory: Path, task_run_id: str) -> Path:
    """Put a folder into the directory from which `kestra` can be imported where the image has no such package."""
    library = directory / f".nbflow-lib-{task_run_id}"
    library.mkdir(exist_ok=True)
    shutil.copyfile(_STAND_IN, library / _STAND_IN.name)
    return library


def remove(path: Path) -> None:
    """Remove a file, or a folder with all in it, that may be gone already."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
