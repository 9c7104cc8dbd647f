"""The list of small changes that mutation testing makes to an answer, one at a time.

Works on the syntax tree, so comments and line breaks of the answer are not kept. Nothing is run.
"""

import ast
import copy
import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from IPython.core.inputtransformer2 import TransformerManager

Change = tuple[str, Callable[[], None]]  # the operator's name, and what makes the change in place

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_EXTREMES = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum"}
_DELETED = (ast.Expr, ast.Assign, ast.AugAssign, ast.Raise, ast.Delete)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Mutant:
    """An answer with one change: what was done, its lines as a diff, and the cell's source.

    diff: `@@ <function>`, then the lines that went (-) and that came (+).
    """

    answer: str
    operator: str
    diff: str
    source: str


def mutants_of(answer: str, source: str) -> list[Mutant]:
    """Return every change of the list, each in a copy of the cell; no two have the same source."""
    tree = ast.parse(TransformerManager().transform_cell(source))
    original = ast.unparse(tree)
    found: dict[str, Mutant] = {}
    for index, (node, changes) in enumerate(_changes(tree)):
        for number, (operator, _) in enumerate(changes):
            changed = copy.deepcopy(tree)
            _, again = _nth(changed, index)
            again[number][1]()
            text = ast.unparse(ast.fix_missing_locations(changed))
            if text != original and text not in found:
                diff = "\n".join([f"@@ {_around(tree, node)}", *_lines(original, text)])
                found[text] = Mutant(answer, operator, diff, text)
    return list(found.values())


def _nth(tree: ast.Module, index: int) -> tuple[ast.AST, list[Change]]:
    return list(_changes(tree))[index]


def _changes(tree: ast.Module) -> Iterator[tuple[ast.AST, list[Change]]]:
    """Every node that is run, with the changes that can be made at it."""
    silent = _silent(tree)
    for node in ast.walk(tree):
        if id(node) not in silent:
            yield node, [change for make in _OPERATORS for change in make(node)]


def _silent(tree: ast.Module) -> set[int]:
    """Nodes that only tell the reader something: annotations and docstrings."""
    roots: list[ast.AST | None] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign):
            roots.append(node.annotation)
        elif isinstance(node, _FUNCTIONS):
            roots.append(node.returns)
    return {id(inner) for root in roots if root is not None for inner in ast.walk(root)}


def _around(tree: ast.Module, node: ast.AST) -> str:
    """The innermost functions and classes that a node stands in, as a dotted name."""
    names = []
    inside: ast.AST = tree
    while inside is not node:
        for child in ast.iter_child_nodes(inside):
            if any(inner is node for inner in ast.walk(child)):
                if isinstance(child, (*_FUNCTIONS, ast.ClassDef)):
                    names.append(child.name)
                inside = child
                break
    return ".".join(names) or "the cell"


def _lines(original: str, changed: str) -> list[str]:
    diff = difflib.unified_diff(original.split("\n"), changed.split("\n"), n=0, lineterm="")
    return [line for line in diff if not line.startswith(("---", "+++", "@@"))]


def _set(owner: ast.AST, name: str, value: object) -> Callable[[], None]:
    return lambda: setattr(owner, name, value)


def _put(items: list, index: int, value: object) -> Callable[[], None]:
    return lambda: items.__setitem__(index, value)


def _comparisons(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Compare):
        for index, op in enumerate(node.ops):
            for other in _COMPARISONS[type(op)]:
                yield "comparison swapped", _put(node.ops, index, other())


def _arithmetic(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _ARITHMETIC:
        yield "arithmetic swapped", _set(node, "op", _ARITHMETIC[type(node.op)]())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "minus dropped", _set(node, "op", ast.UAdd())


def _constants(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield "constant flipped", _set(node, "value", not node.value)
        elif isinstance(node.value, int | float):
            yield "constant + 1", _set(node, "value", node.value + 1)
            yield "constant - 1", _set(node, "value", node.value - 1)


def _logic(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield "and / or swapped", _set(node, "op", other)


def _conditions(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.If | ast.While | ast.IfExp | ast.Assert):
        if not _is_compared(node.test):
            yield "condition negated", _set(node, "test", _negated(node.test))
    elif isinstance(node, ast.comprehension):
        for index, test in enumerate(node.ifs):
            if not _is_compared(test):
                yield "condition negated", _put(node.ifs, index, _negated(test))


def _is_compared(test: ast.expr) -> bool:
    """Whether swapping its one comparison negates it already."""
    return isinstance(test, ast.Compare) and len(test.ops) == 1


def _negated(test: ast.expr) -> ast.expr:
    return ast.UnaryOp(op=ast.Not(), operand=test)


def _statements(node: ast.AST) -> Iterator[Change]:
    for name in ("body", "orelse", "finalbody"):
        body = getattr(node, name, None)
        if not isinstance(body, list):
            continue
        for index, statement in enumerate(body):
            if isinstance(statement, _DELETED) and not _is_text(statement):
                yield "statement deleted", _put(body, index, ast.Pass())
            elif isinstance(statement, ast.Break):
                yield "break to continue", _put(body, index, ast.Continue())
            elif isinstance(statement, ast.Continue):
                yield "continue to break", _put(body, index, ast.Break())


def _is_text(statement: ast.stmt) -> bool:
    """A docstring, or another value that nobody uses."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _returns(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Return) and node.value is not None:
        yield "None returned", _set(node, "value", ast.Constant(None))


def _calls(node: ast.AST) -> Iterator[Change]:
    if not isinstance(node, ast.Call):
        return
    for index, keyword in enumerate(node.keywords):
        yield f"{keyword.arg or '**'} dropped", _dropped(node.keywords, index)
    for index, argument in enumerate(node.args):
        if isinstance(argument, ast.Starred):
            yield "*arguments dropped", _dropped(node.args, index)
    name = "id" if isinstance(node.func, ast.Name) else "attr"
    called = getattr(node.func, name, "")
    if called in _EXTREMES:
        yield "min / max swapped", _set(node.func, name, _EXTREMES[called])
    if called == "range" and not node.keywords and node.args:
        yield from _ranges(node)


def _dropped(items: list, index: int) -> Callable[[], None]:
    return lambda: items.pop(index)


def _ranges(call: ast.Call) -> Iterator[Change]:
    stop = 0 if len(call.args) == 1 else 1
    yield "range ends earlier", _put(call.args, stop, _moved(call.args[stop], -1))
    if stop == 0:
        yield "range begins later", lambda: call.args.insert(0, ast.Constant(1))
    else:
        yield "range begins later", _put(call.args, 0, _moved(call.args[0], 1))
    if len(call.args) == 3:
        yield "range's step dropped", _dropped(call.args, 2)


def _moved(value: ast.expr, by: int) -> ast.expr:
    op = ast.Add() if by > 0 else ast.Sub()
    return ast.BinOp(left=value, op=op, right=ast.Constant(abs(by)))


def _slices(node: ast.AST) -> Iterator[Change]:
    if not isinstance(node, ast.Slice):
        return
    if node.lower is not None:
        yield "slice begins later", _set(node, "lower", _moved(node.lower, 1))
        yield "slice's begin dropped", _set(node, "lower", None)
    if node.upper is not None:
        yield "slice ends earlier", _set(node, "upper", _moved(node.upper, -1))
        yield "slice's end dropped", _set(node, "upper", None)


def _defaults(node: ast.AST) -> Iterator[Change]:
    """Numbers and flags are changed as constants; here it is the None that becomes one."""
    if isinstance(node, ast.arguments):
        for defaults in (node.defaults, node.kw_defaults):
            for index, default in enumerate(defaults):
                if isinstance(default, ast.Constant) and default.value is None:
                    yield "default changed", _put(defaults, index, ast.Constant(1))


_OPERATORS = (
    _comparisons,
    _arithmetic,
    _constants,
    _logic,
    _conditions,
    _statements,
    _returns,
    _calls,
    _slices,
    _defaults,
)
