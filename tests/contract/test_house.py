"""The laws of the house that no linter knows: who may build what, and how large things are."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.source import PACKAGES, ROOT, at, called, files, imports, parsed

FILE_MARK, FUNCTION_MARK, PARAMETER_MARK = 300, 40, 6
LEFT_OVER = re.compile(r"\b(TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b")
WITHOUT_CODE = re.compile(r"#\s*type:\s*ignore(?!\[\w)|#\s*no[q]a(?!:\s*[A-Z]+\d)")
KAFKA_CLIENTS = {"AIOKafkaConsumer", "AIOKafkaProducer", "AIOKafkaAdminClient", "KafkaBroker"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def test_only_streams_builds_kafka_clients() -> None:
    outside = [path for path in files(*PACKAGES) if not path.is_relative_to(ROOT / "hub/streams")]
    built = [
        at(path, node)
        for path in outside
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and called(node) in KAFKA_CLIENTS
    ]
    assert built == []
    assert any(called(node) in KAFKA_CLIENTS for path in files("hub/streams") for node in ast.walk(parsed(path)))


def cancels_a_fetch(node: ast.AST) -> bool:
    """A bound from outside around `getmany` or `getone`: cancelled, the client no longer sees that nobody polls."""
    match node:
        case ast.Call(args=args) if called(node) == "wait_for":
            within: list[ast.AST] = list(args)
        case ast.AsyncWith(items=items, body=body) if any(
            called(item.context_expr) in {"timeout", "timeout_at"} for item in items
        ):
            within = list(body)
        case _:
            return False
    return any(called(inner) in {"getmany", "getone"} for one in within for inner in ast.walk(one))


def test_nothing_cancels_a_fetch_from_kafka() -> None:
    trees = ((path, node) for path in files(*PACKAGES, "bench") for node in ast.walk(parsed(path)))
    assert [
        at(path, node) for path, node in trees if isinstance(node, ast.expr | ast.stmt) and cancels_a_fetch(node)
    ] == []


@pytest.mark.parametrize(
    "wrong",
    [
        "await wait_for(c.getmany(timeout_ms=9), 1)",
        "await asyncio.wait_for(c.getone(), 1)",
        "async with asyncio.timeout(1):\n  await c.getmany()",
    ],
)
def test_a_cancelled_fetch_would_be_seen(wrong: str) -> None:
    assert any(map(cancels_a_fetch, ast.walk(ast.parse(wrong))))


def test_only_storage_speaks_to_postgresql() -> None:
    outside = [path for path in files(*PACKAGES) if not path.is_relative_to(ROOT / "hub/storage")]
    assert [at(path, node) for path in outside for name, node in imports(path) if name == "asyncpg"] == []
    assert any(name == "asyncpg" for path in files("hub/storage") for name, _ in imports(path))


def test_no_test_sleeps() -> None:
    """A helper in tests/support may, between two looks at the condition it waits for."""
    tests = [path for path in files("tests") if not path.is_relative_to(ROOT / "tests/support")]
    trees = ((path, node) for path in tests for node in ast.walk(parsed(path)))
    assert [at(path, node) for path, node in trees if isinstance(node, ast.Call) and called(node) == "sleep"] == []


def functions(path: Path) -> Iterator[Function]:
    """Every function of a file, methods and inner ones too."""
    yield from (node for node in ast.walk(parsed(path)) if isinstance(node, Function))


def length(node: Function) -> int:
    """Lines from the `def` to the end, without the docstring."""
    first = node.body[0]
    documented = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    start = node.body[0].lineno if documented else 0
    inside = (first.end_lineno or start) - start + 1 if documented else 0
    return (node.end_lineno or node.lineno) - node.lineno + 1 - inside


def parameters(node: Function) -> int:
    """How many a caller sees."""
    given = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
    return sum(one.arg not in {"self", "cls"} for one in given)


def test_files_are_short() -> None:
    sizes = {
        path: path.read_text(encoding="utf-8").count("\n")
        for path in files(*PACKAGES, "tests", "bench")
        if "migrations" not in path.parts
    }
    assert [f"{path.relative_to(ROOT)}: {size} lines" for path, size in sizes.items() if size > FILE_MARK] == []


def test_functions_are_short_and_take_little() -> None:
    over = []
    for path in files(*PACKAGES, "tests", "bench"):
        for node in functions(path):
            if length(node) > FUNCTION_MARK:
                over.append(f"{at(path, node)} {node.name}: {length(node)} lines")
            if parameters(node) > PARAMETER_MARK and path.relative_to(ROOT).parts[0] in PACKAGES:
                over.append(f"{at(path, node)} {node.name}: {parameters(node)} parameters")
    assert over == []


def test_nothing_is_left_for_later_and_no_rule_is_silenced_whole() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in files(*PACKAGES, "tests", "bench")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if LEFT_OVER.search(line) or WITHOUT_CODE.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "silent"),
    [
        ("x  # noq\x61", True),
        ("x  # noq\x61: S101", False),
        ("x  # type: ignor\x65 # why", True),
        ("x  # type: ignor\x65[misc]", False),
    ],
)
def test_silencing_without_a_code_would_be_seen(line: str, silent: bool) -> None:
    assert bool(WITHOUT_CODE.search(line)) is silent
