"""What is handed out: the archives carry everything, the lock files pin everything.

The archives are built once, from this checkout, by the very tools of the lock files.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import dropengine
from hatch_build import Pages

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements.txt", "requirements-build.txt", "requirements-dev.txt")
PIN = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>\S+)", re.MULTILINE)


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins(lock: str) -> dict[str, str]:
    """Name -> version of a lock file."""
    return {match["name"]: match["version"] for match in PIN.finditer((ROOT / lock).read_text())}


def group(name: str) -> list[Requirement]:
    """The requirements of a dependency group, with those of the groups it includes."""
    found: list[Requirement] = []
    for entry in project()["dependency-groups"][name]:
        if isinstance(entry, dict):
            found += group(entry["include-group"])
        else:
            found.append(Requirement(entry))
    return found


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the archive of sources."""
    folder = tmp_path_factory.mktemp("archives")
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def wheel(archives: Path) -> Path:
    (found,) = archives.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def unpacked_sources(archives: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of sources, unpacked."""
    (found,) = archives.glob("*.tar.gz")
    folder = tmp_path_factory.mktemp("sources")
    with tarfile.open(found) as archive:
        # The argument `filter` came with 3.11.4 only.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(folder)  # noqa: S202 (our own archive)
    (root,) = folder.iterdir()
    return root


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_carries_every_script_example_and_page(wheel: Path) -> None:
    names = names_in(wheel)
    for folder, kind in (("lua", "*.lua"), ("examples", "*.toml")):
        files = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob(kind)}
        assert files
        assert {f"dropengine/{file}" for file in files} <= names
    sources = Pages(ROOT).src
    pages = {f"{path.name.removesuffix('.entry.js')}.js" for path in sources.glob("*.entry.js")}
    assert pages
    styles = {path.name for path in sources.glob("*.css")}
    assert {f"dropengine/web/dist/{name}" for name in pages | styles} <= names
    assert "dropengine/py.typed" in names


def test_the_wheel_carries_every_module_and_nothing_of_the_workshop(wheel: Path) -> None:
    names = names_in(wheel)
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "dropengine").rglob("*.py")}
    assert modules <= names
    strangers = {name for name in names if not name.startswith(("dropengine/", "dropengine-"))} | {
        name for name in names if name.startswith("dropengine/web/src/")
    }
    assert strangers == set()


def test_a_wheel_made_from_the_archive_of_sources_is_the_same(
    wheel: Path, unpacked_sources: Path, tmp_path: Path
) -> None:
    # Nothing on the PATH: the archive carries its pages, so neither Node nor a network is needed.
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    alone = {"PATH": "", "HOME": str(tmp_path)}
    subprocess.run(command, cwd=unpacked_sources, env=alone, check=True, capture_output=True)
    (again,) = tmp_path.glob("*.whl")
    assert again.name == wheel.name
    with zipfile.ZipFile(wheel) as first, zipfile.ZipFile(again) as second:
        assert set(first.namelist()) == set(second.namelist())
        assert [n for n in first.namelist() if first.read(n) != second.read(n)] == []


def test_the_installed_wheel_starts_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)  # noqa: S202 (our own archive)
    question = "import dropengine, importlib.resources as r; print(dropengine.__file__)"
    question += "; print(len([*(r.files('dropengine') / 'lua' / 'lib').iterdir()]))"
    elsewhere = os.environ | {"PYTHONPATH": str(site)}
    answer = subprocess.run(
        [sys.executable, "-c", question],
        cwd=tmp_path,
        env=elsewhere,
        check=True,
        text=True,
        capture_output=True,
    ).stdout.split()
    assert Path(answer[0]).is_relative_to(site)
    assert int(answer[1]) > 0
    command = [sys.executable, "-m", "dropengine", "--help"]
    helped = subprocess.run(
        command, cwd=tmp_path, env=elsewhere, check=True, text=True, capture_output=True
    )
    assert "demo" in helped.stdout


def test_the_wheel_says_its_version_and_its_command(wheel: Path) -> None:
    assert wheel.name == f"dropengine-{dropengine.__version__}-py3-none-any.whl"
    info = f"dropengine-{dropengine.__version__}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        commands = archive.read(f"{info}/entry_points.txt").decode()
    assert "dropengine = dropengine.cli.main:main" in commands


def test_the_pages_are_bundled_again_when_a_source_changes(tmp_path: Path) -> None:
    (tmp_path / "hatch_build.py").write_text("")
    (tmp_path / "package-lock.json").write_text("{}")
    pages = Pages(tmp_path)
    pages.src.mkdir(parents=True)
    entry = pages.src / "fan.entry.js"
    entry.write_text("export {};")
    assert pages.stale()
    pages.dist.mkdir()
    pages.stamp.write_text(pages.fingerprint())
    assert not pages.stale()
    os.utime(entry, (0, 0))
    assert not pages.stale(), "the time of a file says nothing"
    entry.write_text("export { };")
    assert pages.stale()
    pages.stamp.write_text(pages.fingerprint())
    entry.rename(pages.src / "wall.entry.js")
    assert pages.stale()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_a_hash_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    requirements = text.replace("\\\n", " ").splitlines()
    packages = [line for line in requirements if line and not line.lstrip().startswith("#")]
    assert packages
    assert [line for line in packages if "--hash=sha256:" not in line] == []
    assert [line for line in packages if not PIN.match(line)] == []


def test_the_lock_files_fit_what_the_project_asks_for() -> None:
    asked = [Requirement(entry) for entry in project()["project"]["dependencies"]]
    for lock, requirements in (
        ("requirements.txt", asked),
        ("requirements-build.txt", asked + group("build")),
        ("requirements-dev.txt", asked + group("dev")),
    ):
        locked = pins(lock)
        for requirement in requirements:
            version = locked.get(canonicalize_name(requirement.name))
            assert version is not None, f"{lock} lacks {requirement.name}: make lock"
            assert requirement.specifier.contains(version), f"{lock}: {requirement}: make lock"


def test_a_developer_runs_the_versions_that_a_user_runs() -> None:
    everything = pins("requirements-dev.txt").items()
    assert pins("requirements.txt").items() <= pins("requirements-build.txt").items()
    assert pins("requirements-build.txt").items() <= everything


def test_every_locked_module_of_the_pages_has_a_hash_and_no_address() -> None:
    text = (ROOT / "package-lock.json").read_text()
    lock = json.loads(text)
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    assert [name for name, entry in packages.items() if "integrity" not in entry] == []
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    asked = json.loads((ROOT / "package.json").read_text())
    for kind in ("dependencies", "devDependencies"):
        assert lock["packages"][""][kind] == asked[kind], "package-lock.json is old: make lock"


def test_the_makefile_has_at_most_twelve_targets_of_one_line_each() -> None:
    lines = (ROOT / "Makefile").read_text().splitlines()
    targets = [line for line in lines if line and not line.startswith(".PHONY")]
    assert 0 < len(targets) <= 12
    assert [line for line in targets if not re.match(r"^[a-z]+: ; @", line)] == []
