"""Values as a schema of Avro wants them: texts are read, dates with patterns of Java."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from nbflow.errors import TemplateError
from nbflow.expressions.java.date_parsing import read_pattern
from nbflow.expressions.java.date_patterns import elements
from nbflow.expressions.java.moments import zone

TRUE = ("t", "true", "enabled", "1", "on", "yes")
FALSE = ("f", "false", "disabled", "0", "off", "no", "")
NULL = ("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "1.#IND", "1.#QNAN", "NA", "n/a", "nan", "null")

Schema = Any
"""A schema of Avro as JSON gives it: a name, a list (a union) or a map."""


class UnfitError(ValueError):
    """A value is not what the schema wants."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads values by a schema."""

    true_values: Sequence[str] = TRUE
    false_values: Sequence[str] = FALSE
    null_values: Sequence[str] = NULL
    date_format: str = "yyyy-MM-dd[XXX]"
    time_format: str = "HH:mm[:ss][.SSSSSS][XXX]"
    datetime_format: str = "yyyy-MM-dd'T'HH:mm[:ss][.SSSSSS][XXX]"
    decimal_separator: str = "."
    strict_schema: bool = False
    infer_all_fields: bool = False
    time_zone: tzinfo = UTC
    zone_id: str = "UTC"
    named: dict[str, Schema] = field(default_factory=dict)

    def read(self, schema: Schema, value: object, path: str = "") -> object:
        """The value. Raises: UnfitError that names its path."""
        if isinstance(schema, list):
            return self._union(schema, value, path)
        kind, more = (schema["type"], schema) if isinstance(schema, dict) else (schema, {})
        if isinstance(kind, dict | list):
            return self.read(kind, value, path)
        if kind in self.named:
            return self.read(self.named[kind], value, path)
        name = more.get("logicalType") or kind
        try:
            if kind in ("record", "error"):
                return self._record(more, value, path)
            if kind == "array":
                items = value if isinstance(value, list | tuple) else _fail(value)
                return [self.read(more["items"], item, f"{path}[{index}]") for index, item in enumerate(items)]
            if kind == "map":
                entries = value if isinstance(value, Mapping) else _fail(value)
                return {str(key): self.read(more["values"], item, f"{path}.{key}") for key, item in entries.items()}
            if kind == "enum":
                return value if value in more["symbols"] else _fail(value)
            read = _READERS.get(name) or _READERS.get(kind)
            if read is None:
                raise UnfitError(f"`{path}`: the schema has a type `{kind}` that is not known")
            found = read(self, value)
            return found.quantize(Decimal(1).scaleb(-int(more.get("scale", 0)))) if name == "decimal" else found
        except UnfitError:
            raise
        except (ValueError, TypeError, ArithmeticError, TemplateError, KeyError) as wrong:
            raise UnfitError(f"`{path}` is no {name}: {value!r:.100}") from wrong

    def _record(self, schema: Mapping[str, Any], value: object, path: str) -> dict[str, object]:
        fields = schema["fields"]
        if isinstance(value, list | tuple):
            value = dict(zip((one["name"] for one in fields), value, strict=False))
        if not isinstance(value, Mapping):
            _fail(value)
        assert isinstance(value, Mapping)
        if self.strict_schema:
            names = {name for one in fields for name in (one["name"], *one.get("aliases", ()))}
            unknown = [key for key in value if key not in names]
            if unknown:
                raise UnfitError(f"`{path}{unknown[0]}` is not in the schema")
        record: dict[str, object] = {}
        for one in fields:
            name = one["name"]
            key = next((key for key in (name, *one.get("aliases", ())) if key in value), None)
            if key is None and "default" in one:
                record[name] = one["default"]
            else:
                record[name] = self.read(one["type"], None if key is None else value[key], f"{path}.{name}".lstrip("."))
        return record

    def _union(self, schemas: Sequence[Schema], value: object, path: str) -> object:
        failure: UnfitError | None = None
        if value is None and "null" in schemas:
            return None
        for schema in [*[one for one in schemas if one != "null"], *[one for one in schemas if one == "null"]]:
            if schema == "string" and len(schemas) > 1 and "null" in schemas and self._is_null(value):
                return None
            if schema != "string" and "null" in schemas and self._is_null(value):
                return None
            try:
                return self.read(schema, value, path)
            except UnfitError as wrong:
                failure = failure or wrong
        raise failure or UnfitError(f"`{path}`: the schema allows nothing")

    def _is_null(self, value: object) -> bool:
        return value is None or (isinstance(value, str) and value in self.null_values)

    def null(self, value: object) -> None:
        if not self._is_null(value):
            _fail(value)

    def boolean(self, value: object) -> bool:
        if isinstance(value, bool):
            return value
        text = str(value).lower() if value is not None else _fail(value)
        if text in self.true_values:
            return True
        return False if text in self.false_values else bool(_fail(value))

    def integer(self, value: object) -> int:
        if isinstance(value, bool) or value is None:
            _fail(value)
        if isinstance(value, str):
            return int(value.strip())
        number = Decimal(str(value))
        return int(number) if number == number.to_integral_value() else int(str(_fail(value)))

    def number(self, value: object) -> float:
        if isinstance(value, bool):
            _fail(value)
        return float(self._dotted(value)) if isinstance(value, str) else float(value)  # type: ignore[arg-type]  # refused below

    def decimal(self, value: object) -> Decimal:
        if isinstance(value, bool) or value is None:
            _fail(value)
        try:
            return Decimal(self._dotted(str(value)))
        except InvalidOperation:
            return Decimal(str(_fail(value)))

    def _dotted(self, text: str) -> str:
        return text.strip() if self.decimal_separator == "." else text.strip().replace(self.decimal_separator, ".")

    def text(self, value: object) -> str:
        if value is None:
            _fail(value)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, datetime | date | time):
            return value.isoformat()
        if isinstance(value, dict | list):
            import json

            return json.dumps(value, ensure_ascii=False, default=str)
        return str(value)

    def bytes(self, value: object) -> bytes:
        if isinstance(value, bytes | bytearray):
            return bytes(value)
        return value.encode() if isinstance(value, str) else str(_fail(value)).encode()

    def uuid(self, value: object) -> uuid.UUID:
        return uuid.UUID(str(value))

    def date(self, value: object) -> date:
        if isinstance(value, datetime):
            return value.date()
        if isinstance(value, date):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return date(1970, 1, 1) + timedelta(days=value)
        text = value if isinstance(value, str) else str(_fail(value))
        try:
            return date.fromisoformat(text)
        except ValueError:
            return self._moment(text, self.date_format, "yyyy-MM-dd").date()

    def time(self, value: object) -> time:
        if isinstance(value, time):
            return value.replace(tzinfo=None)
        text = value if isinstance(value, str) else str(_fail(value))
        try:
            return time.fromisoformat(text).replace(tzinfo=None)
        except ValueError:
            return self._moment(f"1970-01-01 {text}", f"yyyy-MM-dd {self.time_format}", None).time()

    def instant(self, value: object) -> datetime:
        if isinstance(value, datetime):
            moment = value
        elif isinstance(value, date):
            moment = datetime(value.year, value.month, value.day)
        elif isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, UTC)
        else:
            text = value if isinstance(value, str) else str(_fail(value))
            try:
                moment = datetime.fromisoformat(text)
            except ValueError:
                moment = self._moment(text, self.datetime_format, None)
        return moment if moment.tzinfo else moment.replace(tzinfo=self.time_zone)

    def local(self, value: object) -> datetime:
        return self.instant(value).replace(tzinfo=None)

    def _moment(self, text: str, pattern: str, other: str | None) -> datetime:
        try:
            moment = read_pattern(text, elements(pattern), zone(self.zone_id))
        except TemplateError:
            if other is None:
                raise
            moment = read_pattern(text, elements(other), zone(self.zone_id))
        instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=moment.epoch, microseconds=moment.nano // 1000)
        return instant.astimezone(timezone(timedelta(seconds=moment.offset)))


def _fail(value: object) -> Any:  # Any: it never returns
    raise ValueError(f"{value!r} does not fit")


_READERS: dict[str, Callable[[Reader, object], Any]] = {  # Any: each gives its own type
    "null": Reader.null,
    "boolean": Reader.boolean,
    "int": Reader.integer,
    "long": Reader.integer,
    "float": Reader.number,
    "double": Reader.number,
    "string": Reader.text,
    "bytes": Reader.bytes,
    "fixed": Reader.bytes,
    "decimal": Reader.decimal,
    "uuid": Reader.uuid,
    "date": Reader.date,
    "time-millis": Reader.time,
    "time-micros": Reader.time,
    "timestamp-millis": Reader.instant,
    "timestamp-micros": Reader.instant,
    "local-timestamp-millis": Reader.local,
    "local-timestamp-micros": Reader.local,
}


def named_types(schema: Schema, found: dict[str, Schema] | None = None) -> dict[str, Schema]:
    """The records, enums and fixed types of a schema by name: they are written out once, and named later."""
    found = {} if found is None else found
    if isinstance(schema, list):
        for one in schema:
            named_types(one, found)
    elif isinstance(schema, dict):
        if schema.get("type") in ("record", "enum", "fixed", "error") and "name" in schema:
            found[schema["name"]] = schema
            if schema.get("namespace"):
                found[f"{schema['namespace']}.{schema['name']}"] = schema
        for one in schema.get("fields", ()):
            named_types(one["type"], found)
        for key in ("items", "values"):
            named_types(schema.get(key), found)
        if isinstance(schema.get("type"), dict | list):
            named_types(schema["type"], found)
    return found
