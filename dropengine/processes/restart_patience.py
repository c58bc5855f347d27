"""When a process that died is started again: always, and later each time."""


class Patience:
    """When to start a dead child again.

    One that came up is started again soon, later while it dies young. One that does not even come
    up is tried ever more slowly, but never given up: what is wrong may be mended meanwhile.
    """

    def __init__(
        self,
        *,
        first_s: float = 0.05,
        most_s: float = 2.0,
        stillborn_most_s: float = 2.0,
        settled_s: float = 10,
    ) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._stillborn_most_s = stillborn_most_s
        self._settled_s = settled_s
        self._young_deaths = 0
        self._stillborn = 0

    def after(self, *, came_up: bool, lived_s: float) -> float:
        """Seconds to wait before the next start."""
        if not came_up:
            self._stillborn += 1
            return self._wait_s(self._stillborn, self._stillborn_most_s)
        self._stillborn = 0
        self._young_deaths = 1 if lived_s >= self._settled_s else self._young_deaths + 1
        return self._wait_s(self._young_deaths, self._most_s)

    def _wait_s(self, times: int, most_s: float) -> float:
        return min(most_s, self._first_s * 2.0 ** min(times - 1, 16))
