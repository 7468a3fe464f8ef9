"""`nbflow migrate` and `nbflow doctor`."""

from __future__ import annotations

from pathlib import Path

from nbflow.source import validate
from nbflow.source.migrating import migrate
from tests.cli.cli_calls import BROKEN, HELLO, Nbflow

OLDER = """\
# what this flow is for
id:   older      # odd spaces stay
namespace: company.team

taskDefaults:
  - type: "io.kestra.core.tasks.log.Log"
    values: {level: INFO}

inputs:
  - name: who    # was called name then
    type: string
tasks:
  - { id: greet, type: 'io.kestra.core.tasks.log.Log', message: "io.kestra.core.tasks.log.Log says {{ inputs.who }}" }
  - id: each
    type: io.kestra.core.tasks.flows.Sequential
    tasks:
      - id: answer
        type: io.kestra.core.tasks.debugs.Return
        format: hi
"""

PRESENT = """\
# what this flow is for
id:   older      # odd spaces stay
namespace: company.team

pluginDefaults:
  - type: "io.kestra.core.tasks.log.Log"
    values: {level: INFO}

inputs:
  - id: who    # was called name then
    type: STRING
tasks:
  - { id: greet, type: 'io.kestra.plugin.core.log.Log', message: "io.kestra.core.tasks.log.Log says {{ inputs.who }}" }
  - id: each
    type: io.kestra.plugin.core.flow.Sequential
    tasks:
      - id: answer
        type: io.kestra.plugin.core.debug.Return
        format: hi
"""


def test_older_names_are_replaced_where_they_stand() -> None:
    found = migrate(OLDER)
    assert found.text == PRESENT
    assert found.left == []
    assert [(change.line, change.older, change.newer) for change in found.changes][:2] == [
        (5, "taskDefaults", "pluginDefaults"),
        (10, "name", "id"),
    ]
    assert not [problem for problem in validate(found.text) if "older" in problem.message]


def test_what_is_present_stays_as_it_is() -> None:
    assert migrate(HELLO).text == HELLO
    assert migrate(BROKEN).text == BROKEN
    assert migrate("").text == ""


def test_line_ends_and_many_documents_are_kept() -> None:
    text = (OLDER + "---\n" + OLDER.replace("id:   older", "id: second")).replace("\n", "\r\n")
    found = migrate(text)
    assert found.text == (PRESENT + "---\n" + PRESENT.replace("id:   older", "id: second")).replace("\n", "\r\n")


def test_what_has_another_shape_is_left_to_people() -> None:
    text = HELLO + "taskDefaults:\n  message: hi\n"
    found = migrate(text)
    assert found.text == text
    assert [problem.path for problem in found.left] == ["taskDefaults"]


def test_the_difference_comes_first_and_files_change_when_told(nbflow: Nbflow, tmp_path: Path) -> None:
    file = tmp_path / "older.yaml"
    file.write_text(OLDER)
    shown = nbflow("migrate", str(tmp_path), "--check")
    assert shown.status == 1
    assert (
        "-    type: io.kestra.core.tasks.flows.Sequential\n+    type: io.kestra.plugin.core.flow.Sequential"
        in shown.out
    )
    assert file.read_text() == OLDER
    assert nbflow("flows", "migrate", str(file), "-o", "json").json[0]["changes"][0]["newer"] == "pluginDefaults"
    assert nbflow("migrate", str(file), "--write").out.endswith("6 older spellings in 1 file replaced\n")
    assert file.read_text() == PRESENT
    assert nbflow("migrate", str(file), "--check").out == "nothing to change\n"


def test_the_doctor_tells_what_it_found_and_how_to_mend_it(nbflow: Nbflow, home: Path) -> None:
    done = nbflow("doctor", "-o", "json")
    assert done.status == 0, done.out
    found = {check["name"]: check for check in done.json}
    assert {"python", "home", "store", "scheduler", "port", "plugins", "kernels", "docker", "node", "extras"} <= set(
        found
    )
    assert found["store"]["verdict"] == "ok"
    assert all(check["mend"] for check in done.json if check["verdict"] != "ok")


def test_the_doctor_knows_a_home_that_cannot_be_used(nbflow: Nbflow, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "nbflow.yaml").write_text("nbflow: [\n")
    done = nbflow("doctor", "--home", str(tmp_path / "bad"))
    assert done.status == 2
    assert "bad   settings" in done.out
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "nbflow.db").mkdir()
    assert nbflow("doctor", "--home", str(tmp_path / "broken")).status == 2
