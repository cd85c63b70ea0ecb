"""`system.probe`: a test run that needs nothing but a worker."""

from __future__ import annotations

from tasks.sdk.context import RunContext
from tasks.sdk.operation import operation


@operation("system.probe", label="Probe")
def probe(
    run: RunContext,
    items: int = 10,
    seconds: float = 0.1,
    fail_items: int = 0,
    skip_items: int = 0,
    error: str = "",
    key: str = "",
) -> None:
    """Rehearse a run: count some items, let some fail, or fail as a whole.

    Args:
        items: how many items there are
        seconds: how long each item takes
        fail_items: how many of them fail
        skip_items: how many of them are skipped
        error: a text to fail with in the end, as an exception would
        key: distinguishes otherwise equal probes
    """
    run.total(items)
    run.log(f"{items} items of {seconds:g} s each")
    for number in range(1, items + 1):
        run.sleep(seconds)
        if number <= fail_items:
            run.failed("operation.error", "this item was to fail")
        elif number <= fail_items + skip_items:
            run.skipped()
        else:
            run.success()
    if error:
        raise RuntimeError(error)
