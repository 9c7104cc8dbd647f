"""What the names in a test cell stand for: imports, a student's answers, and what these gave back.

Names are followed through a whole cell at once, whatever the order of its lines.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

FUNCTION, CLASS, CONSTANT = "function", "class", "constant"
_CALLERS = ("attempt", "partial", "expect_")  # the lab's own, called with an answer before its data


def definitions(source: str) -> dict[str, str]:
    """Name -> kind of everything that the top level of an answer cell defines.

    Only a `def` or a `class` makes a function or a class: what is assigned is a value.
    """
    kinds: dict[str, str] = {}
    for node in _parsed(source):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            kinds[node.name] = FUNCTION
        elif isinstance(node, ast.ClassDef):
            kinds[node.name] = CLASS
        else:
            kinds |= dict.fromkeys(_stored([node]), CONSTANT)
            kinds |= dict.fromkeys(imports(node), CONSTANT)
    return kinds


def imports(tree: ast.AST) -> dict[str, str]:
    """Name in the code -> dotted name that it was imported as, anywhere below `tree`."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.split(".")[0]
                found[name] = alias.name if alias.asname else name
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module or ''}.{alias.name}"
    return found


@dataclass
class Names:
    """The names of one cell.

    imported: as `imports`, of this cell and of the locked cells. answers: name -> kind, of all
    answer cells. The other three are found in `tree`: names bound to an answer's function or class,
    to an instance of a class of theirs, and to what a call of theirs gave back.
    """

    tree: ast.Module
    imported: dict[str, str]
    answers: dict[str, str]
    functions: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)
    objects: set[str] = field(default_factory=set)
    results: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        own = _bound(self.tree)
        seen = {name: kind for name, kind in self.answers.items() if name not in own}
        self.functions = {name for name, kind in seen.items() if kind == FUNCTION}
        self.classes = {name for name, kind in seen.items() if kind == CLASS}
        bindings = list(_bindings(self.tree))
        before = -1
        while (size := sum(map(len, self._found()))) != before:
            before = size
            for target, value, is_loop in bindings:
                self._follow(target, value, is_loop)

    def _found(self) -> tuple[set[str], ...]:
        return self.functions, self.classes, self.objects, self.results

    def _follow(self, target: ast.expr, value: ast.expr, is_loop: bool) -> None:
        """Note what `target = value`, or `for target in value`, makes of the target's names."""
        values: Iterable[ast.expr] = [value]
        if is_loop:
            values = value.elts if isinstance(value, ast.Tuple | ast.List | ast.Set) else []
        for one in values:
            if isinstance(target, ast.Tuple | ast.List) and isinstance(one, ast.Tuple | ast.List):
                for part, part_value in zip(target.elts, one.elts, strict=False):
                    self._follow(part, part_value, False)
                continue
            known = (self.is_function, self.is_class, self.is_object, self.is_result)
            for names, is_one in zip(self._found(), known, strict=True):
                if is_one(one):
                    names.update(_stored([target]))

    def dotted(self, node: ast.AST) -> str:
        """The name that an expression was imported under, such as numpy.random.seed, or ''."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id not in self.imported:
            return ""
        return ".".join([self.imported[node.id], *reversed(parts)])

    def is_function(self, node: ast.AST) -> bool:
        """Whether it is a function of a student's, or a method, partial or not."""
        if isinstance(node, ast.Name):
            return node.id in self.functions
        if isinstance(node, ast.Attribute):
            return self.is_class(node.value) or self.is_object(node.value)
        if isinstance(node, ast.Call) and called_name(node) == "partial":
            return bool(node.args) and self.is_function(node.args[0])
        return False

    def is_class(self, node: ast.AST) -> bool:
        """Whether it is a class of a student's."""
        return isinstance(node, ast.Name) and node.id in self.classes

    def is_object(self, node: ast.AST) -> bool:
        """Whether it is an instance of a class of a student's."""
        if isinstance(node, ast.Name):
            return node.id in self.objects
        return isinstance(node, ast.Call) and any(map(self.is_class, _callee(node)))

    def is_theirs(self, node: ast.AST) -> bool:
        """Whether it lives in the student's process."""
        return self.is_function(node) or self.is_class(node) or self.is_object(node)

    def is_call(self, node: ast.AST) -> bool:
        """Whether it is a call of a function of a student's, directly or through the lab."""
        if not isinstance(node, ast.Call) or called_name(node) == "partial":
            return False
        return any(map(self.is_function, _callee(node)))

    def is_result(self, node: ast.AST) -> bool:
        """Whether it is what a student's function gave back, or a part of that."""
        while isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
        return node.id in self.results if isinstance(node, ast.Name) else self.is_call(node)


def called_name(call: ast.Call) -> str:
    """The last part of the name that is called; '' if it has none."""
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def assignments(tree: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """(target, value) of every `=` and `+=` below `tree`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            yield from ((target, node.value) for target in node.targets)
        elif isinstance(node, ast.AugAssign | ast.AnnAssign | ast.NamedExpr) and node.value:
            yield node.target, node.value


def reached(tree: ast.Module) -> Iterator[ast.AST]:
    """All nodes that running the cell may run: bodies of functions only if these are mentioned."""
    functions: dict[str, list[ast.AST]] = {}
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            functions.setdefault(node.name, []).extend(node.body)
            waiting += node.decorator_list
        else:
            waiting += ast.iter_child_nodes(node)
        if not waiting:
            # Python calls special methods by itself; others are mentioned somewhere else.
            special = {name for name in functions if name.startswith("__")}
            for name in special | (set(_mentioned(tree)) & set(functions)):
                waiting += functions.pop(name)


def _mentioned(tree: ast.AST, inside: tuple[str, ...] = ()) -> Iterator[str]:
    """Names and attributes that are read, except a function's own name inside the function."""
    for node in ast.iter_child_nodes(tree):
        name = node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
        if isinstance(getattr(node, "ctx", None), ast.Load) and name and name not in inside:
            yield name
        own = (node.name,) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else ()
        yield from _mentioned(node, (*inside, *own))


def _callee(call: ast.Call) -> list[ast.expr]:
    """What is called; for `attempt(f, ...)` and its like, f."""
    if called_name(call).startswith(_CALLERS):
        return call.args[1:2] if called_name(call) == "expect_error" else call.args[:1]
    return [call.func]


def _parsed(source: str) -> list[ast.stmt]:
    try:
        return ast.parse(source).body
    except SyntaxError:
        return []


def _stored(nodes: Iterable[ast.AST]) -> list[str]:
    return [
        node.id
        for top in nodes
        for node in ast.walk(top)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]


def _bindings(tree: ast.AST) -> Iterator[tuple[ast.expr, ast.expr, bool]]:
    """(target, value, whether the target takes the value's items one by one)."""
    yield from ((target, value, False) for target, value in assignments(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.withitem) and node.optional_vars:
            yield node.optional_vars, node.context_expr, False
        elif isinstance(node, ast.For | ast.comprehension):
            yield node.target, node.iter, True


def _bound(tree: ast.AST) -> set[str]:
    """Names that the cell binds itself, so that they are not those of another cell."""
    names = set(_stored([tree]))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
    return names | set(imports(tree))
