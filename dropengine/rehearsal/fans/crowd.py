"""A crowd: everybody who comes to some drops at one address."""

from __future__ import annotations

from collections.abc import Callable

from dropengine.rehearsal.fans.client_state import Tally
from dropengine.rehearsal.fans.person import Fan
from dropengine.rehearsal.fans.plans import Plan
from dropengine.rehearsal.fans.shared_client import SharedClient


class Crowd(SharedClient):
    """People who live from the moment they enter until the crowd goes home."""

    def __init__(
        self, base_url: str, *, seed: int, sign_in: Callable[[], str] | None = None
    ) -> None:
        super().__init__(base_url, sign_in)
        self.fans: list[Fan] = []
        self._seed = seed

    def enter(self, drop: str, plan: Plan, *, opens_ms: int = 0) -> Fan:
        """One more person, from now on; with `opens_ms` some open the page later than others."""
        fan = Fan(self, drop, plan, number=len(self.fans), seed=self._seed)
        self.fans.append(fan)
        self.start(fan.live(opens_ms))
        return fan

    @property
    def connected(self) -> int:
        return sum(fan.browser.socket is not None for fan in self.fans)

    def tally(self) -> Tally:
        """Places checked, wrong and risen, over all screens."""
        total = Tally()
        for fan in self.fans:
            total.add(fan.screen.tally())
        return total

    async def close(self) -> None:
        """Everybody goes home. What had no answer by now stays unknown."""
        await super().close()
        for fan in self.fans:
            fan.browser.close()
