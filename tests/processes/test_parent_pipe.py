"""A child is told everything by its pipe, and nothing that others could read or lay in its way."""

import os
import subprocess
import sys
from pathlib import Path

from tests.kit.small_shop import ROOT, processes, shop


def test_no_secret_is_on_a_command_line_or_in_the_environment_of_a_child(folder: Path) -> None:
    canary = "canary-" * 6
    with shop(folder, secret_key=canary) as one:
        for ending in processes(one.running):
            for name in ("cmdline", "environ"):
                assert canary.encode() not in Path(f"/proc/{ending.pid}/{name}").read_bytes()
            os.close(ending._handle)


def test_what_lies_in_the_working_directory_is_not_imported(folder: Path) -> None:
    trap = folder / "cwd"
    trap.mkdir()
    (trap / "redis.py").write_text("raise SystemExit('imported from the working directory')")
    code = (
        "import sys; sys.path[:] = [p for p in sys.path if p]; sys.path.append(sys.argv[2])\n"
        "from pathlib import Path; from tests.kit.small_shop import shop\n"
        "with shop(Path(sys.argv[1])): print('served')"
    )
    said = subprocess.run(
        [sys.executable, "-P", "-c", code, os.fspath(folder), os.fspath(ROOT)],
        cwd=trap,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.stdout == "served\n", said.stderr
