"""Walks over statements in the order they run, and notes which names they read, bind, change and delete."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from nbflow.tasks.cells.functions import (
    Effects,
    bound_by,
    changed_by_call,
    effects_of,
    effects_of_class,
    parts_of,
    root_name,
    surroundings,
)


@dataclass(slots=True)
class Scan:
    """Walks over statements in their order. `bound` names have a value for certain, `maybe` ones only on some ways."""

    bound: set[str] = field(default_factory=set)
    maybe: set[str] = field(default_factory=set)
    reads: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    deletes: set[str] = field(default_factory=set)
    temporary: set[str] = field(default_factory=set)
    lasting: set[str] = field(default_factory=set)
    functions: dict[str, Effects] = field(default_factory=dict)
    calls: list[tuple[str, tuple[str | None, ...], tuple[tuple[str, str], ...]]] = field(default_factory=list)
    now_bound: set[str] = field(default_factory=set)
    """Names bound, and below those changed, since somebody cleared the set."""
    now_changed: set[str] = field(default_factory=set)
    _hidden: list[set[str]] = field(default_factory=list)
    _open: set[str] = field(default_factory=set)

    def block(self, nodes: Iterable[ast.stmt]) -> None:
        for node in nodes:
            self.statement(node)

    def statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                self._assign(targets, value)
            case ast.AnnAssign(target=target, value=value):
                self.expression(node.annotation)
                if value is not None:
                    self._assign([target], value)
            case ast.AugAssign(target=target, value=value):
                self.expression(value)
                name = root_name(target)
                if name:
                    self._use(name)
                    self._change(name)
                self._bind(target)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                for part in surroundings(node):
                    self.expression(part)
                self._define(node.name, effects_of(node))
                if node.decorator_list:
                    self._use(node.name)
            case ast.ClassDef():
                for part in surroundings(node):
                    self.expression(part)
                effects = effects_of_class(node)
                at_once = Scan()
                at_once.block(node.body)
                for name in at_once.reads:
                    self._use(name)
                self._define(node.name, effects)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                for alias in names:
                    if alias.name != "*":
                        self._name(bound_by(alias))
            case ast.Delete(targets=targets):
                for target in targets:
                    self._delete(target)
            case ast.If(test=test, body=body, orelse=other):
                self.expression(test)
                self._either([body, other])
            case ast.For(target=target, iter=many) | ast.AsyncFor(target=target, iter=many):
                self.expression(many)
                loop = self._branch()
                loop._bind(target, temporary=True)
                loop.block(node.body)
                self._merge([loop, self._branch()])
                self._optional(node.orelse)
            case ast.While(test=test, body=body, orelse=other):
                self.expression(test)
                self._optional(body)
                self._optional(other)
            case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
                for item in items:
                    self.expression(item.context_expr)
                    if item.optional_vars is not None:
                        self._bind(item.optional_vars, temporary=True)
                self.block(body)
            case ast.Try() | ast.TryStar():
                self._try(node)
            case ast.Match(subject=subject, cases=cases):
                self._match(subject, cases)
            case ast.Global() | ast.Nonlocal():
                pass
            case _:
                self.expression(node)

    def expression(self, node: ast.AST | None) -> None:
        while isinstance(node, ast.Attribute):
            node = node.value
        match node:
            case None | ast.Constant():
                pass
            case ast.Name(id=name, ctx=context):
                if isinstance(context, ast.Load):
                    self._use(name)
                else:
                    self._bind(node)
            case ast.Call():
                self._call(node)
            case ast.NamedExpr(target=target, value=value):
                self.expression(value)
                self._name(target.id)
            case ast.Lambda():
                for part in surroundings(node):
                    self.expression(part)
                self._apply(effects_of(node))
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                self._comprehension(node)
            case ast.IfExp(test=test, body=body, orelse=other):
                self.expression(test)
                self.expression(body)
                self.expression(other)
            case _:
                for part in parts_of(node):
                    self.expression(part)

    def _assign(self, targets: Sequence[ast.expr], value: ast.expr) -> None:
        if isinstance(value, ast.Lambda) and len(targets) == 1 and isinstance(targets[0], ast.Name):
            for part in surroundings(value):
                self.expression(part)
            self._define(targets[0].id, effects_of(value))
            self.lasting.add(targets[0].id)
            return
        self.expression(value)
        for target in targets:
            self._bind(target)

    def _bind(self, target: ast.expr, *, temporary: bool = False) -> None:
        match target:
            case ast.Name(id=name):
                self._name(name, temporary=temporary)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                for part in parts:
                    self._bind(part, temporary=temporary)
            case ast.Starred(value=value):
                self._bind(value, temporary=temporary)
            case ast.Attribute(value=value):
                self._place(value)
            case ast.Subscript(value=value, slice=key):
                self.expression(key)
                self._place(value)

    def _place(self, value: ast.expr) -> None:
        """Something is put into the value of an expression: `df["x"] = 1`, `del model.cache`."""
        self.expression(value)
        name = root_name(value)
        if name and not self._is_hidden(name):
            self._change(name)

    def _name(self, name: str, *, temporary: bool = False) -> None:
        self.bound.add(name)
        self.now_bound.add(name)
        self.deletes.discard(name)
        self.functions.pop(name, None)
        (self.temporary if temporary else self.lasting).add(name)

    def _define(self, name: str, effects: Effects) -> None:
        self._name(name)
        self.functions[name] = effects

    def _delete(self, target: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self._use(target.id)
            self.bound.discard(target.id)
            self.maybe.discard(target.id)
            self.lasting.discard(target.id)
            self.deletes.add(target.id)
        elif isinstance(target, ast.Tuple | ast.List):
            for part in target.elts:
                self._delete(part)
        else:
            self._bind(target)

    def _is_hidden(self, name: str) -> bool:
        return any(name in names for names in self._hidden)

    def _use(self, name: str) -> None:
        if self._is_hidden(name):
            return
        if name not in self.bound:
            self.reads.add(name)
        effects = self.functions.get(name)
        if effects is not None and name not in self._open:
            self._open.add(name)
            self._apply(effects)
            self._open.discard(name)

    def _apply(self, effects: Effects) -> None:
        """A function may be called here."""
        for name in sorted(effects.reads):
            self._use(name)
        for name in effects.changes:
            self._change(name)
        for name in effects.writes:
            if name not in self.bound:
                self.maybe.add(name)
            self.now_bound.add(name)
            self.lasting.add(name)

    def _change(self, name: str) -> None:
        if not self._is_hidden(name):
            self.changes.add(name)
            self.now_changed.add(name)
            self.lasting.add(name)

    def _call(self, node: ast.Call) -> None:
        changed = changed_by_call(node)
        if changed and not self._is_hidden(changed):
            self._change(changed)
        if isinstance(node.func, ast.Name):
            names = tuple(part.id if isinstance(part, ast.Name) else None for part in node.args)
            named = tuple(
                (key.arg, key.value.id) for key in node.keywords if key.arg and isinstance(key.value, ast.Name)
            )
            effects = self.functions.get(node.func.id)
            if effects is not None:
                for name in changed_arguments(effects.parameters, effects.changed_parameters, names, named):
                    self._change(name)
            elif any(names) or named:
                self.calls.append((node.func.id, names, named))
        for part in parts_of(node):
            self.expression(part)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        self.expression(node.generators[0].iter)
        targets = {name.id for part in node.generators for name in ast.walk(part.target) if isinstance(name, ast.Name)}
        self._hidden.append(targets)
        for place, part in enumerate(node.generators):
            if place:
                self.expression(part.iter)
            for test in part.ifs:
                self.expression(test)
        results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        for result in results:
            self.expression(result)
        self._hidden.pop()

    def _branch(self) -> Scan:
        """A scan that goes on from here on a way of its own; what it notes besides names is noted here as well."""
        return Scan(
            set(self.bound), set(self.maybe), self.reads, self.changes, set(self.deletes), self.temporary,
            self.lasting, dict(self.functions), self.calls, self.now_bound, self.now_changed, self._hidden, self._open,
        )  # fmt: skip

    def _merge(self, ways: Sequence[Scan]) -> None:
        for way in ways:
            self.maybe |= way.bound | way.maybe
            self.functions.update(way.functions)
        self.bound = set.intersection(*(way.bound for way in ways))
        self.deletes = set.intersection(*(way.deletes for way in ways))

    def _either(self, blocks: Sequence[Sequence[ast.stmt]]) -> None:
        ways = []
        for block in blocks:
            way = self._branch()
            way.block(block)
            if not block or not isinstance(block[-1], ast.Raise | ast.Continue | ast.Break):
                ways.append(way)
            else:
                self.maybe |= way.bound | way.maybe
        if ways:
            self._merge(ways)

    def _optional(self, block: Sequence[ast.stmt]) -> None:
        if block:
            self._either([block, []])

    def _try(self, node: ast.Try | ast.TryStar) -> None:
        body = self._branch()
        body.block(node.body)
        ways = []
        for handler in node.handlers:
            way = self._branch()
            way.maybe |= body.bound
            way.expression(handler.type)
            if handler.name:
                way._name(handler.name, temporary=True)
            way.block(handler.body)
            if handler.name:
                way.bound.discard(handler.name)
                way.maybe.discard(handler.name)
            if not handler.body or not isinstance(handler.body[-1], ast.Raise):
                ways.append(way)
        body.block(node.orelse)
        self._merge([body, *ways])
        self.maybe -= {handler.name for handler in node.handlers if handler.name} - self.bound
        self.block(node.finalbody)

    def _match(self, subject: ast.expr, cases: Sequence[ast.match_case]) -> None:
        self.expression(subject)
        ways = []
        is_complete = False
        for case in cases:
            way = self._branch()
            for part in ast.walk(case.pattern):
                if isinstance(part, ast.MatchAs | ast.MatchStar) and part.name:
                    way._name(part.name, temporary=True)
                elif isinstance(part, ast.MatchMapping) and part.rest:
                    way._name(part.rest, temporary=True)
                elif isinstance(part, ast.expr):
                    way.expression(part)
            way.expression(case.guard)
            way.block(case.body)
            ways.append(way)
            is_complete |= case.guard is None and isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None
        self._merge(ways if is_complete else [*ways, self._branch()])


def changed_arguments(
    parameters: Sequence[str],
    changed: Iterable[str],
    positional: Sequence[str | None],
    named: Iterable[tuple[str, str]],
) -> list[str]:
    """The names handed to a function that it changes."""
    wanted = set(changed)
    by_place = [name for parameter, name in zip(parameters, positional, strict=False) if parameter in wanted and name]
    return by_place + [name for parameter, name in named if parameter in wanted]
