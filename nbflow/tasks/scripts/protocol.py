"""What a script says by printing: `::{"outputs": …, "metrics": …, "logs": …}::` on a line of its own.

Source: Kestra's documentation of scripts, "Outputs and metrics from script tasks".
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from nbflow.plugins import LogLevel
from nbflow.types import JsonValue

_LEVELS = {**{level.value: level for level in LogLevel}, "WARNING": LogLevel.WARN}
_LEVELS.update(CRITICAL=LogLevel.ERROR, FATAL=LogLevel.ERROR, NOTSET=LogLevel.INFO)

_DEEPEST = 100  # pydantic, which checks outputs, gives up at some 250
_TOO_DEEP = f"it is nested more than {_DEEPEST} levels deep"


@dataclass(frozen=True, slots=True)
class SaidMetric:
    """A number a script reports; timers are in milliseconds here."""

    name: str
    type: str
    value: float
    tags: Mapping[str, str]


@dataclass(slots=True)
class Message:
    """What one line says. `faults` names the parts that could not be read."""

    outputs: dict[str, JsonValue] = field(default_factory=dict)
    metrics: list[SaidMetric] = field(default_factory=list)
    logs: list[tuple[LogLevel, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def read_message(line: str) -> Message | None:
    """The message of a line; None when the line is none."""
    if not (line.startswith("::{") and line.endswith("}::")):
        return None
    message = Message()
    try:
        said = json.loads(line[2:-2], parse_float=_finite, parse_constant=_finite)
    except ValueError:
        message.faults.append("it is no JSON")
        return message
    except RecursionError:
        message.faults.append(_TOO_DEEP)
        return message
    outputs = said.get("outputs")
    if _is_too_deep(outputs):
        message.faults.append(_TOO_DEEP)
    elif isinstance(outputs, dict):
        message.outputs = outputs
    elif outputs is not None:
        message.faults.append("`outputs` is no map")
    for entry in _entries(said, "metrics", message):
        metric = _metric(entry)
        if metric is None:
            message.faults.append("a metric needs `name`, `type` (counter, timer, gauge) and a number as `value`")
        else:
            message.metrics.append(metric)
    for entry in _entries(said, "logs", message):
        level = _LEVELS.get(str(entry.get("level", "INFO")).upper(), LogLevel.INFO)
        message.logs.append((level, str(entry.get("message", ""))))
    return message


def _finite(text: str) -> float | None:
    """A number; None for NaN and the infinities, which Python writes and JSON does not have."""
    number = float(text)
    return number if math.isfinite(number) else None


def _is_too_deep(value: object) -> bool:
    """Whether a value is nested deeper than what takes it in further on; looks level by level, without recursion."""
    level = [value]
    for _ in range(_DEEPEST):
        level = [item for part in level if isinstance(part, dict | list) for item in _items(part)]
        if not level:
            return False
    return True


def _items(part: dict[str, object] | list[object]) -> Iterable[object]:
    return part.values() if isinstance(part, dict) else part


def _entries(said: Mapping[str, object], key: str, message: Message) -> Iterator[Mapping[str, object]]:
    entries = said.get(key, [])
    if not isinstance(entries, list):
        entries = [entries]
    for entry in entries:
        if isinstance(entry, dict):
            yield entry
        else:
            message.faults.append(f"`{key}` holds something that is no map")


def _metric(entry: Mapping[str, object]) -> SaidMetric | None:
    name, kind, value, tags = entry.get("name"), entry.get("type"), entry.get("value"), entry.get("tags")
    if not isinstance(name, str) or kind not in ("counter", "timer", "gauge"):
        return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    labels = {str(key): str(item) for key, item in tags.items()} if isinstance(tags, dict) else {}
    # A timer is in seconds as it is printed, and in milliseconds as it is kept.
    return SaidMetric(name, str(kind), value * 1000 if kind == "timer" else value, labels)
