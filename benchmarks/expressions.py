"""What expressions cost beside plain Jinja2: parsing, compiling, rendering. Run: python benchmarks/expressions.py"""

from __future__ import annotations

import time
from collections.abc import Callable

import jinja2

from nbflow.expressions import Environment
from nbflow.expressions.parser import parse
from nbflow.source import validate

TEXT = "Hello {{ inputs.name | upper }} {{ outputs.a.value }}"
LOOP = "{% for item in items %}{{ loop.index }}:{{ item.name }}, {% endfor %}"
VARIABLES = {
    "inputs": {"name": "Ada"},
    "outputs": {"a": {"value": 3}},
    "items": [{"name": f"n{number}"} for number in range(100)],
}


def microseconds(run: Callable[[], object], rounds: int) -> float:
    """The best of five means."""
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(rounds):
            run()
        best = min(best, (time.perf_counter() - start) / rounds * 1e6)
    return best


def flow_text(tasks: int, salt: int) -> str:
    """A flow of log tasks, each with four expressions of its own."""
    lines = [f"id: big{salt}", "namespace: bench", "inputs:", "  - {id: name, type: STRING}", "tasks:"]
    lines += ["  - {id: t0, type: io.kestra.plugin.core.debug.Return, format: x}"]
    for number in range(1, tasks):
        lines += [
            f"  - id: t{number}",
            "    type: io.kestra.plugin.core.debug.Return",
            f"    description: task {number}",
            "    format: |",
            f"      {{{{ inputs.name | upper }}}} {number} {{{{ outputs.t{number - 1}.value ?? {salt} }}}}",
            f"      {{{{ now() | date('yyyy-MM-dd') }}}} {{{{ execution.id ~ '-{number}' }}}}",
        ]
    return "\n".join(lines)


def milliseconds_to_check(tasks: int) -> float:
    """The best of seven: a flow is read and checked, its 4 expressions a task among the rest; each text is new."""
    best = float("inf")
    for salt in range(7):
        text = flow_text(tasks, salt)
        start = time.perf_counter()
        assert not [problem for problem in validate(text) if problem.is_error]
        best = min(best, (time.perf_counter() - start) * 1e3)
    return best


def main() -> None:
    environment, plain = Environment(), jinja2.Environment()
    compiled, looped = plain.from_string(TEXT), plain.from_string(LOOP)
    uncached = environment._compiler.compile
    rows = [
        ("parse", microseconds(lambda: parse(TEXT), 1000), microseconds(lambda: plain.parse(TEXT), 1000)),
        (
            "parse and compile",
            microseconds(lambda: uncached(TEXT), 300),
            microseconds(lambda: plain.from_string(TEXT), 300),
        ),
        (
            "render",
            microseconds(lambda: environment.render(TEXT, VARIABLES), 20_000),
            microseconds(lambda: compiled.render(VARIABLES), 20_000),
        ),
        (
            "render a loop of 100",
            microseconds(lambda: environment.render(LOOP, VARIABLES), 1000),
            microseconds(lambda: looped.render(VARIABLES), 1000),
        ),
        (
            "render `dateAdd`",
            microseconds(
                lambda: environment.render("{{ '2024-03-15' | dateAdd(-1, 'DAYS', 'yyyy-MM-dd', 'UTC') }}", VARIABLES),
                5000,
            ),
            0.0,
        ),
    ]
    print(f"{'':22} {'nbflow':>10} {'Jinja2':>10} {'ratio':>6}   (microseconds)")
    for name, ours, theirs in rows:
        print(f"{name:22} {ours:10.1f} {theirs:10.1f} {ours / theirs if theirs else 0:6.2f}")
    floor = microseconds(lambda: plain.parse(TEXT), 1000) * 4 * 100 / 2 / 1000
    whole = milliseconds_to_check(100)
    print(f"\nload and check 100 tasks with 400 expressions: {whole:.0f} ms (Jinja2 parses them in {floor:.0f} ms)")


if __name__ == "__main__":
    main()
