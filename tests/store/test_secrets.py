"""Secrets at rest: nobody reads them without the key, and no key is ever replaced."""

from __future__ import annotations

import base64
import errno
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from nbflow.errors import SettingsError, StoreError
from nbflow.settings import Settings
from nbflow.store import InvalidNameError, SecretEntry, Store, is_encrypted
from nbflow.store.database import database_url
from tests.store.store_records import NOW, at

NS = "company.team"
KEY = base64.b64encode(bytes(range(32))).decode()


def _stored(settings: Settings) -> list[str]:
    engine = create_engine(database_url(settings))
    with engine.connect() as connection:
        found = [row.value for row in connection.execute(text("SELECT value FROM secrets ORDER BY name"))]
    engine.dispose()
    return found


@pytest.mark.parametrize("value", ["", "pass word", "é 世界 \ud800 \0", "x" * 100_000])
def test_a_secret_comes_back_as_it_was(store: Store, value: str) -> None:
    store.secrets.put(NS, "API_KEY", value, NOW)
    assert store.secrets.get(NS, "API_KEY") == value


def test_what_is_stored_says_nothing_of_the_secret(any_settings: Settings) -> None:
    with Store(any_settings) as store:
        store.secrets.put(NS, "ONE", "correct horse", NOW)
        store.secrets.put(NS, "TWO", "correct horse", NOW)
        one, two = _stored(any_settings)
        assert one != two, "the same secret twice cannot be told"
        assert is_encrypted(one)
        assert is_encrypted(two)
    plain = b"correct horse"
    for content in (plain, base64.b64encode(plain), base64.urlsafe_b64encode(plain)):
        assert all(content not in file.read_bytes() for file in any_settings.home.iterdir())


def test_a_secret_is_replaced_listed_and_deleted(store: Store) -> None:
    store.secrets.put(NS, "b", "one", NOW, description="old")
    store.secrets.put(NS, "b", "two", at(1))
    store.secrets.put(NS, "A", "three", at(2), description="why")
    store.secrets.put("company", "c", "four", NOW)
    assert store.secrets.list(NS) == [
        SecretEntry(NS, "A", at(2), at(2), "why"),
        SecretEntry(NS, "b", NOW, at(1)),
    ]
    assert [one.name for one in store.secrets.list()] == ["c", "A", "b"]
    assert "two" not in repr(store.secrets.list())
    assert store.secrets.delete(NS, "b") is True
    assert store.secrets.delete(NS, "b") is False
    assert store.secrets.get(NS, "b") is None


def test_the_nearest_secret_is_inherited(store: Store) -> None:
    store.secrets.put("a", "X", "of a", NOW)
    store.secrets.put("a.b", "X", "of a.b", NOW)
    store.secrets.put("a.b.c.d", "X", "of a child", NOW)
    store.secrets.put("ab", "Y", "of a stranger", NOW)
    inherited = store.secrets.get_inherited
    assert [inherited(one, "X") for one in ("a", "a.b", "a.b.c", "a.bc")] == ["of a", "of a.b", "of a.b", "of a"]
    assert inherited("a.b", "Y") is None
    assert store.secrets.get("a.b.c", "X") is None


@pytest.mark.parametrize("name", ["", "a b", "a/b", "-a", "é", "a\n"])
def test_a_wrong_name_is_refused(store: Store, name: str) -> None:
    with pytest.raises(InvalidNameError) as refused:
        store.secrets.put(NS, name, "x", NOW)
    assert str(refused.value) == f"`{name}` is no name of a secret (one matches [a-zA-Z0-9_][a-zA-Z0-9._-]*)"
    with pytest.raises(InvalidNameError, match="is no namespace"):
        store.secrets.put("a..b", "name", "x", NOW)


def test_other_texts_are_encrypted_with_the_same_key(settings: Settings) -> None:
    with Store(settings) as store:
        token = store.secrets.encrypt("pass word")
        bound = store.secrets.encrypt("pass word", "execution 1")
    assert token.startswith("nbflow-encrypted:1:")
    assert is_encrypted(token)
    assert not is_encrypted("pass word")
    with Store(settings) as store:
        assert store.secrets.decrypt(token) == "pass word"
        assert store.secrets.decrypt(bound, "execution 1") == "pass word"
        with pytest.raises(StoreError, match="it is damaged"):
            store.secrets.decrypt(bound, "execution 2")


def test_the_key_is_made_when_it_is_used_and_only_its_owner_may_read_it(settings: Settings) -> None:
    before = os.umask(0)
    try:
        with Store(settings) as store:
            assert store.secrets.get(NS, "none") is None
            assert not (settings.home / "secret.key").exists()
            store.secrets.put(NS, "X", "x", NOW)
    finally:
        os.umask(before)
    file = settings.home / "secret.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(base64.b64decode(file.read_bytes())) == 32
    assert [path.name for path in settings.home.iterdir() if "secret" in path.name] == ["secret.key"]


def test_threads_that_need_a_key_at_once_end_with_one(settings: Settings) -> None:
    with ExitStack() as open_stores, ThreadPoolExecutor(8) as pool:
        stores = [open_stores.enter_context(Store(settings)) for _ in range(8)]
        tokens = list(pool.map(lambda store: store.secrets.encrypt("x"), stores))
    with Store(settings) as store:
        assert [store.secrets.decrypt(token) for token in tokens] == ["x"] * 8


def test_processes_that_need_a_key_at_once_end_with_one(any_settings: Settings) -> None:
    code = (
        "import sys; from pathlib import Path; from datetime import *\n"
        "from nbflow.settings import Settings; from nbflow.store import Store\n"
        f"url = {any_settings.repository_url!r}\n"
        "with Store(Settings(Path(sys.argv[1]), durability='normal', repository_url=url)) as store:\n"
        "    print('ready', flush=True); sys.stdin.readline()\n"
        "    store.secrets.put('a', f'of-{sys.argv[2]}', sys.argv[2], datetime.now(UTC))\n"
    )
    Store(any_settings).close()
    with ExitStack() as stack:
        runs = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", code, str(any_settings.home), str(number)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            for number in range(4)
        ]
        for run in runs:
            assert run.stdout is not None
            assert run.stdout.readline() == "ready\n"
        for run in runs:
            assert run.stdin is not None
            run.stdin.write("\n")
            run.stdin.flush()
        assert [run.communicate(timeout=60)[1] for run in runs] == [""] * 4
    with Store(any_settings) as store:
        assert [store.secrets.get("a", f"of-{number}") for number in range(4)] == ["0", "1", "2", "3"]


def test_a_file_system_without_links_has_a_key_too(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    with Store(settings) as one, Store(settings) as two:
        assert two.secrets.decrypt(one.secrets.encrypt("x")) == "x"
    assert [path.name for path in settings.home.iterdir() if "secret" in path.name] == ["secret.key"]


@pytest.mark.parametrize("size", [16, 24, 32])
def test_the_key_of_the_settings_is_taken_and_no_file_is_made(settings: Settings, size: int) -> None:
    key = base64.urlsafe_b64encode(b"\xff" * size).decode() + "\n"
    with Store(replace(settings, encryption_key=key)) as store:
        store.secrets.put(NS, "X", "x", NOW)
        assert store.secrets.get(NS, "X") == "x"
    assert not (settings.home / "secret.key").exists()


def test_the_environment_wins_over_the_file_of_settings(home: Path) -> None:
    home.mkdir()
    assert Settings.load(home, {}).encryption_key is None
    assert Settings.load(home, {"NBFLOW_ENCRYPTION_KEY": KEY}).encryption_key == KEY
    (home / "nbflow.yaml").write_text("kestra: {encryption: {secret-key: '${MINE:of the file}'}}")
    assert Settings.load(home, {}).encryption_key == "of the file"
    settings = Settings.load(home, {"NBFLOW_ENCRYPTION_KEY": KEY})
    assert settings.encryption_key == KEY
    assert KEY not in repr(settings)


@pytest.mark.parametrize("key", ["hunter2", base64.b64encode(b"x" * 31).decode(), "é" * 32, " "])
def test_what_is_no_key_is_refused_and_not_shown(settings: Settings, key: str) -> None:
    with Store(replace(settings, encryption_key=key)) as store, pytest.raises(SettingsError) as refused:
        store.secrets.put(NS, "X", "x", NOW)
    assert str(refused.value) == "the setting encryption.secretKey is no key: it must be base64 of 16, 24 or 32 bytes"


@pytest.mark.parametrize("content", [b"", b"hunter2", b"\xff\xfe"])
def test_a_damaged_file_of_the_key_is_left_alone(settings: Settings, content: bytes) -> None:
    file = settings.home / "secret.key"
    with Store(settings) as store:
        file.write_bytes(content)
        with pytest.raises((SettingsError, StoreError), match=r"secret\.key"):
            store.secrets.put(NS, "X", "x", NOW)
    assert file.read_bytes() == content


def test_a_lost_key_is_said_and_not_replaced(settings: Settings) -> None:
    with Store(settings) as store:
        store.secrets.put(NS, "X", "x", NOW)
    file = settings.home / "secret.key"
    file.rename(settings.home / "elsewhere")
    with Store(settings) as store:
        for use in (lambda: store.secrets.get(NS, "X"), lambda: store.secrets.put(NS, "Y", "y", NOW)):
            with pytest.raises(StoreError) as refused:
                use()
            assert str(refused.value) == (
                f"the key of the secrets is gone: there is no file {file} "
                "(bring it back, or set NBFLOW_ENCRYPTION_KEY to the key that they were encrypted with)"
            )
        assert [one.name for one in store.secrets.list(NS)] == ["X"]
        (settings.home / "elsewhere").rename(file)
        assert store.secrets.get(NS, "X") == "x"


def test_another_key_is_said_and_nothing_is_lost(any_settings: Settings) -> None:
    with Store(replace(any_settings, encryption_key=KEY)) as store:
        store.secrets.put(NS, "X", "x", NOW)
    other = base64.b64encode(b"other key 123456").decode()
    with Store(replace(any_settings, encryption_key=other)) as store:
        with pytest.raises(StoreError) as refused:
            store.secrets.get_inherited(f"{NS}.inner", "X")
        assert refused.value.message.startswith(
            "the secret `X` of company.team was encrypted with another key than that of the settings ("
        )
        assert refused.value.hint == "bring that key back, or store the secret anew"
    with Store(replace(any_settings, encryption_key=KEY)) as store:
        assert store.secrets.get(NS, "X") == "x"


def test_a_damaged_token_is_one_clear_error(settings: Settings) -> None:
    with Store(settings) as store:
        token = store.secrets.encrypt("x")
        head, _, sealed = token.rpartition(":")
        flipped = sealed[:20] + ("A" if sealed[20] != "A" else "B") + sealed[21:]
        for broken in (f"{head}:", f"{head}:é", f"{head}:{sealed[:-4]}", f"{head}:{flipped}", f"{head}:{sealed[:8]}"):
            with pytest.raises(StoreError, match=r"^the text cannot be decrypted: it is damaged \(store it anew\)$"):
                store.secrets.decrypt(broken)
        with pytest.raises(StoreError, match="the text is not encrypted: it does not begin with nbflow-encrypted:1:"):
            store.secrets.decrypt("x")


def test_a_secret_cannot_take_the_place_of_another(any_settings: Settings) -> None:
    with Store(any_settings) as store:
        store.secrets.put(NS, "A", "a", NOW)
        store.secrets.put(NS, "B", "b", NOW)
        token = _stored(any_settings)[0]
        engine = create_engine(database_url(any_settings))
        with engine.begin() as connection:
            connection.execute(text("UPDATE secrets SET value = :token WHERE name = 'B'"), {"token": token})
        engine.dispose()
        with pytest.raises(StoreError, match=r"the secret `B` of company\.team cannot be decrypted"):
            store.secrets.get(NS, "B")


def test_opening_a_home_does_not_import_cryptography(home: Path) -> None:
    code = (
        "import sys; from nbflow.settings import Settings; from nbflow.store import Store\n"
        "Store(Settings.load()).close(); print('cryptography' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
