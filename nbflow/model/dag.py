"""Whether tasks wait for each other in a circle: a check on names alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def find_cycle(needs: Mapping[str, Sequence[str]]) -> list[str] | None:
    """A circle of dependencies, its first name repeated at the end; None when there is none.

    `needs` gives for each name those it waits for; names that are not keys wait for nothing.
    Example: `find_cycle({"a": ["b"], "b": ["a"]}) == ["a", "b", "a"]`
    """
    finished: set[str] = set()
    for root in needs:
        trail: list[str] = []
        on_trail: set[str] = set()
        pending = [iter([root])]
        while pending:
            following = next((name for name in pending[-1] if name in needs and name not in finished), None)
            if following is None:
                pending.pop()
                if trail:
                    finished.add(trail[-1])
                    on_trail.discard(trail.pop())
            elif following in on_trail:
                return [*trail[trail.index(following) :], following]
            else:
                trail.append(following)
                on_trail.add(following)
                pending.append(iter(needs[following]))
    return None
