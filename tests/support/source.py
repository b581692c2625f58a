"""The product's own Python files, as text and as trees, for tests that read the code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("consumers", "hub", "producers", "schemas")


def files(*folders: str) -> list[Path]:
    """Every Python file of these folders."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    """A file as a tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


def at(path: Path, node: ast.expr | ast.stmt) -> str:
    """Where something stands, for people."""
    return f"{path.relative_to(ROOT)}:{node.lineno}"


def called(node: ast.AST) -> str:
    """The last name of what is called here: `b` for `a.b()`; empty for anything else."""
    match node:
        case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)):
            return name
        case _:
            return ""


def imports(path: Path) -> Iterator[tuple[str, ast.stmt]]:
    """The top names that a file imports from outside itself, wherever in the file."""
    for node in ast.walk(parsed(path)):
        match node:
            case ast.Import(names=names):
                yield from ((alias.name.partition(".")[0], node) for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.partition(".")[0], node
            case _:
                pass
