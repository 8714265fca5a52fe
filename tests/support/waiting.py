"""Wait for what must come true soon."""

import time
from collections.abc import Callable


def until(condition: Callable[[], object], seconds: float = 20) -> bool:
    """Whether `condition` came true before `seconds` were over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False
