"""`nbflow validate`: problems as compilers show them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.cli_calls import BROKEN, HELLO, Nbflow, run_process


def test_a_valid_flow_is_said_to_be_valid(nbflow: Nbflow, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(HELLO)
    done = nbflow("validate", str(tmp_path / "a.yaml"))
    assert (done.status, done.out) == (0, "1 flow in 1 file: valid, 0 errors, 0 warnings\n")


@pytest.mark.parametrize("spelling", [("validate",), ("flow", "validate"), ("flows", "validate")])
def test_every_file_of_a_directory_is_checked(nbflow: Nbflow, tmp_path: Path, spelling: tuple[str, ...]) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.yaml").write_text(HELLO)
    (tmp_path / "sub" / "b.yml").write_text(f"{HELLO}---\n{BROKEN}")
    done = nbflow(*spelling, str(tmp_path))
    assert done.status == 2
    line = len(HELLO.splitlines()) + 6
    assert done.out.startswith(f"{tmp_path / 'sub' / 'b.yml'}:{line}:11  tasks[0].type: ")
    assert f"{line} |     type: io.kestra.plugin.core.log.Lob\n" in done.out
    assert done.out.endswith("3 flows in 2 files: not valid, 1 error, 0 warnings\n")


def test_problems_come_as_json(nbflow: Nbflow, tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(BROKEN)
    done = nbflow("validate", str(tmp_path), "--output", "json")
    [entry] = done.json
    assert (done.status, entry["valid"]) == (2, False)
    assert (entry["problems"][0]["line"], entry["problems"][0]["path"]) == (5, "tasks[0].type")


def test_standard_input_is_checked(home: Path) -> None:
    done = run_process(home, ["validate", "-"], stdin=BROKEN)
    assert done.status == 2
    assert done.out.startswith("<stdin>:5:11")
    assert not home.exists()  # a check leaves nothing behind


def test_what_cannot_be_read_ends_with_2(nbflow: Nbflow, tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"id: caf\xe9")
    assert nbflow("validate", str(tmp_path / "none.yaml")).err == f"error: there is no file {tmp_path / 'none.yaml'}\n"
    assert "is not UTF-8 text" in nbflow("validate", str(tmp_path / "latin.yaml")).err
    (tmp_path / "empty").mkdir()
    assert "there is no YAML file" in nbflow("validate", str(tmp_path / "empty")).err
