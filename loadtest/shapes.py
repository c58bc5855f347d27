"""How many users there are at which moment of a run."""

from __future__ import annotations

from typing import ClassVar, Final

from locust import LoadTestShape

SHAPES: Final = ("plain", "burst", "build", "wave", "storm", "soak")
"""plain: locust's own -u, -r and -t. burst: everybody in a few seconds, as at an opening. build:
slowly, a tenth at a time. wave: half, and as many again when the first have had theirs. storm:
everybody loses the connection at once, half-way. soak: few, for long."""
MINUTES: Final = {"burst": 2.0, "build": 5.0, "wave": 3.0, "storm": 3.0, "soak": 60.0}
STEPS: Final = 10
STORM: Final = "storm"
"""The message to all workers: every connection is lost."""


class Night(LoadTestShape):
    """One of `SHAPES`, by `--shape`; as many users as `--users` says."""

    use_common_options: ClassVar[bool] = True
    stormed = False

    def tick(self) -> tuple[int, float] | None:
        """Users and how many may come a second; None: it is over."""
        assert self.runner is not None
        options = self.runner.environment.parsed_options
        assert options is not None
        users = options.num_users or 1
        rate = options.spawn_rate or max(1.0, users / 5)
        now_s = self.get_run_time()
        if options.shape == "plain":
            over = options.run_time is not None and now_s >= options.run_time
            return None if over else (users, rate)
        length_s = options.run_time or MINUTES[options.shape] * 60
        if now_s >= length_s:
            return None
        if now_s < 1:
            self.stormed = False
        return self._shaped(options.shape, users, rate, now_s / length_s)

    def _shaped(self, shape: str, users: int, rate: float, share: float) -> tuple[int, float]:
        if shape == "build":
            return max(1, users * (int(share * STEPS) + 1) // STEPS), rate
        if shape == "wave" and share < 0.5:
            return max(1, users // 2), rate
        if shape == "storm" and share >= 0.5 and not self.stormed:
            assert self.runner is not None
            self.stormed = True
            self.runner.send_message(STORM)
        if shape == "soak":
            return users, min(rate, users / 60)
        return users, rate
