"""The lock of Kafka's jars, and what becomes of a jar that is another one."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hub.embedded import jars
from hub.embedded.jars import Jar
from hub.embedded.relock import render
from hub.errors import Misconfigured


def a_jar(content: bytes = b"classes") -> Jar:
    return Jar("org.example", "thing", "1.0", hashlib.sha256(content).hexdigest(), len(content))


def test_the_lock_names_one_kafka_and_one_version_of_each_jar() -> None:
    locked = jars.locked()
    assert {jar.version for jar in locked if jar.group == "org.apache.kafka"} == {"4.3.1"}
    assert len({(jar.group, jar.artifact) for jar in locked}) == len(locked) == 46
    assert jars.kafka_version() == "4.3.1"


def test_a_lock_that_is_written_is_read_again() -> None:
    locked = jars.locked()
    head = "# what it is\n"
    assert jars.parse(render(list(locked), head)) == locked
    assert render(list(locked), "") in jars.LOCK.read_text(encoding="utf-8")


@pytest.mark.parametrize("line", ["org.example:thing:1.0", "org.example:thing 00 5", "a:b:c nothex 5", "a:b:c 00ff 5"])
def test_a_line_that_is_none_is_shown(line: str) -> None:
    with pytest.raises(Misconfigured, match=line.split(maxsplit=1)[0]):
        jars.parse(line)


def test_a_jar_lies_where_maven_puts_it() -> None:
    assert a_jar().inside(Path("/m2")) == Path("/m2/org/example/thing/1.0/thing-1.0.jar")


def test_a_jar_with_the_right_hash_stays(tmp_path: Path) -> None:
    file = tmp_path / "thing.jar"
    file.write_bytes(b"classes")
    jars.check(a_jar(), file)
    assert file.exists()


def test_a_jar_with_another_hash_is_deleted_and_named(tmp_path: Path) -> None:
    file = tmp_path / "thing.jar"
    file.write_bytes(b"other classes")
    with pytest.raises(Misconfigured, match=r"org\.example:thing:1\.0.*deleted"):
        jars.check(a_jar(), file)
    assert not file.exists()


def test_the_local_repository_is_mavens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("M2_REPO", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert jars.local_repository() == tmp_path / ".m2" / "repository"
    monkeypatch.setenv("M2_REPO", "/somewhere")
    assert jars.local_repository() == Path("/somewhere")


SETTINGS = """<settings xmlns="http://maven.apache.org/SETTINGS/1.2.0"><mirrors>
<mirror><id>a</id><url>https://one.example/</url><mirrorOf>other</mirrorOf></mirror>
<mirror><id>b</id><url>https://two.example/</url><mirrorOf>{of}</mirrorOf></mirror>
</mirrors></settings>"""


@pytest.mark.parametrize(
    ("of", "found"), [("central", "two"), ("*", "two"), ("x, external:*", "two"), ("*,!central", None), ("x", None)]
)
def test_a_mirror_is_read_from_mavens_settings(tmp_path: Path, of: str, found: str | None) -> None:
    file = tmp_path / "settings.xml"
    file.write_text(SETTINGS.format(of=of))
    assert jars.mirror_in(file) == (f"https://{found}.example/" if found else None)


def test_no_settings_or_broken_ones_name_no_mirror(tmp_path: Path) -> None:
    assert jars.mirror_in(tmp_path / "absent.xml") is None
    (tmp_path / "broken.xml").write_text("<settings>")
    assert jars.mirror_in(tmp_path / "broken.xml") is None


def test_the_hubs_own_setting_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HUB_EMBEDDED__MAVEN_MIRROR", "https://mirror.example/maven")
    assert jars.mirror() == "https://mirror.example/maven"


def test_what_a_killed_fetch_left_a_day_ago_is_cleared_away(tmp_path: Path) -> None:
    import os

    old, new = tmp_path / ".hub-old", tmp_path / ".hub-new"
    old.mkdir()
    new.mkdir()
    os.utime(old, (1, 1))
    jars.fetch([], tmp_path, lambda *_, **__: None)
    assert list(tmp_path.iterdir()) == [new]
