"""`nbflow triggers` and `nbflow backfill` over a home."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbflow.engine import Engine
from tests.cli.cli_calls import Nbflow

NIGHTLY = """\
id: nightly
namespace: company.team
tasks:
  - id: date
    type: io.kestra.plugin.core.debug.Return
    format: "{{ trigger.date }}"
triggers:
  - id: daily
    type: io.kestra.plugin.core.trigger.Schedule
    cron: "30 2 * * *"
    timezone: Europe/Berlin
  - id: hook
    type: io.kestra.plugin.core.trigger.Webhook
    key: a-very-secret-key
"""

LOOKING = """\
id: looking
namespace: company.team
tasks:
  - id: found
    type: io.kestra.plugin.core.debug.Return
    format: "{{ trigger | length }}"
triggers:
  - id: files
    type: io.kestra.plugin.fs.local.Trigger
    from: %s
    interval: PT10S
    action: NONE
"""


@pytest.fixture
def nightly(home: Path) -> tuple[str, str, str]:
    with Engine(home) as engine:
        engine.deploy(NIGHTLY)
    return ("company.team", "nightly", "daily")


def test_triggers_are_listed_and_switched(nbflow: Nbflow, nightly: tuple[str, str, str]) -> None:
    rows = [line.split() for line in nbflow("triggers", "list").out.splitlines()[1:]]
    assert [row[2:5] for row in rows] == [["daily", "SCHEDULE", "on"], ["hook", "WEBHOOK", "on"]]
    assert nbflow("triggers", "disable", *nightly).out == "company.team/nightly/daily off\n"
    assert nbflow("triggers", "get", *nightly, "-o", "json").json["disabled"] is True
    assert nbflow("trigger", "enable", "company.team.nightly", "daily", "-o", "json").json["disabled"] is False
    assert nbflow("triggers", "disable", "company.team/nightly/daily").status == 0
    named = ("--namespace", "company.team", "--flow-id", "nightly", "--trigger-id", "daily")
    assert nbflow("triggers", "enable", *named).status == 0
    unlocked = nbflow("triggers", "unlock", *nightly)
    assert (unlocked.status, "is not locked" in unlocked.err) == (2, True)
    kept = nbflow("triggers", "delete", *nightly)
    assert (kept.status, "take it out of the flow first" in kept.err) == (2, True)
    assert nbflow("triggers", "restart", *nightly).status == 0
    unknown = nbflow("triggers", "get", "company.team", "nightly", "dialy")
    assert (unknown.status, "did you mean `daily`?" in unknown.err) == (2, True)
    assert nbflow("triggers", "disable", "company.team.nightly").status == 2


def test_triggers_of_a_namespace_are_switched_together(nbflow: Nbflow, nightly: tuple[str, str, str]) -> None:
    assert nbflow("triggers", "by-query", "disable", "-n", "company").out == "disable: 2 of 2 triggers\n"
    assert nbflow("triggers", "enable-by-query", "--namespace", "company.team").out == "enable: 2 of 2 triggers\n"
    assert nbflow("triggers", "by-query", "unlock", "-n", "company").out == "unlock: 0 of 2 triggers\n"
    assert nbflow("triggers", "by-query", "disable").status == 2


def test_the_dates_that_come_are_shown(nbflow: Nbflow, nightly: tuple[str, str, str], tmp_path: Path) -> None:
    done = nbflow("triggers", "next", "company.team", "nightly", "-c", "2", "--from", "2026-01-01", "-o", "json")
    assert [one["date"] for one in done.json] == ["2026-01-01T01:30:00+00:00", "2026-01-02T01:30:00+00:00"]
    spring = ("--from", "2026-03-28", "--days", "2")
    shown = nbflow("triggers", "simulate", "company.team.nightly", *spring)
    assert "daily" in shown.out
    assert len(nbflow("triggers", "simulate", "company.team.nightly", *spring, "-o", "json").json["dates"]) == 2
    (tmp_path / "other.yaml").write_text(NIGHTLY.replace("30 2 * * *", "0 0 * * 1"))
    weekly = nbflow(
        "triggers", "simulate", "--file", str(tmp_path / "other.yaml"), *spring, "--days", "14", "-o", "csv"
    )
    assert len(weekly.out.splitlines()) == 3


def test_a_backfill_is_planned_and_run(nbflow: Nbflow, nightly: tuple[str, str, str]) -> None:
    days = ("--start", "2026-01-01", "--end", "2026-01-04")
    planned = nbflow("backfill", "create", *nightly, *days, "--dry-run")
    assert planned.out.splitlines()[-1] == "3 dates, oldest first; nothing was run"
    assert nbflow("backfill", "list").out == "no backfills\n"
    ran = nbflow("backfill", "create", *nightly, *days, "--input", "a=b", "--label", "why=test", "-o", "json").json
    assert (ran["state"], ran["succeeded"]) == ("DONE", 3)
    labelled = nbflow("executions", "list", "--label", "why=test", "--label", "backfill=true", "-o", "json").json
    assert len(labelled) == 3
    missing = nbflow(
        "backfill",
        "create",
        *nightly,
        "--start",
        "2026-01-01",
        "--end",
        "2026-01-05",
        "--only",
        "missing",
        "-o",
        "json",
    )
    assert missing.json["total"] == 1
    listed = nbflow(
        "triggers", "create-backfill", *nightly, "--date", "2026-02-01", "--date", "2026-02-03", "-o", "json"
    )
    assert (listed.json["total"], listed.json["state"]) == (2, "DONE")
    assert len(nbflow("backfills", "list", "-o", "json").json) == 3
    assert nbflow("backfill", "get", ran["id"]).out == f"{ran['id']} DONE 3 of 3\n"
    over = nbflow("backfill", "pause", ran["id"])
    assert (over.status, "there is nothing to pause" in over.err) == (2, True)
    none = nbflow("backfill", "cancel", *nightly)
    assert (none.status, "no backfill" in none.err) == (2, True)


def test_a_backfill_that_makes_no_sense_is_refused(nbflow: Nbflow, nightly: tuple[str, str, str]) -> None:
    assert "say `start`, or list `dates`" in nbflow("backfill", "create", *nightly).err
    assert nbflow("backfill", "create", *nightly, "--start", "2026-01-01", "--order", "random").status == 2
    assert nbflow("backfill", "create", *nightly, "--start", "someday").status == 2
    assert nbflow("backfill", "get").status == 2


def test_a_polling_trigger_looks_once(nbflow: Nbflow, home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "watched"
    folder.mkdir()
    with Engine(home) as engine:
        engine.deploy(LOOKING % folder)
    assert nbflow("triggers", "poll", "company.team", "looking", "files").out == "nothing was found\n"
    (folder / "a.txt").write_text("a")
    found = nbflow("triggers", "poll", "company.team", "looking", "files", "-o", "json")
    assert found.json["state"]["current"] == "SUCCESS"
