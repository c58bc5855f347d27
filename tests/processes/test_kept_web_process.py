"""A web process that dies comes back, and whoever connects meanwhile waits."""

import os
import signal
from pathlib import Path

import pytest

from tests.kit.ending_processes import Ending
from tests.kit.small_shop import pid_of, refused, shop


def test_a_killed_web_process_comes_back_and_the_others_never_notice(folder: Path) -> None:
    with shop(folder, web_concurrency=2) as one:
        before = one.running
        victim, survivor = before.worker_pids
        os.kill(victim, signal.SIGKILL)
        after = one.until(lambda now: victim not in now.worker_pids, 20)
        assert after.worker_pids[1] == survivor
        assert after.port == before.port
        assert after.server_pid == before.server_pid
        assert {pid_of(after) for _ in range(64)} == set(after.worker_pids)


def test_who_connects_while_the_only_process_is_away_waits_unrefused(folder: Path) -> None:
    with shop(folder) as one:
        [victim] = one.running.worker_pids
        for _ in range(5):
            ending = Ending(victim)
            os.kill(victim, signal.SIGKILL)
            ending.wait()
            # Nobody accepts now. A refusal would raise.
            victim, dead = pid_of(one.running), victim
            assert victim != dead


def test_a_mistake_in_the_settings_keeps_its_sentence_and_its_code(folder: Path) -> None:
    fault = refused(folder, "tests.kit.small_app:wrong", port=0)
    assert fault.exit_code == 2
    assert "brings bad luck" in str(fault)


def test_an_application_that_cannot_be_built_is_not_tried_for_ever(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    fault = refused(folder, "tests.kit.small_app:broken", web_concurrency=2)
    assert fault.exit_code == 11
    assert "a bug in the making" in capfd.readouterr().err
