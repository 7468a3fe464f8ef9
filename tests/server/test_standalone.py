"""`nbflow server` as a process: where it listens, whom it lets in, and how it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from nbflow.engine import Engine
from nbflow.errors import SettingsError
from nbflow.server.standalone import is_loopback, with_credentials
from nbflow.settings import Settings
from nbflow.testing import eventually
from tests.server.live import SECONDS, live_server

SLOW = """\
id: slow
namespace: a.b
tasks:
  - id: nap
    type: io.kestra.plugin.core.flow.Sleep
    duration: PT{seconds}S
  - id: after
    type: io.kestra.plugin.core.debug.Return
    format: done
"""


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_it_refuses_to_be_open_to_others_without_a_password(tmp_path: Path, host: str) -> None:
    command = [
        sys.executable,
        "-m",
        "nbflow.cli.main",
        "server",
        "--home",
        str(tmp_path),
        "--host",
        host,
        "--port",
        "0",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 2
    assert "neither a token nor a password is set" in done.stderr
    assert "--basic-auth" in done.stderr


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("[::1]", True), ("0.0.0.0", False), ("8.8.8.8", False)],
)
def test_loopback_is_told_from_the_rest(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_credentials_come_from_the_environment_and_the_command_line_wins(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path, {"NBFLOW_TOKEN": "of-env", "NBFLOW_BASIC_AUTH": "ada:pass:word"})
    assert (settings.server.token, settings.server.username, settings.server.password) == ("of-env", "ada", "pass:word")
    assert with_credentials(settings, "mine", None).server.token == "mine"
    with pytest.raises(SettingsError, match="user:password"):
        with_credentials(settings, None, "ada")
    with pytest.raises(SettingsError, match="user:password"):
        Settings.load(tmp_path, {"NBFLOW_BASIC_AUTH": "ada"})


def test_credentials_come_from_the_configuration_file(tmp_path: Path) -> None:
    (tmp_path / "nbflow.yaml").write_text(
        "kestra:\n  server:\n    basic-auth: {username: ada, password: '${PASS:x}'}\n    termination-grace-period: 5s\n"
    )
    server = Settings.load(tmp_path, {"PASS": "secret"}).server
    assert (server.username, server.password, server.grace.total_seconds()) == ("ada", "secret", 5.0)
    assert "secret" not in repr(server)


def test_without_credentials_this_machine_is_let_in_and_other_sites_are_not(tmp_path: Path) -> None:
    with live_server(tmp_path) as server:
        assert requests.get(f"{server.url}/api/health", timeout=SECONDS).json() == {"status": "UP"}
        address = f"{server.url}/api/v1/flows"
        text = SLOW.format(seconds=0)
        foreign = {"Origin": "https://elsewhere.example"}
        assert requests.post(address, text, headers=foreign, timeout=SECONDS).status_code in (403, 404)
        rebound = requests.post(address, text, headers={"Host": "elsewhere.example"}, timeout=SECONDS)
        assert rebound.status_code == 403
        assert requests.post(address, text, timeout=SECONDS).status_code == 200


def test_running_executions_get_their_time_when_it_stops(tmp_path: Path) -> None:
    with Engine(tmp_path) as engine:
        engine.deploy(SLOW.format(seconds=2))
    with live_server(tmp_path, "--token", "t") as server:
        headers = {"Authorization": "Bearer t"}
        started = requests.post(f"{server.url}/api/v1/executions/a.b/slow", headers=headers, timeout=SECONDS).json()
        assert server.stop(signal.SIGTERM) == 0
    with Engine(tmp_path) as engine:
        assert engine.execution(started["id"]).state == "SUCCESS"


def test_what_is_not_done_in_time_goes_on_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "nbflow.yaml").write_text("nbflow:\n  server:\n    terminationGracePeriod: 1s\n")
    with Engine(tmp_path) as engine:
        engine.deploy(SLOW.format(seconds=300))
    with live_server(tmp_path, "--token", "t") as server:
        headers = {"Authorization": "Bearer t"}
        started = requests.post(f"{server.url}/api/v1/executions/a.b/slow", headers=headers, timeout=SECONDS).json()
        assert server.stop(signal.SIGTERM) == 0
    with Engine(tmp_path) as engine:
        assert engine.execution(started["id"]).state in ("RUNNING", "CREATED")
        engine.kill(started["id"])
        assert engine.wait(started["id"], timeout=SECONDS).state == "KILLED"


def test_a_schedule_fires_while_nobody_looks(tmp_path: Path) -> None:
    text = SLOW.format(seconds=0) + (
        "triggers:\n  - id: often\n    type: io.kestra.plugin.core.trigger.Schedule\n"
        "    cron: '* * * * * *'\n    withSeconds: true\n"
    )
    with live_server(tmp_path, "--token", "t") as server:
        headers = {"Authorization": "Bearer t"}
        assert requests.post(f"{server.url}/api/v1/flows", text, headers=headers, timeout=SECONDS).status_code == 200

        def has_fired() -> bool:
            found = requests.get(
                f"{server.url}/api/v1/executions/search?state=SUCCESS", headers=headers, timeout=SECONDS
            )
            return bool(found.json()["total"] >= 2)

        eventually(has_fired, SECONDS)
        status = requests.get(f"{server.url}/api/v1/scheduler", headers=headers, timeout=SECONDS).json()
        assert status["running"] is True
