"""What every benchmark is given: how large it may be, how often it runs, and a voice."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import msgspec

from dropengine.terminal.progress import Progress
from loadtest.bench.figures import Figures
from loadtest.bench.measured_shop import MeasuredShop, measured_shop


class Bench(msgspec.Struct, frozen=True):
    """quick: one short run of a small size. figures: what was found so far. violations: why it is
    worth nothing. kept: measurements that two benchmarks share."""

    name: str
    progress: Progress
    quick: bool
    figures: Figures = {}
    violations: list[str] = []
    kept: dict[str, object] = {}

    @property
    def rounds(self) -> int:
        """Runs of each contender, in turn."""
        return 1 if self.quick else 5

    def size(self, full: int) -> int:
        """So many sockets, or a twentieth of them."""
        return max(50, full // 20) if self.quick else full

    def seconds(self, full: float) -> float:
        return min(full, 1.0) if self.quick else full

    def now(self, text: str) -> None:
        """What is going on."""
        self.progress.now(f"{self.name}: {text}")

    def say(self, text: str) -> None:
        """Something worth keeping."""
        self.progress.say(f"{self.name}: {text}")

    @contextlib.asynccontextmanager
    async def shop(
        self, workers: int = 1, overrides: Mapping[str, object] | None = None
    ) -> AsyncIterator[MeasuredShop]:
        """A shop whose drops the referee judges at the end."""
        async with measured_shop(workers, overrides) as shop:
            yield shop
            self.now("the referee reads the log")
            self.violations.extend(await shop.violations())


Work = Callable[[Bench], Awaitable[None]]
