"""Where suites and their flows come from: files that are given, those beside a suite, and the flows of a home."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nbflow.errors import Problem
from nbflow.flowtests.loading import LoadedSuite, SuiteError, is_suite, read_suite
from nbflow.nearest import did_you_mean
from nbflow.settings import Settings
from nbflow.source import read_document
from nbflow.source.parts import Part, parts_of
from nbflow.store import Store

_SUFFIXES = (".yml", ".yaml")

Uid = tuple[str, str]


@dataclass(frozen=True, slots=True)
class FoundFlow:
    """The text of a flow and where it is from: a file, or the home; `whole` is the text of the file."""

    namespace: str
    id: str
    text: str
    file: str = ""
    whole: str = ""
    skipped: int = 0
    revision: int = 1

    @property
    def uid(self) -> str:
        return f"{self.namespace}.{self.id}"

    @property
    def origin(self) -> str:
        return self.file or f"deployed, revision {self.revision}"

    def refuse(self, problems: list[Problem]) -> SuiteError:
        """The error of problems of this flow."""
        moved = [Part(self.text, self.skipped).in_whole(problem) for problem in problems]
        message = f"the flow {self.uid} is not valid"
        return SuiteError(message, moved, file=self.file or self.uid, text=self.whole or self.text)


@dataclass(slots=True)
class World:
    """The flows that tests may see: those of files first, then those of a home (`store`; None when there is none)."""

    settings: Settings
    store: Store | None = None
    local: dict[Uid, FoundFlow] = field(default_factory=dict)

    def flow(self, namespace: str, flow_id: str, revision: int | None = None) -> FoundFlow | None:
        """A flow; of the home the revision that is named."""
        found = self.local.get((namespace, flow_id))
        if found is not None or self.store is None:
            return found
        stored = self.store.flows.get(namespace, flow_id, revision)
        if stored is None:
            return None
        return FoundFlow(namespace, flow_id, stored.source, revision=stored.revision)

    def all(self) -> list[FoundFlow]:
        """Every flow."""
        stored = self.store.flows.list() if self.store is not None else []
        home = {(one.namespace, one.id): FoundFlow(one.namespace, one.id, one.source) for one in stored}
        return list({**home, **self.local}.values())

    def add_files(self, files: Iterable[tuple[str, str]]) -> None:
        """Take in the flows of files (name, text); those that are known keep their place."""
        for name, text in files:
            for part in parts_of(text):
                found = _flow_of(part, name, text)
                if found is not None:
                    self.local.setdefault((found.namespace, found.id), found)

    def tested(self, loaded: LoadedSuite) -> FoundFlow:
        """The flow that a suite is about. Raises: SuiteError."""
        suite = loaded.suite
        if suite.flow:
            return self._of_file(loaded, suite.flow)
        found = self.flow(suite.namespace, suite.flow_id)
        if found is None and loaded.file and Path(loaded.file).is_file():
            self.add_files(_files_of(Path(loaded.file).parent))
            found = self.flow(suite.namespace, suite.flow_id)
        if found is not None:
            return found
        wanted = f"{suite.namespace}.{suite.flow_id}"
        hint = did_you_mean(wanted, [one.uid for one in self.all()], 3) or (
            "deploy it, put its file beside the suite, or name that with `flow: ./FILE.yaml`"
        )
        findings = loaded.findings()
        findings.error(("flowId",), f"there is no flow `{wanted}`", hint)
        raise loaded.refuse(findings.in_order())

    def _of_file(self, loaded: LoadedSuite, written: str) -> FoundFlow:
        suite, findings = loaded.suite, loaded.findings()
        place = Path(loaded.file).parent / written if loaded.file else Path(written)
        found = []
        try:
            found = list(_flows_of(str(place), place.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError) as cause:
            reason = getattr(cause, "strerror", None) or str(cause)
            findings.error(("flow",), f"the file {place} cannot be read: {reason}", "a path as seen from the suite")
            raise loaded.refuse(findings.in_order()) from None
        wanted = [one for one in found if suite.flow_id in ("", one.id) and suite.namespace in ("", one.namespace)]
        if len(wanted) != 1:
            there = ", ".join(one.uid for one in found) or "none"
            findings.error(
                ("flow",), f"{place} does not hold one such flow: there are {there}", "name it by `namespace`, `flowId`"
            )
            raise loaded.refuse(findings.in_order())
        self.add_files([(str(place), place.read_text(encoding="utf-8"))])
        return wanted[0]


def find_suites(files: Sequence[tuple[str, str]], world: World) -> list[LoadedSuite]:
    """The suites of files (name, text); their flows become part of the world. Raises: SuiteError."""
    suites = []
    for name, text in files:
        for part in parts_of(text):
            if is_suite(part.text):
                suites.append(read_suite(part.text, file=name, whole=text, skipped=part.skipped))
    world.add_files(files)
    return suites


def _files_of(folder: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(folder.iterdir()):
        if file.suffix in _SUFFIXES and file.is_file():
            try:
                yield str(file), file.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):  # it is not what is looked for
                continue


def _flows_of(name: str, text: str) -> Iterator[FoundFlow]:
    for part in parts_of(text):
        found = _flow_of(part, name, text)
        if found is not None:
            yield found


def _flow_of(part: Part, name: str, whole: str) -> FoundFlow | None:
    """The flow of a document, by its name alone; None when it is something else."""
    value = read_document(part.text).value
    if not isinstance(value, Mapping) or "tasks" not in value:
        return None
    namespace, flow_id = value.get("namespace"), value.get("id")
    if not namespace or not flow_id:
        return None
    return FoundFlow(str(namespace), str(flow_id), part.text, name, whole, part.skipped)
