"""The project's own source files as syntax trees, for the tests that read code."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def library_files() -> list[str]:
    """Paths of the library's files, relative to the project."""
    return sorted(str(path.relative_to(ROOT)) for path in (ROOT / "wsss").rglob("*.py"))


@cache
def tree_of(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text("utf-8"), filename=name)


def workflow_rules() -> dict[str, str]:
    """Return the text of every rule by its name; one that varies another follows on its text."""
    paths = [ROOT / "Snakefile", *sorted((ROOT / "workflow/rules").glob("*.smk"))]
    found: dict[str, str] = {}
    head = r"^(?:use rule (?P<base>\w+) as|rule) (?P<name>\w+)(?: with)?:\n(?P<body>(?: +.*\n|\n)*)"
    for rule in re.finditer(head, "".join(path.read_text() for path in paths), re.MULTILINE):
        base = found[rule["base"]] if rule["base"] else ""
        found[rule["name"]] = base + rule["body"]
    return found


def imported_modules(tree: ast.Module) -> Iterator[str]:
    """Every module that a file imports, as written; relative imports start with a dot."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield module
            if module == "wsss":
                yield from (f"wsss.{alias.name}" for alias in node.names)
