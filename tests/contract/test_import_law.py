"""The import law holds, and it bites: one wrong import in each direction breaks the contract that forbids it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("consumers", "hub", "producers", "schemas")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
FLOORS = [[room.strip() for room in floor.split("|")] for floor in CONTRACTS[0]["layers"]]
ROOMS = [[room.strip("()") for room in floor] for floor in FLOORS]

LAYERS, PUBLISH, POSTGRESQL, PURE, COMPONENTS, DEMO = (contract["name"] for contract in CONTRACTS)

UPWARDS = [(LAYERS, lower[0], upper[-1]) for upper, lower in pairwise(ROOMS)]
SIDEWAYS = [
    (LAYERS, *pair) for floor in ROOMS if len(floor) > 1 for pair in ((floor[0], floor[-1]), (floor[-1], floor[0]))
]
OTHERS = [
    (PUBLISH, "consumers.sync", "hub.streams.publish"),
    (PUBLISH, "hub.cli", "hub.streams.publish"),
    (PUBLISH, "hub.streams", "hub.streams.publish"),
    (POSTGRESQL, "consumers.sync", "asyncpg"),
    (POSTGRESQL, "hub.streams", "asyncpg"),
    (PURE, "schemas", "httpx"),
    (PURE, "hub.identity", "socket"),
    (PURE, "hub.automation.engine", "redis"),
    (PURE, "consumers.actions.mail", "hub.egress"),  # which reaches httpx
    (COMPONENTS, "producers.sources.one", "producers.sources.two"),
    (COMPONENTS, "consumers.actions.mail", "consumers.actions.tag"),
    (COMPONENTS, "consumers.destinations.one", "consumers.destinations.two"),
    (COMPONENTS, "consumers.actions.mail", "consumers.destinations.one"),
    (DEMO, "hub.demo.people", "hub.settings"),
    (DEMO, "hub.demo.people", "producers"),
]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """The import linter over a tree, without anything it remembers."""
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", program, "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env={"COLUMNS": "200"})


def place(tree: Path, module: str) -> Path:
    """The file of a module; made, empty, where the room is still to be built."""
    path = tree.joinpath(*module.split("."))
    if path.with_suffix(".py").exists():
        return path.with_suffix(".py")
    if not path.is_dir() and len(path.relative_to(tree).parts) > 2:
        place(tree, module.rpartition(".")[0])
        path.with_suffix(".py").touch()
        return path.with_suffix(".py")
    path.mkdir(parents=True, exist_ok=True)
    (path / "__init__.py").touch()
    return path / "__init__.py"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the house with every room of the law in it."""
    folder = tmp_path_factory.mktemp("house")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    for room in [room for floor in ROOMS for room in floor]:
        place(folder, room)
    for _, importer, imported in OTHERS:
        for module in (importer, imported):
            if module.partition(".")[0] in PACKAGES:
                place(folder, module)
    with place(folder, "hub.egress").open("a", encoding="utf-8") as egress:
        egress.write("\nimport httpx\n")
    return folder


@pytest.fixture
def wrong(tree: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """The copy with one import too many; taken back afterwards."""
    importer, imported = request.param
    file = place(tree, importer)
    before = file.read_text(encoding="utf-8")
    file.write_text(f"{before}\nimport {imported}\n", encoding="utf-8")
    yield tree
    file.write_text(before, encoding="utf-8")


def test_the_house_is_clean() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_house_is_clean_with_the_rooms_still_to_be_built(tree: Path) -> None:
    done = lint(tree)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("contract", "wrong"),
    [pytest.param(name, pair, id=" → ".join(pair)) for name, *pair in (*UPWARDS, *SIDEWAYS, *OTHERS)],
    indirect=["wrong"],
)
def test_a_wrong_import_breaks_its_contract(contract: str, wrong: Path) -> None:
    done = lint(wrong)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{contract} BROKEN" in done.stdout


def exists(module: str) -> bool:
    """Is the room built?"""
    path = ROOT.joinpath(*module.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def test_every_room_of_the_hub_has_its_floor() -> None:
    named = {room for floor in ROOMS for room in floor}
    inside = {
        f"hub.{path.stem}"
        for path in (ROOT / "hub").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert inside - named - {"hub.__init__"} == set()


def test_a_room_that_stands_is_named_plainly_in_the_law() -> None:
    optional = [room.strip("()") for floor in FLOORS for room in floor if room.startswith("(")]
    waiting = [
        name.removesuffix(".**")
        for contract in CONTRACTS
        for name in contract.get("source_modules", ())
        if name.endswith(".**")
    ]
    assert [room for room in (*optional, *waiting) if exists(room)] == [], "take away its parentheses, or its `.**`"
