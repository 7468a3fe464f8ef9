"""A flow's tasks and how they follow each other, as an SVG picture and as indented text."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

from nbflow.plugins.graph import FlowGraph, GraphEdge, GraphNode

_HEIGHT = 40
_GAP_X, _GAP_Y = 36, 12
_PAD = 12
_HEAD = 22
_LETTER = 7.2
_LONGEST = 32
_BLOCKS = {"tasks": "", "errors": "on errors", "finally": "finally", "afterExecution": "after the execution"}


@dataclass(slots=True)
class _Box:
    """A task, or one with tasks inside, with its size and its place inside the box around it."""

    title: str
    subtitle: str = ""
    inner: list[_Box] = field(default_factory=list)
    edges: list[tuple[int, int]] = field(default_factory=list)
    width: float = 0.0
    height: float = 0.0
    x: float = 0.0
    y: float = 0.0
    is_disabled: bool = False


def topology_svg(graph: FlowGraph) -> str:
    """The picture: time goes from left to right, what may run at once stands one below the other."""
    rows = []
    for block, title in _BLOCKS.items():
        nodes = [node for node in graph.children(None) if node.block == block]
        if nodes:
            rows.append(_group(graph, nodes, title))
    y = 1.0
    for row in rows:
        _measure(row, is_top=True)
        row.x, row.y = 1.0, y
        y += row.height + _GAP_Y
    width = max((row.width for row in rows), default=0) + 2
    height = max(y - _GAP_Y + 1, 1)
    shapes = "".join(_draw(row, 0, 0, is_top=True) for row in rows)
    return (
        f'<svg class="nbflow-topology" xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="sans-serif" font-size="12" role="img">'
        f"<title>{escape(', '.join(node.id for node in graph.nodes))}</title>{shapes}</svg>"
    )


def topology_text(graph: FlowGraph) -> str:
    """The same as indented lines; `after:` names what a task waits for, unless it is the one above."""
    lines: list[str] = []

    def add(parent: str | None, depth: int) -> None:
        before: str | None = None
        for node in graph.children(parent):
            needed = [edge.source for edge in graph.edges if edge.target == node.id]
            after = f"  after: {', '.join(needed)}" if needed and needed != [before] else ""
            where = " · ".join(part for part in (_BLOCKS[node.block] if parent is None else "", node.branch) if part)
            off = "  (disabled)" if node.is_disabled else ""
            lines.append(
                f"{'  ' * depth}{node.id}  {short_type(node.type)}{f'  [{where}]' if where else ''}{after}{off}"
            )
            add(node.id, depth + 1)
            before = node.id

    add(None, 0)
    return "\n".join(lines)


def short_type(type_name: str) -> str:
    """The last part of a type name: `Log` of `io.kestra.plugin.core.log.Log`; two parts where one says little."""
    parts = type_name.split(".")
    return ".".join(parts[-2:]) if len(parts) > 1 and parts[-1] in ("Query", "Script", "Commands") else parts[-1]


def _group(graph: FlowGraph, nodes: list[GraphNode], title: str) -> _Box:
    places = {node.id: number for number, node in enumerate(nodes)}
    return _Box(title, inner=[_box(graph, node) for node in nodes], edges=_edges(graph.edges, places))


def _box(graph: FlowGraph, node: GraphNode) -> _Box:
    children = graph.children(node.id)
    by_branch: dict[str, list[GraphNode]] = {}
    for child in children:
        by_branch.setdefault(child.branch, []).append(child)
    box = _Box(node.id, short_type(node.type), is_disabled=node.is_disabled)
    if len(by_branch) > 1 or any(by_branch):
        box.inner = [_group(graph, nodes, branch) for branch, nodes in by_branch.items()]
    elif children:
        inner = _group(graph, children, "")
        box.inner, box.edges = inner.inner, inner.edges
    return box


def _edges(edges: list[GraphEdge], places: dict[str, int]) -> list[tuple[int, int]]:
    return [
        (places[edge.source], places[edge.target]) for edge in edges if edge.source in places and edge.target in places
    ]


def _measure(box: _Box, *, is_top: bool = False) -> None:
    """Give a box its size, and what lies in it its place: a column for each step of the longest way there."""
    text = len(_head(box)) if box.inner else max(len(_cut(box.title)), len(_cut(box.subtitle)))
    box.width, box.height = text * _LETTER + 2 * _PAD, _HEIGHT
    if not box.inner:
        return
    for inner in box.inner:
        _measure(inner)
    columns: dict[int, list[_Box]] = {}
    for inner, column in zip(box.inner, _columns(len(box.inner), box.edges), strict=True):
        columns.setdefault(column, []).append(inner)
    pad = 0 if is_top and not box.title else _PAD
    head = 0 if is_top and not box.title else _HEAD
    x = float(pad)
    height = 0.0
    for column in sorted(columns):
        y = float(head)
        for inner in columns[column]:
            inner.x, inner.y = x, y
            y += inner.height + _GAP_Y
        height = max(height, y - _GAP_Y)
        x += max(inner.width for inner in columns[column]) + _GAP_X
    box.width, box.height = max(x - _GAP_X + pad, box.width), height + pad


def _head(box: _Box) -> str:
    """What stands above the boxes in a box."""
    return _cut(box.title) + (f" · {_cut(box.subtitle)}" if box.subtitle else "")


def _columns(count: int, edges: list[tuple[int, int]]) -> list[int]:
    """For each box the length of the longest way to it."""
    columns = [0] * count
    for _ in range(count):  # as many rounds as the longest way can have steps; a cycle would never settle
        changed = False
        for source, target in edges:
            if columns[target] < columns[source] + 1 <= count:
                columns[target], changed = columns[source] + 1, True
        if not changed:
            break
    return columns


def _draw(box: _Box, left: float, top: float, *, is_top: bool = False) -> str:
    x, y = left + box.x, top + box.y
    parts: list[str] = []
    if box.inner:
        if not is_top or box.title:
            parts.append(_rect(x, y, box, fill="#90a4ae", opacity="0.12", dash=is_top or not box.subtitle))
            parts.append(_text(x + _PAD, y + 15, _head(box), weight="bold" if box.subtitle else "normal"))
        for source, target in box.edges:
            parts.append(_arrow(box.inner[source], box.inner[target], x, y))
        parts.extend(_draw(inner, x, y) for inner in box.inner)
        return "".join(parts)
    parts.append(_rect(x, y, box, fill="#2196f3", opacity="0.05" if box.is_disabled else "0.16", dash=box.is_disabled))
    parts.append(_text(x + _PAD, y + 17, _cut(box.title), weight="bold"))
    parts.append(_text(x + _PAD, y + 32, _cut(box.subtitle), opacity="0.7"))
    return "".join(parts)


def _rect(x: float, y: float, box: _Box, *, fill: str, opacity: str, dash: bool) -> str:
    dashes = ' stroke-dasharray="4 3"' if dash else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="5" fill="{fill}" '
        f'fill-opacity="{opacity}" stroke="#90a4ae"{dashes}/>'
    )


def _text(x: float, y: float, text: str, *, weight: str = "normal", opacity: str = "1") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="currentColor" font-weight="{weight}" opacity="{opacity}">'
        f"{escape(text)}</text>"
    )


def _arrow(source: _Box, target: _Box, x: float, y: float) -> str:
    x1, y1 = x + source.x + source.width, y + source.y + min(source.height, _HEIGHT) / 2
    x2, y2 = x + target.x, y + target.y + min(target.height, _HEIGHT) / 2
    bend = max((x2 - x1) / 2, 8)
    return (
        f'<path d="M{x1:.1f} {y1:.1f}C{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}" '
        'fill="none" stroke="#90a4ae" stroke-width="1.5"/>'
        f'<path d="M{x2 - 6:.1f} {y2 - 4:.1f}L{x2:.1f} {y2:.1f}L{x2 - 6:.1f} {y2 + 4:.1f}z" fill="#90a4ae"/>'
    )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
