"""Nothing of a rehearsal stays, whatever ends it; and none begins that has no room."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from dropengine.config import Settings
from dropengine.rehearsal import place
from dropengine.rehearsal.place import NoRoom, fitting, own_shop
from dropengine.rehearsal_report import FANS_MAX

WAITS = """
import sys
from pathlib import Path
from dropengine.config import Settings
from dropengine.rehearsal.place import place

with place(Settings(data_dir=Path(sys.argv[1]))) as folder:
    (folder / "something").write_text("of it")
    print(folder, flush=True)
    sys.stdin.read()
"""
UNTIL_GONE = 'for i in $(seq 600); do test -e "$1" || exit 0; sleep 0.1; done; exit 1'
REAL = Settings(
    data_dir=Path("data"),
    redis_url="redis://127.0.0.1:6379",
    redis_prefix="real",
    database_url="postgresql://127.0.0.1/real",
    secret_key="s" * 32,
    shop_id="0" * 32,
    metrics_token="m" * 32,
    public_url="https://shop.example",
    origins=("https://www.shop.example",),
    web_concurrency=3,
    tick_ms=150,
)


def test_its_shop_shares_nothing_with_the_real_one(tmp_path: Path) -> None:
    own = own_shop(REAL, tmp_path)
    for name in ("redis_url", "redis_prefix", "database_url", "secret_key", "shop_id"):
        assert getattr(own, name) is None, name
    assert (own.metrics_token, own.public_url, own.origins) == (None, None, ())
    assert (own.host, own.port, own.data_dir) == ("127.0.0.1", 0, tmp_path)


def test_its_shop_is_as_quick_as_the_real_one(tmp_path: Path) -> None:
    own = own_shop(REAL, tmp_path)
    for name in ("web_concurrency", "tick_ms", "batch_max", "settle_ms", "queue_max"):
        assert getattr(own, name) == getattr(REAL, name), name


def test_it_stands_on_the_disk_of_the_shop_and_goes_with_the_rehearsal(tmp_path: Path) -> None:
    with place.place(Settings(data_dir=tmp_path)) as folder:
        assert folder.parent == tmp_path
        (folder / "something").write_text("of it")
    assert [*tmp_path.iterdir()] == []


def test_its_folder_goes_also_when_its_process_is_killed(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WAITS, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    folder = Path(process.stdout.readline().strip())
    assert (folder / "something").exists()
    with process.stdin, process.stdout:
        process.kill()
        process.wait()
    swept = subprocess.run(["sh", "-c", UNTIL_GONE, "sh", str(folder)], check=False)
    assert swept.returncode == 0


def test_more_fans_than_there_are_files_are_refused_with_both_numbers(tmp_path: Path) -> None:
    with pytest.raises(NoRoom, match="raise the limit"):
        fitting(Settings(data_dir=tmp_path), FANS_MAX * 10)


def test_a_disk_that_is_nearly_full_is_left_to_the_sale(tmp_path: Path) -> None:
    wants_all = msgspec.structs.replace(Settings(data_dir=tmp_path), disk_free_mib_min=1 << 29)
    with pytest.raises(NoRoom, match="come near to pausing sales"):
        fitting(wants_all, 10)
