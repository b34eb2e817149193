"""Rules about the repository itself: addresses, machine paths, and a lock that is in step."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]

# In pieces, so that this file does not name what it forbids.
REGISTRY_HOSTS = [
    ".".join(pieces)
    for pieces in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("pypi", "python", "org"),
        ("anaconda", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("jsdelivr", "net"),
        ("unpkg", "com"),
        ("deb", "debian", "org"),
        ("archive", "ubuntu", "com"),
        ("security", "ubuntu", "com"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
        ("download", "pytorch", "org"),
    ]
]

# Modules whose distribution does not say so, or that a declared one brings as a part of itself.
BROUGHT_BY = {"dlib": "dlib-bin", "psycopg_pool": "psycopg", "pydantic_core": "pydantic"}


def repository_texts() -> Iterator[tuple[Path, str]]:
    """Every text file that is committed or about to be."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("no git checkout")
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            if b"\0" not in content[:8192]:
                yield Path(name), content.decode("utf-8", errors="replace")


def lines_matching(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path}:{number}"
        for path, text in repository_texts()
        if pattern.search(text)
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def imported_modules(package: str) -> Iterator[tuple[str, Path]]:
    """The top-level names that the modules of one of our packages import, wherever they do."""
    for path in sorted((ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.name.partition(".")[0], path.relative_to(ROOT)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0], path.relative_to(ROOT)


def locked_packages() -> dict[str, list[str]]:
    """The lines of the lock that name a package, by its canonical name."""
    packages: dict[str, list[str]] = {}
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        found = re.match(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^]]*\])?==", line)
        if found:
            packages.setdefault(canonicalize_name(found[1]), []).append(line)
    return packages


def test_no_file_names_a_package_registry() -> None:
    pattern = re.compile("|".join(re.escape(host) for host in REGISTRY_HOSTS), re.IGNORECASE)

    assert lines_matching(pattern) == []


def test_no_file_names_the_place_of_this_checkout() -> None:
    if len(ROOT.parts) < 3:
        pytest.skip("the checkout's path is too short to be telling")

    assert lines_matching(re.compile(re.escape(str(ROOT)) + r"\b")) == []


def test_the_lock_holds_no_address_and_no_path() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")

    assert "://" not in lock
    assert not re.search(r"(^|\s)(-i|-f|--index-url|--extra-index-url|--find-links)\b", lock)
    assert not re.search(r"@ |file:", lock)


def test_every_locked_package_has_a_hash() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=[A-Za-z0-9])", lock)

    without = [block.splitlines()[0] for block in blocks[1:] if "--hash=sha256:" not in block]

    assert without == []


def test_the_lock_has_what_pyproject_asks_for() -> None:
    project = pyproject()
    asked = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    for extra in project["project"].get("optional-dependencies", {}).values():
        asked += extra
    locked = locked_packages()

    missing = []
    for requirement in map(Requirement, asked):
        lines = locked.get(canonicalize_name(requirement.name), [])
        versions = [re.split(r"[ ;\\]", line.split("==", 1)[1])[0] for line in lines]
        if not any(requirement.specifier.contains(version) for version in versions):
            missing.append(str(requirement))

    assert missing == [], "run: make lock"


def test_every_imported_package_is_declared() -> None:
    project = pyproject()["project"]
    extras = project.get("optional-dependencies", {}).values()
    asked = [*project["dependencies"], *(line for extra in extras for line in extra)]
    declared = {canonicalize_name(Requirement(line).name) for line in asked}
    providers = packages_distributions()
    ours = {root.name for root in ROOT.iterdir() if (root / "__init__.py").is_file()} - {"tests"}

    undeclared = {
        f"{name} in {path}"
        for package in ours
        for name, path in imported_modules(package)
        if name not in sys.stdlib_module_names and name not in ours | {"tests"}
        if "tests" not in path.parts
        if BROUGHT_BY.get(name) not in declared
        if declared.isdisjoint(map(canonicalize_name, providers.get(name, ())))
    }

    assert undeclared == set(), "name it in pyproject.toml, then: make lock"


def test_opencv_comes_without_a_window_system() -> None:
    locked = locked_packages()

    assert "opencv-python-headless" in locked
    assert all("sys_platform == 'never'" in line for line in locked.get("opencv-python", []))


def test_hooks_are_local_ones() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))

    assert {repository["repo"] for repository in config["repos"]} == {"local"}


def test_commands_and_the_listener_start_without_what_only_some_work_needs() -> None:
    program = (
        "import sys, cli.app\n"
        "heavy = {'dagster', 'duckdb', 'polars', 'requests', 'sklearn', 'telethon'}\n"
        "print(*sorted(heavy & set(sys.modules)))\n"
        "import sensors.listener\n"
        "print(*sorted({'dagster'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == []
