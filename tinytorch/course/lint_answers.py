"""Faults of a test cell in what it does with an answer: all but calling it with data."""

import ast
from collections.abc import Iterator

from tinytorch.course import lint_words as words
from tinytorch.course.lint_names import Names, assignments, called_name
from tinytorch.course.lint_words import Fault


def answer_faults(names: Names, node: ast.AST) -> Iterator[Fault]:
    """The faults of one node of a test cell."""
    yield from _operations(names, node)
    yield from _crossing(names, node)


def _operations(names: Names, node: ast.AST) -> Iterator[Fault]:
    """What is done to an answer, or to an object of its class, other than calling it."""
    if isinstance(node, ast.ClassDef):
        yield from subclass_faults(names, node)
    elif isinstance(node, ast.MatchClass) and names.is_class(node.cls):
        yield node.lineno, ast.unparse(node.cls), words.KIND
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        special = node.attr.startswith("__") and node.attr != "__name__"
        of_function = names.is_function(node.value) and node.attr != "__name__"
        if of_function or (special and names.is_theirs(node.value)):
            yield node.lineno, ast.unparse(node), words.ATTRIBUTE
    elif isinstance(node, ast.Compare):
        yield from _comparison(names, node)
    elif isinstance(node, ast.Call):
        yield from _looking(names, node)
    elif theirs := next((part for part in _operands(node) if names.is_object(part)), None):
        yield theirs.lineno, ast.unparse(theirs), words.OPERATOR


def subclass_faults(names: Names, node: ast.ClassDef) -> Iterator[Fault]:
    """A class that is made from a student's."""
    if any(map(names.is_class, node.bases)):
        yield node.lineno, f"class {node.name}", words.SUBCLASS


def _operands(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.UnaryOp):
        return [node.operand]
    if isinstance(node, ast.BoolOp):
        return node.values
    if isinstance(node, ast.Subscript):
        return [node.value]
    if isinstance(node, ast.For | ast.comprehension):
        return [node.iter]
    if isinstance(node, ast.With):
        return [item.context_expr for item in node.items]
    if isinstance(node, ast.If | ast.While | ast.Assert | ast.IfExp):
        return [node.test]
    return []


def _comparison(names: Names, node: ast.Compare) -> Iterator[Fault]:
    sides = [node.left, *node.comparators]
    if any(isinstance(s, ast.Constant) and s.value in (None, True, False) for s in sides):
        return
    for operator, left, right in zip(node.ops, sides[:-1], sides[1:], strict=True):
        if isinstance(operator, ast.In | ast.NotIn):
            theirs = [right] if names.is_object(right) else []
        else:
            theirs = [side for side in (left, right) if names.is_theirs(side)]
        if theirs:
            yield node.lineno, ast.unparse(theirs[0]), words.COMPARE
        elif isinstance(operator, ast.Is | ast.IsNot) and (
            names.is_result(left) or names.is_result(right)
        ):
            yield node.lineno, ast.unparse(node), words.IDENTITY


def _looking(names: Names, call: ast.Call) -> Iterator[Fault]:
    name, arguments = called_name(call), [*call.args, *(k.value for k in call.keywords)]
    theirs = next((argument for argument in arguments if names.is_theirs(argument)), None)
    is_builtin = isinstance(call.func, ast.Name)
    if is_builtin and name in ("isinstance", "issubclass"):
        second = call.args[1:2]
        parts = second[0].elts if second and isinstance(second[0], ast.Tuple) else second
        theirs = next((a for a in [*call.args[:1], *parts] if names.is_theirs(a)), None)
        if theirs is not None:
            yield call.lineno, ast.unparse(theirs), words.KIND
    elif theirs is None:
        return
    elif is_builtin and name == "type":
        yield call.lineno, ast.unparse(theirs), words.KIND
    elif names.dotted(call.func).split(".")[0] in words.LOOKERS:
        yield call.lineno, ast.unparse(call.func), words.INSPECT
    elif is_builtin and name in words.LOOKING_BUILTINS:
        yield call.lineno, name, words.INSPECT
    elif is_builtin and name in ("getattr", "hasattr") and _looks_special(names, call):
        yield call.lineno, ast.unparse(call), words.ATTRIBUTE
    elif is_builtin and name in words.ASKING_BUILTINS and any(map(names.is_object, call.args)):
        yield call.lineno, ast.unparse(theirs), words.OPERATOR


def _looks_special(names: Names, call: ast.Call) -> bool:
    key = call.args[1] if len(call.args) > 1 else None
    asked = str(key.value) if isinstance(key, ast.Constant) else "__"
    return asked != "__name__" and (asked.startswith("__") or names.is_function(call.args[0]))


def _crossing(names: Names, node: ast.AST) -> Iterator[Fault]:
    """What is handed to an answer, or expected of it, and is no data."""
    if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith):
        yield node.lineno, type(node).__name__.lower(), words.AWAIT
    if not isinstance(node, ast.Call):
        return
    name = called_name(node)
    if names.is_call(node) or any(map(names.is_class, [node.func])):
        for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
            if _is_iterator(names, argument):
                yield argument.lineno, ast.unparse(argument), words.ITERATOR
    if names.is_result(node.func) and not isinstance(node.func, ast.Attribute):
        yield node.lineno, ast.unparse(node.func), words.GIVEN_FUNCTION
    if not node.args or not names.is_result(node.args[0]):
        return
    if name == "callable":
        yield node.lineno, ast.unparse(node), words.GIVEN_FUNCTION
    elif name in ("next", "isgenerator") or (
        name == "isinstance" and words.ITERATOR_KINDS & _names_in(node.args[-1])
    ):
        yield node.lineno, ast.unparse(node), words.GIVEN_ITERATOR


def _names_in(node: ast.AST) -> set[str]:
    found = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return found | {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}


def _is_iterator(names: Names, node: ast.expr, through: int = 2) -> bool:
    """Whether it is a generator or an iterator, by how it was made; names are looked up twice."""
    if isinstance(node, ast.GeneratorExp):
        return True
    if isinstance(node, ast.Call):
        if names.dotted(node.func).startswith("itertools."):
            return True
        by_name = isinstance(node.func, ast.Name)
        return by_name and (called_name(node) in words.ITERATORS or _yields(names, node))
    if isinstance(node, ast.Name) and through:
        return any(
            isinstance(target, ast.Name)
            and target.id == node.id
            and _is_iterator(names, value, through - 1)
            for target, value in assignments(names.tree)
        )
    return False


def _yields(names: Names, call: ast.Call) -> bool:
    """Whether a generator function of this cell is called."""
    return any(
        isinstance(node, ast.FunctionDef)
        and node.name == called_name(call)
        and any(isinstance(n, ast.Yield | ast.YieldFrom) for n in ast.walk(node))
        for node in ast.walk(names.tree)
    )
