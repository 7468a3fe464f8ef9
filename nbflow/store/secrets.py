"""Secrets of namespaces, encrypted at rest with AES-GCM.

    nbflow-encrypted:1:<mark of the key>:<base64url of nonce, ciphertext, tag>

The key is the setting `encryption.secretKey`, or else lies in the file `secret.key` of the home, made on first use.
Several homes that share one repository need the setting: a file is this home's alone.
"""

from __future__ import annotations

import base64
import binascii
import builtins
import contextlib
import hashlib
import os
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, select, update

from nbflow.errors import SettingsError, StoreError
from nbflow.model.namespace import lineage
from nbflow.settings import Settings
from nbflow.store import tables
from nbflow.store.database import Database, hold_flow
from nbflow.store.files import sync_directory
from nbflow.store.namespaces import InvalidNameError, checked_namespace
from nbflow.store.records import from_micros, storable, to_micros
from nbflow.store.writer import Writer
from nbflow.types import new_id

TOKEN_PREFIX = "nbflow-encrypted:1:"
"""What an encrypted text begins with."""

KEY_FILE = "secret.key"

_NAME = re.compile("[a-zA-Z0-9_][a-zA-Z0-9._-]*")
_NONCE = 12  # bytes; NIST SP 800-38D section 5.2.1.1
_SIZES = (16, 24, 32)

_secrets = tables.secrets


@dataclass(frozen=True, slots=True)
class SecretEntry:
    """What is known of a secret, without its value."""

    namespace: str
    name: str
    created: datetime
    updated: datetime
    description: str | None = None


class SecretStore:
    """Keeps secrets by namespace and name, and encrypts other texts of the history with the same key."""

    def __init__(self, database: Database, writer: Writer, settings: Settings) -> None:
        self._database = database
        self._writer = writer
        self._settings = settings
        self._key: bytes | None = None

    def put(self, namespace: str, name: str, value: str, now: datetime, description: str | None = None) -> None:
        """Keep a secret in place of the one before. Raises: InvalidNameError; SettingsError; StoreError."""
        checked_namespace(namespace)
        if not _NAME.fullmatch(name):
            raise InvalidNameError(f"`{name}` is no name of a secret", hint=f"one matches {_NAME.pattern}")
        moment = to_micros(now)
        values: dict[str, Any] = {  # Any: each column has a type of its own
            "value": self.encrypt(value, _place(namespace, name)),
            "description": None if description is None else storable(description),
            "updated": moment,
        }

        def work(connection: Connection) -> None:
            hold_flow(connection, "", "secrets")  # two machines must not both find that it is a new one
            if not connection.execute(update(_secrets).where(_is(namespace, name)).values(values)).rowcount:
                connection.execute(
                    _secrets.insert().values(namespace=namespace, name=name, created=moment, **values),
                )

        self._writer.call(work)

    def get(self, namespace: str, name: str) -> str | None:
        """The value of a namespace's own secret; None when there is none. Raises: SettingsError; StoreError."""
        return self._nearest([namespace], name)

    def get_inherited(self, namespace: str, name: str) -> str | None:
        """The value of a secret of the namespace or, if it has none, of its nearest parent that has; None otherwise.

        Raises: SettingsError; StoreError.
        """
        return self._nearest(lineage(namespace), name)

    def delete(self, namespace: str, name: str) -> bool:
        """Delete a secret; False when there is none."""
        forget = delete(_secrets).where(_is(namespace, name))
        return self._writer.call(lambda connection: bool(connection.execute(forget).rowcount))

    def list(self, namespace: str | None = None) -> builtins.list[SecretEntry]:
        """The secrets of a namespace, or all, without their values; sorted by namespace and name."""
        query = select(_secrets).order_by(_secrets.c.namespace, _secrets.c.name)
        if namespace is not None:
            query = query.where(_secrets.c.namespace == namespace)
        return [
            SecretEntry(row.namespace, row.name, from_micros(row.created), from_micros(row.updated), row.description)
            for row in self._database.all(query)
        ]

    def encrypt(self, text: str, context: str = "") -> str:
        """A token that holds a text, different each time; `decrypt` takes it with the same `context` alone.

        Raises: SettingsError when the key cannot be used; StoreError when it is gone.
        """
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # only those wait for it who have secrets

        key = self._key_to_use(may_make=True)
        nonce = os.urandom(_NONCE)
        sealed = AESGCM(key).encrypt(nonce, text.encode("utf-8", "surrogatepass"), context.encode())
        return f"{TOKEN_PREFIX}{_mark(key)}:{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def decrypt(self, token: str, context: str = "") -> str:
        """The text in a token. Raises: StoreError when it is none, damaged or of another key; SettingsError."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        what = f"the secret {context}" if context else "the text"
        if not is_encrypted(token):
            raise StoreError(f"{what} is not encrypted: it does not begin with {TOKEN_PREFIX}")
        mark, _, sealed = token.removeprefix(TOKEN_PREFIX).partition(":")
        key = self._key_to_use(may_make=False)
        if mark != _mark(key):
            raise StoreError(
                f"{what} was encrypted with another key than {self._key_name} ({mark}, not {_mark(key)})",
                hint="bring that key back, or store the secret anew",
            )
        try:
            content = base64.b64decode(sealed, altchars=b"-_", validate=True)
            return (
                AESGCM(key)
                .decrypt(content[:_NONCE], content[_NONCE:], context.encode())
                .decode("utf-8", "surrogatepass")
            )
        except (InvalidTag, ValueError) as cause:
            raise StoreError(f"{what} cannot be decrypted: it is damaged", hint="store it anew") from cause

    def _nearest(self, namespaces: builtins.list[str], name: str) -> str | None:
        query = select(_secrets).where(_secrets.c.namespace.in_(namespaces), _secrets.c.name == name)
        row = max(self._database.all(query), key=lambda row: len(row.namespace), default=None)
        return None if row is None else self.decrypt(row.value, _place(row.namespace, name))

    @property
    def _file(self) -> Path:
        return self._settings.home / KEY_FILE

    @property
    def _key_name(self) -> str:
        return "that of the settings" if self._settings.encryption_key else f"that in {self._file}"

    def _key_to_use(self, may_make: bool) -> bytes:
        if self._key is None:
            if self._settings.encryption_key:
                self._key = _read_key(self._settings.encryption_key, "the setting encryption.secretKey")
            else:
                self._key = self._key_of_file(may_make)
        return self._key

    def _key_of_file(self, may_make: bool) -> bytes:
        try:
            if not self._file.exists():
                # Asked before the file is looked for again: another process may make the key and use it meanwhile.
                has_secrets = self._database.first(select(_secrets.c.name).limit(1)) is not None
                if (has_secrets or not may_make) and not self._file.exists():
                    raise StoreError(
                        f"the key of the secrets is gone: there is no file {self._file}",
                        hint="bring it back, or set NBFLOW_ENCRYPTION_KEY to the key that they were encrypted with",
                    )
                _make_key(self._file)
            return _read_key(self._file.read_text(encoding="utf-8"), str(self._file))
        except (OSError, UnicodeDecodeError) as cause:
            raise StoreError(f"the key of the secrets, {self._file}, cannot be used: {cause}") from cause


def is_encrypted(text: str) -> bool:
    """Whether a text is what `SecretStore.encrypt` gives."""
    return text.startswith(TOKEN_PREFIX)


def _place(namespace: str, name: str) -> str:
    return f"`{name}` of {namespace}"


def _is(namespace: str, name: str) -> ColumnElement[bool]:
    return and_(_secrets.c.namespace == namespace, _secrets.c.name == name)


def _mark(key: bytes) -> str:
    """What tells keys apart and says nothing about them."""
    return hashlib.sha256(b"nbflow key " + key).hexdigest()[:8]


def _read_key(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode("".join(text.split()).translate({45: "+", 95: "/"}), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) not in _SIZES:
        raise SettingsError(f"{where} is no key: it must be base64 of 16, 24 or 32 bytes")  # not shown: it is secret
    return key


def _make_key(file: Path) -> None:
    """Make the file with a fresh key, whole and readable by its owner alone, unless somebody was quicker."""
    content = base64.b64encode(os.urandom(32)) + b"\n"
    fresh = file.with_name(f"{file.name}.{new_id()}")
    try:
        _write_new(fresh, content)
        try:
            # A link, since a rename would replace the key of a quicker process, which may have used it already.
            os.link(fresh, file)
        except FileExistsError:
            return
        except OSError:  # a file system without links
            with contextlib.suppress(FileExistsError):
                _write_new(file, content)
        sync_directory(file.parent)
    finally:
        fresh.unlink(missing_ok=True)


def _write_new(file: Path, content: bytes) -> None:
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
        target.write(content)
        target.flush()
        os.fsync(target.fileno())
