"""What a sealed list is ordered by, as soon as it may be known: the secret that the drop committed
to, or the signature of the beacon's round.

Asked again it answers the same, whoever asks: which worker draws changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from dropengine.errors import DrawFault
from dropengine.jobs.beacon_rounds import BeaconRounds
from dropengine.log.draw import drand
from dropengine.model import DropId
from dropengine.randomness import BeaconRound, CommitReveal, Source
from dropengine.sql import draw_secrets
from dropengine.sql.log_rows import Reads


class Revealing:
    """clock: the true time, ms since 1970, UTC."""

    def __init__(self, database: Reads, rounds: BeaconRounds, clock: Callable[[], int]) -> None:
        self._database = database
        self._rounds = rounds
        self._clock = clock

    async def revealed(self, drop: DropId, source: Source, sealed_ms: int) -> bytes | None:
        """What `log.draw.chance_of` takes; None: not yet, ask again. sealed_ms: when the list was
        sealed (ms, UTC, true time). Raises DatabaseAway, and DrawFault where it can never be told.
        """
        match source:
            case CommitReveal():
                secret: bytes | None = await self._database.read(
                    lambda sql: draw_secrets.of(sql, drop)
                )
                if secret is None:
                    raise DrawFault(f"the secret that {drop} committed to is not here any more")
                return secret
            case BeaconRound(round=number):
                chain = drand.chain_of(source)
                counts = chain.round_for(number, sealed_ms)
                if self._clock() < chain.due_ms(counts):
                    return None
                return await self._rounds.signature(chain, counts)
