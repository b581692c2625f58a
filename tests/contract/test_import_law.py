"""The import law holds, and it bites: one wrong import in each direction breaks the contract that forbids it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

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


LINTER = """
import contextlib, io, json, sys
from importlinter import cli

for _ in sys.stdin:
    with contextlib.redirect_stdout(io.StringIO()) as said:
        status = cli.lint_imports(no_cache=True, no_logo=True)
    print(json.dumps([status, said.getvalue()]), flush=True)
"""


class Verdict(NamedTuple):
    """What `lint-imports` ends with, and what it says."""

    status: int
    said: str


@dataclass(frozen=True)
class Tree:
    """A folder, and the import linter in a process of its own there; it remembers nothing from one look to the next."""

    folder: Path
    process: subprocess.Popen[str]

    def lint(self) -> Verdict:
        """What it finds as the files are now."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return Verdict(*json.loads(self.process.stdout.readline()))


@contextmanager
def linted(folder: Path) -> Iterator[Tree]:
    """A tree and its linter, until the end of the block."""
    with subprocess.Popen(
        [sys.executable, "-c", LINTER],
        cwd=folder,
        env={"COLUMNS": "200"},
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        yield Tree(folder, process)


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
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
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
    with linted(folder) as made:
        yield made


@pytest.fixture
def wrong(tree: Tree, request: pytest.FixtureRequest) -> Iterator[Tree]:
    """The copy with one import too many; taken back afterwards."""
    importer, imported = request.param
    file = place(tree.folder, importer)
    before = file.read_text(encoding="utf-8")
    file.write_text(f"{before}\nimport {imported}\n", encoding="utf-8")
    yield tree
    file.write_text(before, encoding="utf-8")


def test_the_house_is_clean() -> None:
    with linted(ROOT) as house:
        done = house.lint()
    assert done.status == 0, done.said


def test_the_house_is_clean_with_the_rooms_still_to_be_built(tree: Tree) -> None:
    done = tree.lint()
    assert done.status == 0, done.said


@pytest.mark.parametrize(
    ("contract", "wrong"),
    [pytest.param(name, pair, id=" → ".join(pair)) for name, *pair in (*UPWARDS, *SIDEWAYS, *OTHERS)],
    indirect=["wrong"],
)
def test_a_wrong_import_breaks_its_contract(contract: str, wrong: Tree) -> None:
    done = wrong.lint()
    assert done.status == 1, done.said
    assert f"{contract} BROKEN" in done.said


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
