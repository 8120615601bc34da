"""A fingerprint of the code that a stage runs, blind to comments, docstrings and layout.

The workflow passes it as a parameter of each rule, because the engine does not notice an edit in an
imported module: without it, cached maps would go stale in silence.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def code_hash(*files: str) -> str:
    """Return a hash of the files' syntax trees and of all that they import from `wsss`.

    Args:
        files: Paths relative to the project's folder: a script, and the files of the methods that
            it loads by name (`wsss/localize/advcam.py`).

    Raises:
        FileNotFoundError: A file does not exist.
    """
    seen: dict[str, str] = {}
    queue = list(files)
    while queue:
        name = queue.pop()
        if name not in seen:
            seen[name], imported = _fingerprint(name)
            queue.extend(imported)
    text = "\n".join(f"{name} {seen[name]}" for name in sorted(seen))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def _fingerprint(name: str) -> tuple[str, tuple[str, ...]]:
    path = ROOT / name
    if not path.is_file():
        raise FileNotFoundError(f"{name} is part of a rule's code but does not exist in {ROOT}")
    if path.suffix != ".py":
        return hashlib.sha256(path.read_bytes()).hexdigest(), ()
    tree = ast.parse(path.read_text(), filename=str(path))
    imported = tuple(sorted(set(_imported_files(tree))))
    for node in ast.walk(tree):
        _remove_docstring(node)
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), imported


def _remove_docstring(node: ast.AST) -> None:
    if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return
    first = node.body[0] if node.body else None
    value = first.value if isinstance(first, ast.Expr) else None
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        node.body = node.body[1:] or [ast.Pass()]


def _imported_files(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _file_of(alias.name)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield from _file_of(node.module)
            for alias in node.names:
                yield from _file_of(f"{node.module}.{alias.name}")


def _file_of(module: str) -> Iterator[str]:
    if module != "wsss" and not module.startswith("wsss."):
        return
    stem = module.replace(".", "/")
    for candidate in (f"{stem}.py", f"{stem}/__init__.py"):
        if (ROOT / candidate).is_file():
            yield candidate
