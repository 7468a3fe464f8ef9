"""Try again? Pure decisions about retries."""

from __future__ import annotations

from datetime import datetime, timedelta

from nbflow.model.policies import Retry


def next_attempt(
    retry: Retry | None, attempts: int, first_start: datetime, now: datetime, chance: float
) -> timedelta | None:
    """How long to wait before the next attempt; None when there must not be one.

    `attempts` have failed so far, the first of them began at `first_start`; `chance` is in [0, 1).
    """
    if retry is None:
        return None
    if retry.max_attempts is not None and attempts >= retry.max_attempts:
        return None
    wait = retry.wait_before(attempts + 1, chance)
    if retry.max_duration is not None and now + wait - first_start > retry.max_duration:
        return None
    return wait
