"""The faults of one test cell or locked cell: what it does that a judge's process cannot do.

Words are in lint_words, what names stand for in lint_names.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from tinytorch.course import lint_words as words
from tinytorch.course.lint_answers import answer_faults, subclass_faults
from tinytorch.course.lint_checks import check_faults
from tinytorch.course.lint_names import Names, assignments, called_name, imports
from tinytorch.course.lint_words import Fault


@dataclass(frozen=True)
class Context:
    """What the other cells define.

    imported: by the locked cells, name -> dotted name. answers: by the answer cells, name -> kind.
    values: those of the answers' names that do not exist in the judge's process. others: names of
    cells that are neither answers nor run by the judge.
    """

    imported: dict[str, str]
    answers: dict[str, str]
    values: set[str]
    others: set[str]


def test_faults(names: Names, context: Context) -> Iterator[Fault]:
    """All faults of a test cell."""
    yield from _used_names(names, set(words.USES))
    yield from _patches(names)
    yield from _errstate(names)
    yield from _timing(names)
    yield from _unknown_names(names, context)
    yield from check_faults(names.tree)
    for node in ast.walk(names.tree):
        yield from answer_faults(names, node)


def setup_faults(names: Names, exported: bool) -> Iterator[Fault]:
    """All faults of a locked cell, which is run in the judge's process and in the student's.

    exported: whether it belongs to the package that students write; then it may measure.
    """
    everywhere = {name for name, use in words.USES.items() if use in (words.SEED, words.PATCH)}
    both = {name for name, use in words.USES.items() if use is words.ENVIRONMENT}
    allowed = set(words.USES) - everywhere if exported else both
    yield from _used_names(names, set(words.USES) - allowed)
    yield from _patches(names)
    for node in ast.walk(names.tree):
        if isinstance(node, ast.ClassDef):
            yield from subclass_faults(names, node)


def _used_names(names: Names, refused: set[str]) -> Iterator[Fault]:
    """Uses of what is refused by its dotted name, not its import."""
    inner: set[int] = set()
    for node in ast.walk(names.tree):  # outer attributes come before what they hold
        if not isinstance(node, ast.Attribute | ast.Name) or id(node) in inner:
            continue
        dotted = names.dotted(node)
        found = next((name for name in _prefixes(dotted) if name in words.USES), "")
        if found:
            inner.update(id(below) for below in ast.walk(node))
            use = words.USES[found]
            if found in refused and not _is_stored(node):
                yield node.lineno, dotted, use


def _prefixes(dotted: str) -> Iterator[str]:
    """a.b.c, a.b, a."""
    parts = dotted.split(".")
    yield from (".".join(parts[:n]) for n in range(len(parts), 0, -1) if dotted)


def _is_stored(node: ast.expr) -> bool:
    return not isinstance(getattr(node, "ctx", None), ast.Load)


def _patches(names: Names) -> Iterator[Fault]:
    """Assignments to attributes and entries of what other code uses too, the environment apart."""
    for node in ast.walk(names.tree):
        if isinstance(node, ast.Attribute | ast.Subscript) and _is_stored(node):
            root: ast.AST = node
            while isinstance(root, ast.Attribute | ast.Subscript):
                root = root.value
                if names.is_theirs(root) and isinstance(node, ast.Attribute):
                    yield node.lineno, ast.unparse(node), words.SET
                    break
                if names.dotted(root).startswith(("os.environ", "sys.path")):
                    break
                if names.dotted(root) or _is_globals(root):
                    yield node.lineno, ast.unparse(node), words.PATCH
                    break
        elif isinstance(node, ast.Call) and called_name(node) in ("setattr", "delattr"):
            if node.args and names.is_theirs(node.args[0]):
                yield node.lineno, ast.unparse(node), words.SET
            elif node.args and names.dotted(node.args[0]):
                yield node.lineno, ast.unparse(node.args[0]), words.PATCH
        elif isinstance(node, ast.Name) and node.id in ("monkeypatch", "mocker"):
            yield node.lineno, node.id, words.PATCH


def _is_globals(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and called_name(node) in ("globals", "vars")


def _errstate(names: Names) -> Iterator[Fault]:
    """NumPy's treatment of overflow and the like, set around a call of an answer."""
    for node in ast.walk(names.tree):
        if not isinstance(node, ast.With) or not any(map(names.is_call, ast.walk(node))):
            continue
        for item in node.items:
            made = item.context_expr
            if isinstance(made, ast.Call) and names.dotted(made.func) == "numpy.errstate":
                yield node.lineno, "numpy.errstate", words.ENVIRONMENT


def _timing(names: Names) -> Iterator[Fault]:
    """Asserts and ifs that a measured time decides."""
    timed: set[str] = set()

    def is_timed(node: ast.AST) -> bool:
        return any(
            (isinstance(part, ast.Name) and part.id in timed)
            or (isinstance(part, ast.Name | ast.Attribute) and names.dotted(part) in words.CLOCKS)
            for part in ast.walk(node)
        )

    before = -1
    while before != len(timed):
        before = len(timed)
        for target, value in assignments(names.tree):
            if is_timed(value):
                timed.update(n.id for n in ast.walk(target) if isinstance(n, ast.Name))
    for node in ast.walk(names.tree):
        if isinstance(node, ast.Assert | ast.If) and is_timed(node.test):
            yield node.lineno, "", words.TIMING


def _unknown_names(names: Names, context: Context) -> Iterator[Fault]:
    own = {n.id for n in ast.walk(names.tree) if isinstance(n, ast.Name) and _is_stored(n)}
    own |= {n.arg for n in ast.walk(names.tree) if isinstance(n, ast.arg)} | set(names.imported)
    own |= {n.name for n in ast.walk(names.tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    own |= set(imports(names.tree))
    for node in ast.walk(names.tree):
        if isinstance(node, ast.Name) and node.id not in own:
            if node.id in context.values:
                yield node.lineno, node.id, words.VALUE_OF_ANSWER
            elif node.id in context.others:
                yield node.lineno, node.id, words.UNKNOWN
