"""Values that flows keep under a key of their namespace, some until they expire."""

from __future__ import annotations

import builtins
import json
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Connection, and_, delete, or_, select, true, union_all

from nbflow.errors import ConflictError, NbflowError
from nbflow.model.durations import format_duration
from nbflow.store import tables
from nbflow.store.database import Database, hold_flow, within_namespace
from nbflow.store.namespaces import InvalidNameError, checked_namespace
from nbflow.store.records import from_micros, optional_instant, optional_micros, storable, to_json, to_micros
from nbflow.store.writer import Writer
from nbflow.types import JsonValue

KEY_PATTERN = "[a-zA-Z0-9][a-zA-Z0-9._-]*"
"""What a key looks like, from its first character to its last."""

_KEY = re.compile(KEY_PATTERN)
_WHOLE = re.compile(r"[-+]?[0-9]+")

_kv = tables.kv


class InvalidValueError(NbflowError, ValueError):
    """A value is not of the type that it shall be stored as, or its time to live is none."""

    code: ClassVar[str] = "value-invalid"


class KvType(StrEnum):
    """What a stored value is. DATETIME, DATE and DURATION are kept as ISO 8601 text, an instant in UTC."""

    STRING = "STRING"
    NUMBER = "NUMBER"
    BOOLEAN = "BOOLEAN"
    DATETIME = "DATETIME"
    DATE = "DATE"
    DURATION = "DURATION"
    JSON = "JSON"

    @classmethod
    def _missing_(cls, value: object) -> KvType:
        raise InvalidValueError(f"`{value}` is no type of a stored value", hint=f"there are {', '.join(cls)}")

    @classmethod
    def of(cls, value: object) -> KvType:
        """The type of a Python value; STRING for None, as in Kestra."""
        match value:
            case None | str():
                return cls.STRING
            case bool():
                return cls.BOOLEAN
            case int() | float():
                return cls.NUMBER
            case datetime():
                return cls.DATETIME
            case date():
                return cls.DATE
            case timedelta():
                return cls.DURATION
        return cls.JSON


@dataclass(frozen=True, slots=True)
class KvEntry:
    """What is known of a stored value. `revision` counts, from 1, how often the key was written since it was new."""

    namespace: str
    key: str
    type: KvType
    revision: int
    created: datetime
    updated: datetime
    expires: datetime | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class KvValue(KvEntry):
    """A stored value with what is known of it; dates and durations are text."""

    value: JsonValue = None


class KvStore:
    """Keeps values by namespace and key. One that has expired is as if absent, until `purge_expired` takes it away."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer

    def knows(self, namespace: str) -> bool:
        """Whether there is such a namespace: a flow, a stored value, a secret or settings are in it, or below."""
        flows = tables.flows
        places = (
            (flows.c.namespace, flows.c.deleted.is_(None)),
            (_kv.c.namespace, true()),
            (tables.secrets.c.namespace, true()),
            (tables.namespaces.c.id, true()),
        )
        named = union_all(
            *(select(name).where(within_namespace(name, namespace, True), is_there) for name, is_there in places)
        )
        return self._database.first(named.limit(1)) is not None

    def put(
        self,
        namespace: str,
        key: str,
        value: object,
        now: datetime,
        *,
        type: KvType | str | None = None,
        description: str | None = None,
        ttl: timedelta | None = None,
        expires: datetime | None = None,
        overwrite: bool = True,
    ) -> KvValue:
        """Keep a value, with its description and end, in place of the one before; returns what is now there.

        `type` unless said is that of the Python value; said, it reads the value as `read_kv_value` does. It expires
        after `ttl`, or at the instant `expires`; never when neither is given.

        Raises: InvalidNameError; InvalidValueError; ConflictError when there is a value and `overwrite` is False.
        """
        checked_namespace(namespace)
        kind = KvType.of(value) if type is None else KvType(type)
        moment, end = to_micros(now), optional_micros(_end(now, ttl, expires))
        row: dict[str, Any] = {  # Any: each column has a type of its own
            "namespace": namespace,
            "key": checked_key(key),
            "type": str(kind),
            "value": to_json(read_kv_value(value, kind), f"the value of {key}"),
            "description": None if description is None else storable(description),
            "revision": 1,
            "created": moment,
            "updated": moment,
            "expires": end,
        }

        def work(connection: Connection) -> KvValue:
            _hold(connection)
            before = connection.execute(select(_kv).where(_is(namespace, key), _lives(now))).first()
            if before is not None:
                if not overwrite:
                    raise ConflictError(
                        f"the key `{key}` of {namespace} holds a value already", hint="set `overwrite` to replace it"
                    )
                row.update(revision=before.revision + 1, created=before.created)
            connection.execute(delete(_kv).where(_is(namespace, key)))
            connection.execute(_kv.insert().values(row))
            return _value_from_row(connection.execute(select(_kv).where(_is(namespace, key))).one())

        return self._writer.call(work)

    def get(self, namespace: str, key: str, now: datetime, *, even_expired: bool = False) -> KvValue | None:
        """The value of a key, None when there is none; with `even_expired` one that waits to be purged as well."""
        query = select(_kv).where(_is(namespace, key))
        row = self._database.first(query if even_expired else query.where(_lives(now)))
        return None if row is None else _value_from_row(row)

    def delete(self, namespace: str, key: str, now: datetime) -> bool:
        """Delete a value; False when there is none."""

        def work(connection: Connection) -> bool:
            _hold(connection)
            was_there = connection.execute(select(_kv.c.key).where(_is(namespace, key), _lives(now))).first()
            connection.execute(delete(_kv).where(_is(namespace, key)))
            return was_there is not None

        return self._writer.call(work)

    def list(self, namespace: str | None, now: datetime, *, prefix: bool = False) -> builtins.list[KvEntry]:
        """What is stored in a namespace, without the values, sorted by namespace and key; None: everywhere.

        `prefix` takes the namespaces below `namespace` in as well.
        """
        columns = [column for column in _kv.c if column is not _kv.c.value]  # a value may be large
        query = select(*columns).where(_lives(now)).order_by(_kv.c.namespace, _kv.c.key)
        if namespace is not None:
            query = query.where(within_namespace(_kv.c.namespace, namespace, prefix))
        return [KvEntry(**_fields(row)) for row in self._database.all(query)]

    def purge_expired(self, now: datetime, namespace: str | None = None, *, prefix: bool = False) -> int:
        """Take away what has expired, everywhere or as `list` selects; returns how many values that were."""
        gone = delete(_kv).where(_kv.c.expires <= to_micros(now))
        if namespace is not None:
            gone = gone.where(within_namespace(_kv.c.namespace, namespace, prefix))

        def work(connection: Connection) -> int:
            _hold(connection)
            return connection.execute(gone).rowcount

        return self._writer.call(work)


def checked_key(key: str) -> str:
    """The key itself. Raises: InvalidNameError when it is none."""
    if not _KEY.fullmatch(key):
        raise InvalidNameError(f"`{key}` is no key", hint=f"a key matches {KEY_PATTERN}")
    return key


def read_kv_value(value: object, type: KvType | str) -> JsonValue:
    """A value of a type as JSON, from text (`42`, `true`, `2024-01-31`, `PT5M`, `{"a": 1}`) or a Python value.

    Raises: InvalidValueError, which says what was expected.
    """
    from nbflow.model import input_values as read  # it brings a YAML parser along, which opening a home can do without

    kind = KvType(type)
    try:
        match kind:
            case KvType.STRING:
                return None if value is None else read.to_text(value)
            case KvType.NUMBER:
                is_whole = isinstance(value, int) or (isinstance(value, str) and _WHOLE.fullmatch(value.strip()))
                return read.to_int(value) if is_whole else read.to_float(value)
            case KvType.BOOLEAN:
                return read.to_bool(value)
            case KvType.DATETIME:
                return read.format_instant(read.to_instant(value))
            case KvType.DATE:
                return read.to_date(value).isoformat()
            case KvType.DURATION:
                return format_duration(read.to_duration(value))
            case KvType.JSON:
                return read.to_json(value)
    except (ValueError, OverflowError) as cause:
        raise InvalidValueError(f"a value of type {kind} {cause}") from cause


def _end(now: datetime, ttl: timedelta | None, expires: datetime | None) -> datetime | None:
    if ttl is None:
        return expires
    if expires is not None or ttl < timedelta():
        reason = "is given beside `expires`" if expires is not None else "is negative"
        raise InvalidValueError(f"the time to live {reason}", hint="give one `ttl` such as PT1H, or one instant")
    try:
        return now + ttl
    except OverflowError as cause:
        raise InvalidValueError("the time to live reaches beyond the year 9999", hint="leave it out") from cause


def _hold(connection: Connection) -> None:
    """Let no other machine write here until the transaction ends: one lock for all keys, none waits crosswise."""
    hold_flow(connection, "", "kv")


def _is(namespace: str, key: str) -> ColumnElement[bool]:
    return and_(_kv.c.namespace == namespace, _kv.c.key == key)


def _lives(now: datetime) -> ColumnElement[bool]:
    return or_(_kv.c.expires.is_(None), _kv.c.expires > to_micros(now))


def _fields(row: Any) -> dict[str, Any]:  # Any: SQLAlchemy names a row's columns as attributes
    return {
        "namespace": row.namespace,
        "key": row.key,
        "type": KvType(row.type),
        "revision": row.revision,
        "created": from_micros(row.created),
        "updated": from_micros(row.updated),
        "expires": optional_instant(row.expires),
        "description": row.description,
    }


def _value_from_row(row: Any) -> KvValue:  # Any: as above
    return KvValue(**_fields(row), value=json.loads(row.value))
