"""Whether tasks wait for each other in a circle: a check on names alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence


def find_cycle(needs: Mapping[str, Sequence[str]]) -> list[str] | None:
    """A circle of dependencies, its first name repeated at the end; None when there is none.

    `needs` gives for each name those it waits for; names that are not keys wait for nothing.
    Example: `find_cycle({"a": ["b"], "b": ["a"]}) == ["a", "b", "a"]`
    """
    finished: set[str] = set()
    for root in needs:
        trail: dict[str, Iterator[str]] = {} if root in finished else {root: iter(needs[root])}
        while trail:
            current = next(reversed(trail))
            following = next(trail[current], None)
            if following is None:
                finished.add(current)
                del trail[current]
            elif following in trail:
                names = list(trail)
                return [*names[names.index(following) :], following]
            elif following in needs and following not in finished:
                trail[following] = iter(needs[following])
    return None
