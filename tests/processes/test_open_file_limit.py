"""A shop may open as many files as it is allowed to."""

import json
import subprocess
import sys

from tests.kit.small_shop import ROOT


def test_the_limit_of_open_files_is_raised_as_far_as_allowed() -> None:
    code = (
        "import json, resource; from dropengine.processes.open_file_limit import raise_file_limit\n"
        "_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))\n"
        "print(json.dumps([raise_file_limit(), hard]))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True
    ).stdout
    now, hard = json.loads(said)
    assert now == hard
