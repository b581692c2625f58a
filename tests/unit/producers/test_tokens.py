"""Secrets that are shown instead of signed with."""

from __future__ import annotations

from base64 import b64encode

import pytest
from pydantic import ValidationError

from hub.components import Request
from hub.errors import BadProof
from producers.signatures import Token

AT = "2026-11-22T08:15:30.123Z"
TOKENS = [
    (Token(header="X-Token"), {"x-token": "hush"}, {}),
    (Token(header="Authorization", prefix="Bearer "), {"authorization": "Bearer hush"}, {}),
    (Token(basic="hub"), {"authorization": f"Basic {b64encode(b'hub:hush').decode()}"}, {}),
    (Token(query="token"), {}, {"token": "hush"}),
]


@pytest.mark.parametrize(("token", "headers", "query"), TOKENS, ids=["header", "bearer", "basic", "query"])
def test_a_token_is_looked_for_in_its_place(token: Token, headers: dict[str, str], query: dict[str, str]) -> None:
    token.verify(["old", "hush"], Request(b"", headers, query, AT))
    assert token.headers("hush") == headers
    spoilt = [{name: f"{value}x" for name, value in one.items()} for one in (headers, query)]
    for shown in ((headers, query), ({}, {}), spoilt):
        secrets = ["old", ""] if shown == (headers, query) else ["hush"]
        with pytest.raises(BadProof) as wrong:
            token.verify(secrets, Request(b"", shown[0], shown[1], AT))
        assert wrong.value.field == next(iter(headers | query))


@pytest.mark.parametrize(
    "wrong", [{}, {"header": "a", "query": "b"}, {"query": "a", "prefix": "Bearer "}, {"basic": ""}]
)
def test_a_token_stands_in_one_place(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Token.model_validate(wrong)
