"""Packages of others: installed from a wheel, found by their entry point, built on nothing but `nbflow.plugins`."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "tests" / "third_party" / "acme_weather"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which the sample package is installed: its wheel, unpacked, as installers do."""
    return install(SAMPLE, tmp_path_factory.mktemp("site"))


def install(package: Path, site: Path) -> Path:
    built = site.parent / f"{site.name}-wheel"
    copy = shutil.copytree(package, site.parent / f"{site.name}-source")  # building must not write into this tree
    build = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    built.mkdir()
    done = subprocess.run([sys.executable, "-c", build, str(built)], cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(built / done.stdout.split()[-1]) as wheel:
        wheel.extractall(site)
    return site


def python(site: Path, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run Python where the package is installed, and nbflow of this tree."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(site), str(ROOT)))}
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=environment, cwd=cwd)


def test_an_installed_package_passes_its_own_tests(site: Path, tmp_path: Path) -> None:
    shutil.copytree(SAMPLE / "tests", tmp_path / "tests")
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    done = python(site, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_types_of_an_installed_package_are_listed_and_explained(site: Path) -> None:
    listed = json.loads(python(site, "-m", "nbflow.cli.main", "plugins", "list", "-o", "json").stdout)
    kinds = {entry["kind"]: entry["type"] for entry in listed if entry["type"].startswith("acme.")}
    assert kinds.keys() == {"task", "trigger", "condition", "runner"}
    assert "acme.weather.Satellite" not in {entry["type"] for entry in listed}, "it cannot be used here"
    explained = python(site, "-m", "nbflow.cli.main", "plugins", "doc", "weather").stdout
    assert explained.startswith("acme.weather.Report\nalso: weather\n\nSum up measurements of a city")
    assert "(needs a secret WEATHER_TOKEN)" in explained
    called = python(site, "-m", "nbflow.cli.main", "expressions", "fahrenheit").stdout
    assert called.startswith("filter fahrenheit: value | fahrenheit([digits])")


@pytest.mark.parametrize("folder", [SAMPLE / "src"])
def test_the_sample_imports_nothing_of_nbflow_but_the_kit(folder: Path) -> None:
    imported = {
        node.module
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module is not None
    }
    assert {name for name in imported if name.split(".")[0] == "nbflow"} == {"nbflow.plugins"}


def test_a_package_begun_with_new_passes_its_own_tests_before_and_after_it_is_installed(tmp_path: Path) -> None:
    package = tmp_path / "acme-flows"
    begun = python(tmp_path, "-m", "nbflow.cli.main", "plugins", "new", "acme-flows", "--to", str(package))
    assert begun.returncode == 0, begun.stderr
    assert "src/acme_flows/tasks.py" in begun.stdout
    done = python(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", cwd=package)
    assert done.returncode == 0, done.stdout + done.stderr
    site = install(package, tmp_path / "site")
    rendered = python(site, "-m", "nbflow.cli.main", "render", "{{ 'Hello' | exclaim(times=2) }}")
    assert rendered.stdout == "Hello!!\n", rendered.stderr
    explained = python(site, "-m", "nbflow.cli.main", "plugins", "doc", "acme_flows_greet").stdout
    assert explained.startswith("acme_flows.Greet")


@pytest.mark.parametrize(("name", "there"), [("Acme", False), ("1st", False), ("acme", True)])
def test_new_refuses_names_that_are_none_and_folders_that_are_taken(tmp_path: Path, name: str, there: bool) -> None:
    package = tmp_path / name
    if there:
        package.mkdir()
        (package / "notes.txt").write_text("mine")
    done = python(tmp_path, "-m", "nbflow.cli.main", "plugins", "new", name, "--to", str(package))
    assert (done.returncode, done.stdout) == (2, "")
    assert ("is there already" if there else "cannot be the name of a package") in done.stderr
