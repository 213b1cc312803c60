"""Which code computes the numbers: what long runs, and several workers, compare."""

import ast
import functools
import hashlib
import pathlib

PACKAGE = pathlib.Path(__file__).parent
CODE = ("learners", "networks", "scratch", "tasks", "weighting")


@functools.cache
def code_digest() -> str:
    """SHA-256 of what computes the numbers: the code of CODE, without its comments and docstrings."""
    digest = hashlib.sha256()
    for path in sorted(path for folder in CODE for path in (PACKAGE / folder).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if isinstance(body, list) and isinstance(getattr(body[0] if body else None, "value", None), ast.Constant):
                node.body = body[1:]  # type: ignore[attr-defined]
        digest.update(f"{path.relative_to(PACKAGE).as_posix()} {ast.dump(tree)}".encode())
    return digest.hexdigest()
