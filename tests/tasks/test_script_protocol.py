"""What a line of a script says."""

from __future__ import annotations

import pytest

from nbflow.plugins import LogLevel
from nbflow.tasks.scripts.protocol import Message, SaidMetric, read_message


@pytest.mark.parametrize("line", ["hello", "::", "::{}", "{}::", "a ::{}::", "::{}:: b", "::[1]::", ""])
def test_other_lines_are_no_messages(line: str) -> None:
    assert read_message(line) is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('::{"outputs": {"a": 1, "b": [null]}}::', Message(outputs={"a": 1, "b": [None]})),
        (
            '::{"metrics": [{"name": "rows", "type": "counter", "value": 3, "tags": {"file": 1}}]}::',
            Message(metrics=[SaidMetric("rows", "counter", 3, {"file": "1"})]),
        ),
        (
            '::{"metrics": [{"name": "load", "type": "timer", "value": 1.5}]}::',
            Message(metrics=[SaidMetric("load", "timer", 1500.0, {})]),
        ),
        (
            '::{"logs": [{"level": "WARNING", "message": "careful"}, {"message": "plain"}]}::',
            Message(logs=[(LogLevel.WARN, "careful"), (LogLevel.INFO, "plain")]),
        ),
        ('::{"assets": {"id": "a"}}::', Message()),
        (
            '::{"outputs": {"a": NaN, "b": [-Infinity, 1e999, 1.5]}}::',
            Message(outputs={"a": None, "b": [None, None, 1.5]}),
        ),
        (
            '::{"outputs": {"a": 1}, "logs": [{"level": "error", "message": "x"}]}::',
            Message(outputs={"a": 1}, logs=[(LogLevel.ERROR, "x")]),
        ),
    ],
)
def test_messages_are_read(line: str, message: Message) -> None:
    assert read_message(line) == message


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("::{outputs: 1}::", "it is no JSON"),
        ('::{"outputs": [1]}::', "`outputs` is no map"),
        ('::{"outputs": {"a": ' + "[" * 200 + "]" * 200 + "}}::", "it is nested more than 100 levels deep"),
        ('::{"outputs": {"a": ' + "[" * 200_000 + "]" * 200_000 + "}}::", "it is nested more than 100 levels deep"),
        (
            '::{"metrics": [{"name": "a", "type": "counter", "value": NaN}]}::',
            "a metric needs `name`, `type` (counter, timer, gauge) and a number as `value`",
        ),
        ('::{"metrics": ["a"]}::', "`metrics` holds something that is no map"),
        (
            '::{"metrics": [{"name": "a", "type": "counter", "value": "3"}]}::',
            "a metric needs `name`, `type` (counter, timer, gauge) and a number as `value`",
        ),
    ],
)
def test_what_cannot_be_read_is_named(line: str, fault: str) -> None:
    message = read_message(line)
    assert message is not None
    assert message.faults == [fault]
