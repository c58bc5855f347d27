"""When a process that died is started again, and when there is no use in it."""


class Patience:
    """When to start a dead child again, and when to give up.

    A child that came up and died is always started again, later each time while it dies young. One
    that does not even come up is tried a few times: what is wrong will not mend itself.
    """

    def __init__(
        self,
        *,
        tries_max: int = 5,
        first_s: float = 0.05,
        most_s: float = 2.0,
        settled_s: float = 10,
    ) -> None:
        self._tries_max = tries_max
        self._first_s = first_s
        self._most_s = most_s
        self._settled_s = settled_s
        self._young_deaths = 0
        self._stillborn = 0

    def after(self, *, came_up: bool, lived_s: float) -> float | None:
        """Seconds to wait before the next start; None when it is time to give up."""
        if came_up:
            self._stillborn = 0
            if lived_s >= self._settled_s:
                self._young_deaths = 0
        else:
            self._stillborn += 1
            if self._stillborn >= self._tries_max:
                return None
        wait_s = min(self._most_s, self._first_s * 2.0 ** min(self._young_deaths, 16))
        self._young_deaths += 1
        return wait_s
