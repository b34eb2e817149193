"""Finds in the source whatever takes vectors of faces, so that a new function is found as well.

By annotation: `Vectors`, `Embedding`, and every class that holds such a thing, in a field or by its
constructor. A function takes *several* when two of them could be of two models: two parameters, one
that is a collection, a method of a class that holds vectors itself, or a model's name beside them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_WHERE = ("archive", "resources/store")
# Its `Standing` and `Projection` are those of topics; no vector gets there.
_WITHOUT = _ROOT / "archive" / "publishing"
_LEAVES = {"Vectors", "Embedding"}
_COLLECTIONS = {"Sequence", "Mapping", "dict", "list", "tuple", "Collection", "Iterable", "Members"}


def taking_several() -> set[str]:
    """Name the public functions, methods and constructors that take several."""
    holders = _holders()
    return {
        f"{module}.{name}"
        for module, tree in _modules()
        for name, node, owner in _callables(tree)
        if _count(node, owner, holders) > 1
    }


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for where in _WHERE:
        for path in sorted((_ROOT / where).rglob("*.py")):
            if path.is_relative_to(_WITHOUT):
                continue
            dotted = path.relative_to(_ROOT).with_suffix("").as_posix().replace("/", ".")
            yield dotted, ast.parse(path.read_text(encoding="utf-8"))


def _holders() -> set[str]:
    """Close over the classes that hold vectors; telling names apart by module is not needed."""
    holders = set(_LEAVES)
    classes = [n for _, tree in _modules() for n in ast.walk(tree) if isinstance(n, ast.ClassDef)]
    while True:
        more = {each.name for each in classes if any(_names(a) & holders for a in _held(each))}
        if more <= holders:
            return holders
        holders |= more


def _held(node: ast.ClassDef) -> list[ast.expr]:
    fields = [each.annotation for each in node.body if isinstance(each, ast.AnnAssign)]
    made = [each for each in node.body if isinstance(each, ast.FunctionDef)]
    return fields + [a for f in made if f.name == "__init__" for a in _annotations(f)]


def _callables(
    tree: ast.Module,
) -> Iterator[tuple[str, ast.FunctionDef | ast.ClassDef, ast.ClassDef | None]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node.name, node, None
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            methods = [each for each in node.body if isinstance(each, ast.FunctionDef)]
            if "Protocol" in {name for base in node.bases for name in _names(base)}:
                continue
            yield node.name, node, None
            for each in methods:
                if not each.name.startswith("_"):
                    yield f"{node.name}.{each.name}", each, node


def _count(
    node: ast.FunctionDef | ast.ClassDef, owner: ast.ClassDef | None, holders: set[str]
) -> int:
    held = _held(node) if isinstance(node, ast.ClassDef) else _annotations(node)
    taken = [each for each in held if _names(each) & holders]
    if not taken:
        return 0
    many = sum(2 if _names(each) & _COLLECTIONS else 1 for each in taken)
    own = owner is not None and owner.name in holders and not _is_bound_to_the_class(node)
    return many + own + _names_a_model(node)


def _is_bound_to_the_class(node: ast.FunctionDef | ast.ClassDef) -> bool:
    decorators = {name for each in node.decorator_list for name in _names(each)}
    return bool(decorators & {"classmethod", "staticmethod"})


def _names_a_model(node: ast.FunctionDef | ast.ClassDef) -> bool:
    return isinstance(node, ast.FunctionDef) and any(
        each.arg == "model" for each in _arguments(node)
    )


def _arguments(node: ast.FunctionDef) -> list[ast.arg]:
    return [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]


def _annotations(node: ast.FunctionDef) -> list[ast.expr]:
    return [each.annotation for each in _arguments(node) if each.annotation is not None]


def _names(node: ast.expr) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
