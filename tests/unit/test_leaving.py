"""Links by which somebody takes a consent back: they say what they were made of, to whoever has the secret alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.errors import Misconfigured
from hub.leaving import FILE, Leave, Links, links, read, seal
from hub.settings import check

KEY = b"a secret"
ADDRESSES = st.from_regex(r"[^@\s\x00]{1,64}@[^@\s\x00]{1,64}", fullmatch=True)
BASE = {"unsubscribe": "https://hub.example.com/"}


@given(ADDRESSES, st.sampled_from(["marketing", "news-1"]))
def test_a_link_says_the_address_and_the_purpose_in_letters_that_need_no_escape(address: str, purpose: str) -> None:
    token = seal(KEY, Leave(address, purpose))
    assert read(KEY, token) == Leave(address, purpose)
    assert read(b"another secret", token) is None
    assert set(token) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
    assert Links("https://hub.example.com", KEY).url(Leave(address, purpose)).endswith(f".com/unsubscribe/{token}")


@given(st.text(max_size=200) | st.from_regex(r"[A-Za-z0-9_-]{0,80}\.[A-Za-z0-9_-]{0,40}", fullmatch=True))
@example("x.y")
@example("." * 2000)
@example("é.é")
def test_whatever_was_not_sealed_says_nothing(token: str) -> None:
    assert read(KEY, token) is None


@given(ADDRESSES, st.data())
def test_a_link_that_was_changed_says_nothing_else(address: str, data: st.DataObject) -> None:
    token = seal(KEY, Leave(address, "marketing"))
    place = data.draw(st.integers(0, len(token) - 1))
    other = token[:place] + data.draw(st.sampled_from("Aa9_-.")) + token[place + 1 :]
    assert read(KEY, other) in {None, Leave(address, "marketing")}, (
        "the last letter of base64 holds bits that mean nothing"
    )


def test_a_line_end_behind_it_is_no_part_of_it() -> None:
    assert read(KEY, seal(KEY, Leave("ann@example.net", "marketing")) + "\n") is None


def test_the_secret_is_that_of_the_settings_or_made_once_for_all_processes(tmp_path: Path) -> None:
    assert links(check({"state": tmp_path})) is None
    own = check({"state": tmp_path, "mail": BASE})
    with ThreadPoolExecutor(8) as several:
        found = set(several.map(lambda _: links(own), range(32)))
    assert len(found) == 1
    assert [file.name for file in tmp_path.iterdir()] == [FILE]
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    (tmp_path / "secret").write_text("s3cret\n")
    for said in ({"secret": "s3cret"}, {"secret_file": tmp_path / "secret"}):
        assert links(check({"state": tmp_path / "other", "mail": BASE | said})) == Links(
            "https://hub.example.com", b"s3cret"
        )
    assert "s3cret" not in repr(links(check({"mail": BASE | {"secret": "s3cret"}})))


def test_a_secret_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    for name in ("missing", "empty"):
        with pytest.raises(Misconfigured, match=name):
            links(check({"mail": BASE | {"secret_file": tmp_path / name}}))
    with pytest.raises(Misconfigured, match=FILE):
        links(check({"state": tmp_path / "empty", "mail": BASE}))


@pytest.mark.parametrize("address", ["hub.example.com", "https://", "https://a b", "ftp://x", "https://x\r\nBcc: y"])
def test_an_address_that_no_link_could_begin_with_is_named(address: str) -> None:
    with pytest.raises(Misconfigured, match=r"^mail\.unsubscribe: "):
        check({"mail": {"unsubscribe": address}})
