"""From the cells of a notebook to the flow they are: who needs whom, which values pass, and what is unclear.

A task waits for the last cell before it that binds, or changes, a value it reads. Functions, classes, modules and
constants are no values: a task that needs them gets the statements that make them, as its preamble.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from nbflow.model.dag import find_cycle
from nbflow.nearest import did_you_mean
from nbflow.tasks.cells.cell import Cell, cell_names
from nbflow.tasks.cells.names import CellNames
from nbflow.tasks.cells.scan import changed_arguments
from nbflow.tasks.cells.statements import Kind, Statement

ALWAYS = frozenset(dir(builtins)) | {
    "display", "get_ipython", "In", "Out", "_", "__", "___", "exit", "quit", "open", "__name__", "__file__", "__doc__",
}  # fmt: skip
"""Names that every cell finds."""


@dataclass(frozen=True, slots=True)
class CellProblem:
    """Something about a cell that its author should know; an error keeps the flow from running right."""

    cell: str
    message: str
    hint: str = ""
    is_error: bool = True

    def __str__(self) -> str:
        return f"{self.cell}: {self.message}" + (f" ({self.hint})" if self.hint else "")


@dataclass(slots=True)
class PlannedTask:
    """A task as it will run."""

    cell: Cell
    needs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Task → the names because of which it comes before; none for one that the author names."""
    takes: dict[str, str] = field(default_factory=dict)
    """Name → the task that gives it its value."""
    gives: list[str] = field(default_factory=list)
    """Names it hands on; one with `?` may be missing."""
    inputs: list[str] = field(default_factory=list)
    """Inputs of the flow that it, or its preamble, reads."""
    preamble: str = ""


@dataclass(slots=True)
class Plan:
    """The flow of some cells."""

    tasks: dict[str, PlannedTask] = field(default_factory=dict)
    problems: list[CellProblem] = field(default_factory=list)

    @property
    def errors(self) -> list[CellProblem]:
        return [problem for problem in self.problems if problem.is_error]


def plan(cells: Sequence[Cell], inputs: Iterable[str] = ()) -> Plan:
    """Infer the flow of cells, in their order; they read the `inputs` of the flow as plain names."""
    return _Planner(cells, frozenset(inputs)).plan()


@dataclass(slots=True)
class _Place:
    """Where a name gets something: the cell, and the statement in it."""

    cell: int
    statement: Statement


class _Planner:
    def __init__(self, cells: Sequence[Cell], inputs: frozenset[str]) -> None:
        self._cells = cells
        self._inputs = inputs
        self._plan = Plan()
        self._names = [self._read(cell) for cell in cells]
        self._places = {cell.id: place for place, cell in enumerate(cells) if cell.is_task}
        self._statements: dict[str, list[_Place]] = {}
        self._changers = {
            name: (parameters, changed)
            for names in self._names
            for name, parameters, changed in names.changed_parameters
        }
        for place, names in enumerate(self._names):
            for one in names.statements:
                for name in one.binds | one.changes:
                    self._statements.setdefault(name, []).append(_Place(place, one))
        self._names = [self._with_calls(names) for names in self._names]
        self._givers: dict[str, list[int]] = {}
        for place, names in enumerate(self._names):
            if cells[place].is_task:
                for name in sorted(names.gives | set(cells[place].gives or ())):
                    if not (name in names.changes and name not in names.binds and self._is_code(name, place)):
                        self._givers.setdefault(name.removesuffix("?"), []).append(place)

    def plan(self) -> Plan:
        for cell in self._cells:
            if cell.is_task:
                self._plan.tasks[cell.id] = PlannedTask(cell)
        for place, cell in enumerate(self._cells):
            if cell.is_task:
                self._task(place, self._plan.tasks[cell.id])
        self._outputs()
        cycle = find_cycle({name: list(task.needs) for name, task in self._plan.tasks.items()})
        if cycle:
            self._note(cycle[0], f"the tasks need each other in a circle: {' → '.join(cycle)}", "say --needs by hand")
        return self._plan

    def _read(self, cell: Cell) -> CellNames:
        try:
            return cell_names(cell)
        except SyntaxError as wrong:
            if cell.is_task:
                self._note(
                    cell.id, f"it cannot be read: {wrong.msg}" + (f", line {wrong.lineno}" if wrong.lineno else "")
                )
            return CellNames()

    def _with_calls(self, names: CellNames) -> CellNames:
        """Adds what functions of other cells change that this one hands them."""
        changed = {
            name
            for function, positional, named in names.calls
            if function in self._changers
            for name in changed_arguments(*self._changers[function], positional, named)
        }
        return replace(names, changes=names.changes | changed) if changed else names

    def _is_code(self, name: str, before: int) -> bool:
        """Whether a name was bound last, before a cell, to a module, a function or a class."""
        binding = [at for at in self._statements.get(name, ()) if name in at.statement.binds]
        earlier = [at for at in binding if at.cell <= before] or binding
        return bool(earlier) and earlier[-1].statement.kind is Kind.CODE

    def _task(self, place: int, task: PlannedTask) -> None:
        cell, names = task.cell, self._names[place]
        allowed = self._ancestors(cell)
        preamble = _Preamble()
        for wanted in cell.needs or ():
            if wanted in self._places:
                task.needs.setdefault(wanted, ())
            else:
                self._note(cell.id, f"--needs names no task: {wanted}", did_you_mean(wanted, self._places))
        named = {} if cell.takes is None else dict(cell.takes)
        for name, giver in named.items():
            self._take_named(task, place, name, giver, allowed)
        for name in sorted(names.reads - set(named)):
            self._provide(task, place, name, preamble, allowed, is_own=name in names.own)
        if names.stars:
            preamble.stars = True
        self._settings_of_modules(task, place, preamble, allowed)
        self._classes_of_givers(task, place, preamble, allowed)
        task.preamble = preamble.text()
        for giver in dict.fromkeys(task.takes.values()):
            task.needs[giver] = tuple(sorted(name for name, by in task.takes.items() if by == giver))

    def _ancestors(self, cell: Cell) -> frozenset[int] | None:
        """The tasks that may give it values when the author says whom it needs; None when all may."""
        if cell.needs is None:
            return None
        found: set[int] = set()
        open_ = [name for name in cell.needs if name in self._places]
        while open_:
            name = open_.pop()
            if (place := self._places[name]) in found:
                continue
            found.add(place)
            needs = self._cells[place].needs
            planned = self._plan.tasks.get(name)
            open_ += [one for one in (needs or ()) if one in self._places]
            open_ += list(planned.needs) if planned is not None else []
        return frozenset(found)

    def _giver(self, name: str, place: int, allowed: frozenset[int] | None) -> int | None:
        """The last task before a cell that gives a name a value; failing that, the first after it."""
        givers = [at for at in self._givers.get(name, ()) if at != place and (allowed is None or at in allowed)]
        earlier = [at for at in givers if at < place]
        return earlier[-1] if earlier else givers[0] if givers else None

    def _provide(
        self,
        task: PlannedTask,
        place: int,
        name: str,
        preamble: _Preamble,
        allowed: frozenset[int] | None,
        *,
        is_own: bool,
    ) -> None:
        if name in task.takes or name in preamble.done:
            return
        giver = self._giver(name, place, allowed)
        sources = [at for at in self._statements.get(name, ()) if name in at.statement.binds and at.cell != place]
        sources = [at for at in sources if not self._cells[at.cell].is_task or at.statement.kind is Kind.CODE]
        before = [at for at in sources if at.cell < place] or sources
        if giver is not None and before and (giver > place or before[-1].cell > giver) and before[-1].cell < place:
            giver = None  # the statement comes after the task, or the task after the reader
        if name in self._inputs and giver is not None and giver > place:
            giver = None
        if giver is not None:
            if giver > place and is_own:
                return
            if giver > place:
                text = f"`{name}` is given by `{self._cells[giver].id}` alone, which comes after it"
                self._note(task.cell.id, text, is_error=False)
            deleted = [at for at in range(giver + 1, place) if name in self._names[at].deletes]
            if deleted:
                self._note(
                    task.cell.id, f"`{name}` is deleted before, by `{self._cells[deleted[-1]].id}`", is_error=False
                )
            task.takes[name] = self._cells[giver].id
            self._tell_of_changes(task, name, giver, place)
        elif name in self._inputs:
            if name not in task.inputs:
                task.inputs.append(name)
        elif before:
            self._add_statement(task, place, name, before[-1], preamble, allowed)
        elif name not in ALWAYS and not is_own and not preamble.stars and not self._has_stars(place, preamble):
            self._unknown(task, place, name, allowed)

    def _tell_of_changes(self, task: PlannedTask, name: str, giver: int, place: int) -> None:
        """A plain cell between two tasks that changes the value has done so in the kernel alone."""
        for at in self._statements.get(name, ()):
            if giver < at.cell < place and not self._cells[at.cell].is_task and name in at.statement.changes:
                text = f"`{name}` is changed by {self._cells[at.cell].id}, which is no task: the flow leaves that out"
                self._note(task.cell.id, text, "put %%task on that cell", is_error=False)

    def _add_statement(
        self, task: PlannedTask, place: int, name: str, at: _Place, preamble: _Preamble, allowed: frozenset[int] | None
    ) -> None:
        if at.statement.kind is Kind.WORK:
            preamble.done.add(name)
            cell = self._cells[at.cell].id
            self._note(
                task.cell.id,
                f"`{name}` comes from {cell}, which is no task",
                f"put %%task on that cell, or give the value with --in {name}=TASK",
            )
            return
        preamble.done.add(name)
        wanted = [at]
        for later in self._statements.get(name, ()):
            is_after = at.cell <= later.cell < place and later.statement is not at.statement
            is_setting = name in later.statement.changes and later.statement.kind is Kind.PLAIN
            if is_after and is_setting and not self._cells[later.cell].is_task:
                wanted.append(later)
        for one in wanted:
            for other in sorted(one.statement.reads - {name}):
                self._provide(task, place, other, preamble, allowed, is_own=False)
            preamble.add(one, self._names[one.cell])

    def _has_stars(self, place: int, preamble: _Preamble) -> bool:
        """Whether some `from module import *` may give a name; these come along then."""
        found = False
        for at, names in enumerate(self._names):
            for one in names.statements:
                if one.stars and at != place:
                    preamble.add(_Place(at, one), names)
                    found = True
        return found or self._names[place].stars

    def _settings_of_modules(
        self, task: PlannedTask, place: int, preamble: _Preamble, allowed: frozenset[int] | None
    ) -> None:
        """`sys.path.append("lib")` and `os.environ["X"] = "1"` hold for all cells after them."""
        for name in ("sys", "os"):
            for at in self._statements.get(name, ()):
                is_setting = name in at.statement.changes and at.statement.kind is Kind.PLAIN
                if is_setting and not self._cells[at.cell].is_task:
                    for other in sorted(at.statement.reads):
                        self._provide(task, place, other, preamble, allowed, is_own=False)
                    preamble.add(at, self._names[at.cell])

    def _classes_of_givers(
        self, task: PlannedTask, place: int, preamble: _Preamble, allowed: frozenset[int] | None
    ) -> None:
        """A value may be of a class that only its giver mentions; unpickling it needs the class."""
        for giver in {self._places[name] for name in task.takes.values()}:
            for name in sorted(self._names[giver].reads | self._names[giver].binds):
                for at in self._statements.get(name, ()):
                    if at.statement.makes_class:
                        self._provide(task, place, name, preamble, allowed, is_own=name in self._names[place].own)

    def _take_named(self, task: PlannedTask, place: int, name: str, giver: str, allowed: frozenset[int] | None) -> None:
        found = self._places.get(giver) if giver else self._giver(name, place, allowed)
        if found is None and not giver and name in self._inputs:
            task.inputs.append(name)
        elif found is None:
            message = f"--in names no task: {giver}" if giver else f"no task gives `{name}`"
            near = did_you_mean(giver or name, self._places if giver else self._givers)
            self._note(task.cell.id, message, near)
        else:
            task.takes[name] = self._cells[found].id

    def _unknown(self, task: PlannedTask, place: int, name: str, allowed: frozenset[int] | None) -> None:
        outside = self._giver(name, place, None) if allowed is not None else None
        if outside is not None:
            giver = self._cells[outside].id
            text = f"`{name}` is given by `{giver}`, which --needs leaves out"
            self._note(task.cell.id, text, f"add {giver} to --needs")
            return
        near = did_you_mean(name, [*self._givers, *self._statements])
        self._note(task.cell.id, f"nothing defines `{name}`", near)

    def _outputs(self) -> None:
        wanted: dict[str, set[str]] = {}
        for task in self._plan.tasks.values():
            for name, giver in task.takes.items():
                wanted.setdefault(giver, set()).add(name)
        for task_id, task in self._plan.tasks.items():
            names = self._names[self._places[task_id]]
            gives = dict.fromkeys([*(task.cell.gives or ()), *sorted(wanted.get(task_id, ()))])
            if not gives and task.cell.type in ("python", "sql"):
                ends = sorted(name for name in names.gives - names.temporary if not name.startswith("_"))
                gives = dict.fromkeys(f"{name}?" for name in ends)
            task.gives = list(gives)

    def _note(self, cell: str, message: str, hint: str = "", *, is_error: bool = True) -> None:
        problem = CellProblem(cell, message, hint, is_error)
        if problem not in self._plan.problems:
            self._plan.problems.append(problem)


class _Preamble:
    """Statements that a task needs before its own, in the order of the notebook."""

    def __init__(self) -> None:
        self.done: set[str] = set()
        self.stars = False
        self._statements: dict[tuple[int, int], str] = {}

    def add(self, at: _Place, names: CellNames) -> None:
        number = next(place for place, one in enumerate(names.statements) if one is at.statement)
        self._statements[at.cell, number] = at.statement.source

    def text(self) -> str:
        ordered = [self._statements[key] for key in sorted(self._statements)]
        return "\n".join(dict.fromkeys(ordered)) + "\n" if ordered else ""
