"""Whether a test cell checks anything, and whether it ends as one may."""

import ast
from collections.abc import Iterator

from tinytorch.course import lint_words as words
from tinytorch.course.lint_names import called_name, reached
from tinytorch.course.lint_words import Fault


def check_faults(tree: ast.Module) -> Iterator[Fault]:
    """Faults of a test cell as a whole, and asserts that cannot fail."""
    yield from _nothing_checked(tree)
    yield from _last_value(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Tuple):
            yield node.lineno, "", words.ALWAYS_TRUE


def _nothing_checked(tree: ast.Module) -> Iterator[Fault]:
    """A check that is never called; or no check at all."""
    own = {n.name: n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
    run = {id(node) for node in reached(tree)}
    sleeping = [
        node
        for node in own.values()
        if any(_is_check(n, own) for n in ast.walk(node))
        and not any(id(n) in run for n in node.body)
        and id(node) in run  # inside a function that is itself not called, that one is named
    ]
    yield from ((node.lineno, node.name, words.NOT_CALLED) for node in sleeping)
    if not sleeping and not any(_is_check(n, own) for n in ast.walk(tree)):
        yield 1, "", words.NO_CHECK


def _is_check(node: ast.AST, own: dict[str, ast.FunctionDef]) -> bool:
    if isinstance(node, ast.Assert):
        return True
    if isinstance(node, ast.Raise):
        return node.exc is not None and "AssertionError" in ast.unparse(node.exc)
    if not isinstance(node, ast.Call):
        return False
    name = called_name(node)
    return name.startswith(words.CHECKS) and name not in own


def _last_value(tree: ast.Module) -> Iterator[Fault]:
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr):
        return
    value = last.value
    if isinstance(value, ast.Constant) and value.value is None:
        return
    if isinstance(value, ast.Call):
        name = called_name(value)
        own = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name]
        if own and not any(map(_returns, own)):
            return
        if not own and name.startswith(words.NONE_CALLS):
            return
    yield last.lineno, "", words.LAST_VALUE


def _returns(function: ast.FunctionDef) -> bool:
    """Whether the function gives back anything but None."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if isinstance(node, ast.Return) and node.value is not None:
            constant = isinstance(node.value, ast.Constant) and node.value.value is None
            if not constant:
                return True
        waiting += ast.iter_child_nodes(node)
    return False
