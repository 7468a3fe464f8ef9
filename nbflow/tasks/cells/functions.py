"""Which names of its surroundings a function reads, writes and changes when it is called."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_MUTATORS_TEXT = """
append extend insert remove pop clear sort reverse update add discard setdefault popitem appendleft popleft
extendleft rotate intersection_update difference_update symmetric_difference_update fit partial_fit fit_transform
fill resize put seek write writelines set_index_names register
"""
MUTATORS = frozenset(_MUTATORS_TEXT.split())
"""Methods that change what they are called on. Among them `fit`, as scikit-learn's models have it."""

_NAMELESS = (ast.expr_context, ast.operator, ast.cmpop, ast.boolop, ast.unaryop, ast.Constant)

AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(slots=True)
class Effects:
    """What a call of a function, or of anything in it, does with names around it."""

    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    """Names declared `global` and bound."""
    changes: set[str] = field(default_factory=set)
    """Names of the surroundings whose values it changes in place."""
    parameters: tuple[str, ...] = ()
    changed_parameters: set[str] = field(default_factory=set)


def root_name(node: ast.expr) -> str | None:
    """The name at the beginning of `name.attribute[key].more`; None when it begins with something else."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def parts_of(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes right below one that may hold names: as `ast.iter_child_nodes`, in half the time."""
    for name in node._fields:
        part = getattr(node, name, None)
        if isinstance(part, list):
            for one in part:
                if isinstance(one, ast.AST) and not isinstance(one, _NAMELESS):
                    yield one
        elif isinstance(part, ast.AST) and not isinstance(part, _NAMELESS):
            yield part


def changed_by_call(node: ast.Call) -> str | None:
    """The name that a call changes in place: `rows.append(1)`, `df.drop(columns=[], inplace=True)`."""
    if not isinstance(node.func, ast.Attribute):
        return None
    is_in_place = any(
        key.arg == "inplace" and not (isinstance(key.value, ast.Constant) and key.value.value is False)
        for key in node.keywords
    )
    return root_name(node.func.value) if is_in_place or node.func.attr in MUTATORS else None


def parameters_of(arguments: ast.arguments) -> list[str]:
    """All parameters, the positional ones first."""
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    return [one.arg for one in every if one is not None]


def effects_of(function: AnyFunction) -> Effects:
    """What a function does when it is called; its decorators and defaults do not belong to that."""
    body: Sequence[ast.AST] = [function.body] if isinstance(function, ast.Lambda) else function.body
    parameters = parameters_of(function.args)
    inner = _Body()
    for node in body:
        inner.look(node)
    local = (inner.bound | set(parameters)) - inner.outside
    return Effects(
        reads=inner.reads - local,
        writes=inner.bound & inner.outside,
        changes=inner.changes - local,
        parameters=tuple(parameters),
        changed_parameters=inner.changes & set(parameters),
    )


class _Body:
    """Names in the body of a function, or of a class in it; what lies deeper is looked at as a whole."""

    def __init__(self) -> None:
        self.bound: set[str] = set()
        self.reads: set[str] = set()
        self.changes: set[str] = set()
        self.outside: set[str] = set()

    def look(self, node: ast.AST) -> None:
        match node:
            case ast.Name(id=name, ctx=ctx):
                (self.reads if isinstance(ctx, ast.Load) else self.bound).add(name)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                self.outside.update(names)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                self.bound.add(name)
                for part in surroundings(node):
                    self.look(part)
                self._take(effects_of(node))
            case ast.Lambda():
                for part in surroundings(node):
                    self.look(part)
                self._take(effects_of(node))
            case ast.ClassDef(name=name):
                self.bound.add(name)
                for part in surroundings(node):
                    self.look(part)
                self._take(effects_of_class(node))
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                self._comprehension(node)
            case ast.Import(names=imported) | ast.ImportFrom(names=imported):
                self.bound.update(bound_by(alias) for alias in imported)
            case _:
                self._other(node)

    def _other(self, node: ast.AST) -> None:
        if isinstance(node, ast.Call):
            changed = changed_by_call(node)
            if changed:
                self.changes.add(changed)
        elif isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            changed = root_name(node)
            if changed:
                self.changes.add(changed)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            self.reads.add(node.target.id)
            self.changes.add(node.target.id)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            self.bound.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            self.bound.add(node.rest)
        for part in parts_of(node):
            self.look(part)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        inner = _Body()
        for part in parts_of(node):
            inner.look(part)
        walrus = {
            found.target.id
            for found in ast.walk(node)
            if isinstance(found, ast.NamedExpr) and isinstance(found.target, ast.Name)
        }
        self.reads |= inner.reads - (inner.bound - walrus)
        self.look(node.generators[0].iter)  # evaluated outside: `[x for x in x]` reads the outer one
        self.changes |= inner.changes - (inner.bound - walrus)
        self.bound |= walrus

    def _take(self, effects: Effects) -> None:
        self.reads |= effects.reads
        self.changes |= effects.changes
        self.bound |= effects.writes
        self.outside |= effects.writes


def surroundings(node: ast.AST) -> Iterator[ast.AST]:
    """What is evaluated where a function or class stands: decorators, bases, defaults, annotations."""
    if isinstance(node, ast.ClassDef):
        yield from [*node.decorator_list, *node.bases, *(key.value for key in node.keywords)]
        return
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        yield from [*node.args.defaults, *(default for default in node.args.kw_defaults if default is not None)]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield from node.decorator_list
        every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
        yield from (one.annotation for one in every if one is not None and one.annotation is not None)
        if node.returns is not None:
            yield node.returns


def effects_of_class(node: ast.ClassDef) -> Effects:
    """What the body of a class and its methods read; the methods do not see the names of the body."""
    body, methods = _Body(), _Body()
    for part in node.body:
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
            body.bound.add(part.name)
            for piece in surroundings(part):
                body.look(piece)
            methods._take(effects_of(part))
        else:
            body.look(part)
    return Effects(
        reads=(body.reads - body.bound) | methods.reads,
        writes=methods.bound | (body.bound & body.outside),
        changes=(body.changes - body.bound) | methods.changes,
    )


def bound_by(alias: ast.alias) -> str:
    """The name that an import binds: `a` for `import a.b`."""
    return alias.asname or alias.name.partition(".")[0]
