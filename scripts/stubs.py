"""Writes the stubs (`*.pyi`) of what the declarations bind at run time.

Editors and mypy read sources, and `Tensor.add_` or `torch.linalg.svd` stand in none: `core/declare`
and `core/methods` bind them. This script imports the package and writes each name down with its
signature and its docstring's first line. ``python scripts/stubs.py`` writes, ``--check`` only
compares. The text is what ruff would format, so the stubs are linted like everything else.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from flambeau.core import declare, late
from flambeau.core.entry import UNARY_DUNDERS
from flambeau.core.ops import sparse
from flambeau.core.return_types import StructSequence
from flambeau.core.tensor import Tensor

late.load_all()
ROOMS = ("flambeau", "flambeau.fft", "flambeau.linalg", "flambeau.special")
OPERATORS = {
    f"__{kind}{name}__"
    for name in {op.flags.get("dunder") for op in declare.OPERATIONS.values()} | {"div", "matmul"}
    for kind in ("", "r", "i")
} - {f"__{name}__" for name in UNARY_DUNDERS}
"""Python's binary operators, bound without a schema."""
LATE = dict.fromkeys(sparse.METHODS, "access") | {
    name: room for room, names in sparse.FUNCTIONS.items() for name in names
}


class Stub:
    """A stub in the making: its lines, what they import, and the names that they hide."""

    def __init__(self, module: str, title: str, hidden: set[str]) -> None:
        self.module = module
        self.title = title
        self.hidden = hidden
        self.imports: set[str] = set()
        self.lines: list[str] = []

    def name(self, module: str, name: str) -> str:
        """How the stub writes a name that lives in `module`; the import is noted."""
        if module == "builtins":
            if name not in self.hidden:
                return name
            self.imports.add("import builtins")
            return f"builtins.{name}"
        if module == self.module:
            return name
        local = f"_{name}" if name in self.hidden else name
        self.imports.add(f"from {module} import {name}" + (f" as {local}" if local != name else ""))
        return local

    def type(self, annotation: Any, module: str) -> str:
        """An annotation, as `module` wrote it, in the stub's own names."""
        if annotation is inspect.Parameter.empty:
            return self.name("typing", "Any")
        text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
        if text in ("None", "NoneType"):
            return "None"
        tree = ast.parse(text, mode="eval")
        return ast.unparse(_Renamed(self, module).visit(tree))

    def tensor(self, default: Any, number: bool = False) -> str:
        """The annotation of a tensor parameter, which declarations leave out."""
        tensor = self.name("flambeau.core.tensor", "Tensor")
        if number:
            tensor += " | " + self.name("builtins", "complex")  # which float and int are, too
        return tensor + (" | None" if default is None else "")

    def add(self, head: str, parameters: list[str], returns: str, doc: str, note: str = "") -> None:
        """One function. A parameter to a line where it would be longer than a line."""
        line = f"{head}({', '.join(parameters)}) -> {returns}:"
        indent = " " * (len(head) - len(head.lstrip()))
        if len(line) > 100 or (note and len(line) + len(note) > 96):
            line = (
                "\n".join((f"{head}({note}", *(f"{indent}    {p}," for p in parameters)))
                + f"\n{indent}) -> {returns}:"
            )
            note = ""
        if doc:
            self.lines += [line + note, f"{indent}    {doc}", ""]
        else:
            self.lines.append(f"{line} ...{note}")

    def text(self) -> str:
        """The whole stub."""
        head = f'"""{self.title}\n\nWritten by scripts/stubs.py; change what it was made from."""'
        return "\n".join((head, "", *sorted_imports(self.imports), "", *self.lines)).rstrip() + "\n"


class _Renamed(ast.NodeTransformer):
    """Every name in an annotation by the name that the stub gives it."""

    def __init__(self, stub: Stub, module: str) -> None:
        self.stub = stub
        self.module = module

    def visit_Name(self, node: ast.Name) -> ast.AST:
        origin = defined(self.module).get(node.id)
        if origin is None:
            if hasattr(builtins, node.id):
                origin = ("builtins", node.id)
            else:
                raise SystemExit(f"stubs: {self.module} annotates with {node.id}, found nowhere")
        if not origin[1]:
            self.stub.imports.add(f"import {origin[0]} as {node.id}")
            return node
        return ast.parse(self.stub.name(*origin), mode="eval").body

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        path = ast.unparse(node)
        if path.startswith(("flambeau.", "typing.", "collections.")):
            module, _, name = path.rpartition(".")
            return ast.parse(self.stub.name(module, name), mode="eval").body
        return self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, str):  # a forward reference
            return self.visit(ast.parse(node.value, mode="eval").body)
        return node


@cache
def defined(module: str) -> dict[str, tuple[str, str]]:
    """Where the names of a module's top level come from: (module, name), or (module, "")."""
    found: dict[str, tuple[str, str]] = {}
    for node in _statements(ast.parse(inspect.getsource(import_module(module)))):
        if isinstance(node, ast.ImportFrom):
            found |= {a.asname or a.name: (str(node.module), a.name) for a in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.asname or a.name: (a.name, "") for a in node.names}
        elif isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            found[node.name] = (module, node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {t.id: (module, t.id) for t in targets if isinstance(t, ast.Name)}
    return found


def _statements(tree: ast.Module) -> Iterator[ast.stmt]:
    for node in tree.body:
        yield from node.body if isinstance(node, ast.If) else (node,)


def sorted_imports(imports: set[str]) -> list[str]:
    """Import lines, those from one module joined, in isort's order and groups."""
    plain = sorted(line for line in imports if line.startswith("import "))
    joined: dict[str, list[str]] = {}
    for line in imports - set(plain):
        module, names = line.removeprefix("from ").split(" import ")
        joined.setdefault(module, []).append(names)
    for module, names in joined.items():
        plain += _import_from(module, sorted(names, key=_isort_key))
    groups: dict[int, list[str]] = {}
    for line in plain:
        root = line.split()[1].split(".")[0]
        group = 2 if root == "flambeau" else 0 if root in sys.stdlib_module_names else 1
        groups.setdefault(group, []).append(line)
    lines: list[str] = []
    for _, group in sorted(groups.items()):
        ordered = sorted(group, key=lambda line: (line.startswith("from"), line.split()[1]))
        lines += ([""] if lines else []) + ordered
    return lines


def _import_from(module: str, names: list[str]) -> list[str]:
    """isort's lines: names under one name each stand alone, the others together."""
    alone = [f"from {module} import {name}" for name in names if " as " in name]
    alone = [
        line if len(line) <= 100 else line.replace(" import ", " import (\n    ") + ",\n)"
        for line in alone
    ]
    together = [name for name in names if " as " not in name]
    if not together:
        return alone
    line = f"from {module} import {', '.join(together)}"
    if len(line) > 100:
        line = f"from {module} import (\n    " + ",\n    ".join(together) + ",\n)"
    return [*alone, line]


def _isort_key(name: str) -> tuple[int, list[Any]]:
    """Constants, classes, the rest; numbers in names count as numbers."""
    first = name.split(" as ")[0]
    kind = 0 if first.isupper() and len(first) > 1 else 1 if first[:1].isupper() else 2
    return kind, [int(x) if x.isdigit() else x for x in re.split(r"(\d+)", name)]


def first_words(module: ModuleType) -> str:
    """The first sentence of a module's docstring."""
    return re.split(r"(?<=\.)\s", (module.__doc__ or "").strip())[0].replace("\n", " ")


def first_line(value: Any) -> str:
    """The first line of a docstring, as a docstring."""
    lines = inspect.cleandoc(value.__doc__ or "").split("\n\n")[0].split("\n")
    text = lines[0].strip()
    if len(lines) > 1:  # the sentence went on: to its end, or to the line's
        whole = " ".join(line.strip() for line in lines)
        text = re.split(r"(?<=[.:])\s", whole)[0]
    if not text:
        return ""
    if len(text) > 84:
        text = text[:81].rsplit(" ", 1)[0] + " ..."
    text = text.replace("\\", "\\\\")
    return f'"""{text} """' if text.endswith('"') else f'"""{text}"""'


def default(value: Any) -> str:
    """A default that a reader understands, else an ellipsis."""
    plain = value is None or type(value) in (bool, int, str) or value in ((), [])
    if type(value) is float:
        plain = value == value and abs(value) != float("inf")
    return repr(value).replace("'", '"') if plain else "..."


def written(parameters: list[inspect.Parameter], types: list[str]) -> list[str]:
    """Parameters as a signature lists them."""
    kinds = inspect.Parameter
    shown: list[str] = []
    starred = False
    for at, (p, kind) in enumerate(zip(parameters, types, strict=True)):
        if p.kind is kinds.VAR_POSITIONAL:
            starred = True
        if p.kind is kinds.KEYWORD_ONLY and not starred:
            shown.append("*")
            starred = True
        mark = {kinds.VAR_POSITIONAL: "*", kinds.VAR_KEYWORD: "**"}.get(p.kind, "")
        text = f"{mark}{p.name}: {kind}" if kind else mark + p.name
        if p.default is not kinds.empty:
            text += f" = {default(p.default)}" if kind else f"={default(p.default)}"
        shown.append(text)
        after = parameters[at + 1 :]
        if p.kind is kinds.POSITIONAL_ONLY and not (
            after and after[0].kind is kinds.POSITIONAL_ONLY
        ):
            shown.append("/")
    return shown


def operation(stub: Stub, name: str, function: Any, method: bool) -> tuple[list[str], str]:
    """The signature of a declared operation, from its body: unannotated parameters are tensors."""
    op: declare.Op = function.operation
    tensor = stub.tensor(...)
    pure = op.flags["family"] == "elementwise"
    parameters = list(inspect.signature(op.body).parameters.values())
    if "alpha" in op.flags:
        parameters.append(
            inspect.Parameter("alpha", inspect.Parameter.KEYWORD_ONLY, default=1, annotation="Any")
        )
    in_place = name.endswith("_")
    if not in_place and all(p.kind is not p.VAR_POSITIONAL for p in parameters):
        kind = "Tensor | None" if not op.outputs else "Any"
        parameters.append(
            inspect.Parameter("out", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        )
    types = [
        stub.tensor(p.default, number=pure and at > 0)
        if p.name in op.tensor_names and p.name not in op.lists
        else _argument(stub, p.annotation, op.body.__module__)
        for at, p in enumerate(parameters)
    ]
    if method:
        parameters[0], types[0] = parameters[0].replace(name="self"), ""
    if op.outputs and not in_place:
        named = issubclass(op.result or tuple, StructSequence) or not op.flags.get("plain_tuple")
        returns = stub.name("typing", "Any") if named else f"tuple[{tensor}, ...]"
        return written(parameters, types), returns
    return written(parameters, types), tensor


def _argument(stub: Stub, annotation: Any, module: str) -> str:
    """`Any` and `Tensor | None` were added here, whatever names the module knows."""
    if annotation == "Any":
        return stub.name("typing", "Any")
    if annotation == "Tensor | None":
        return stub.tensor(None)
    return stub.type(annotation, module)


def plain(stub: Stub, function: Any, method: bool) -> tuple[list[str], str]:
    """The signature of a function that is no declaration: as it was written."""
    room = LATE.get(function.__name__) if function.__module__ == "flambeau" else None
    if room is not None:
        function = getattr(import_module(f"flambeau.sparse.{room}"), function.__name__)
    module = inspect.unwrap(function).__globals__["__name__"]
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())
    types = [stub.type(p.annotation, module) for p in parameters]
    if method and parameters and parameters[0].kind is not inspect.Parameter.VAR_POSITIONAL:
        parameters[0], types[0] = parameters[0].replace(name="self"), ""
    elif method:
        parameters.insert(0, inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD))
        types.insert(0, "")
    return written(parameters, types), stub.type(signature.return_annotation, module)


def function(stub: Stub, name: str, value: Callable[..., Any], method: bool = False) -> None:
    """One function or method."""
    note = ""
    if name in ("__eq__", "__ne__"):  # elementwise, where object answers with one bool
        parameters, returns = ["self", "other: object"], stub.tensor(...)
        note = "  # type: ignore[override]"
    elif name in OPERATORS:
        parameters, returns = ["self", f"other: {stub.tensor(..., number=True)}"], stub.tensor(...)
    elif hasattr(value, "operation"):
        parameters, returns = operation(stub, name, value, method)
    else:
        parameters, returns = plain(stub, value, method)
    head = f"{'    ' if method else ''}def {name}"
    stub.add(head, parameters, returns, first_line(value), note)


def tensor_stub() -> Stub:
    """`core/tensor.pyi`: the class with everything bound to it, and the module's functions."""
    module = sys.modules["flambeau.core.tensor"]
    members = {n: v for n, v in vars(Tensor).items() if n not in Tensor.__slots__}
    stub = Stub(module.__name__, first_words(module), set(members))
    stub.lines += ["class Tensor:", f"    {first_line(Tensor)}", ""]
    stub.lines += [
        f"    {name}: {stub.type(kind, module.__name__)}"
        for name, kind in Tensor.__annotations__.items()
    ]
    stub.lines += ["    __array_priority__: " + stub.name("builtins", "int"), ""]
    for name in sorted(members):
        value = members[name]
        if isinstance(value, property):
            prefix = ("    @property",)
            get = inspect.signature(value.fget).return_annotation  # type: ignore[arg-type]
            kind = stub.type(get, value.fget.__module__)  # type: ignore[union-attr]
            stub.lines += prefix
            stub.add(f"    def {name}", ["self"], kind, first_line(value))
            if value.fset is not None:
                stub.lines.append(f"    @{name}.setter")
                stub.add(
                    f"    def {name}", ["self", f"value: {stub.name('typing', 'Any')}"], "None", ""
                )
        elif isinstance(value, (staticmethod, classmethod)):
            parameters, returns = plain(stub, value.__func__, False)
            if name != "__new__":
                stub.lines.append(f"    @{type(value).__name__}")
            if isinstance(value, classmethod) or name == "__new__":
                parameters[0] = "cls"
            stub.add(f"    def {name}", parameters, returns, first_line(value.__func__))
        elif inspect.isfunction(value):
            function(stub, name, value, method=True)
    stub.hidden = set()
    for name in module.__all__:
        if inspect.isfunction(getattr(module, name)):
            function(stub, name, getattr(module, name))
        elif name != "Tensor":
            annotations = module.__annotations__
            stub.lines += [f"{name}: {stub.type(annotations[name], module.__name__)}", ""]
    return stub


def room_stub(module: ModuleType) -> Stub:
    """A room whose names are bound by declarations: what it imports, and those."""
    own = defined(module.__name__)
    wildcards = sorted({room for room, name in own.values() if name == "*"})
    starred = {n for room in wildcards for n in import_module(room).__all__}
    public = {n for n in dir(module) if not n.startswith("_")} - {"annotations"}
    stub = Stub(module.__name__, first_words(module), public)
    stub.imports |= {f"from {room} import *" for room in wildcards}
    lazy, elsewhere = getattr(module, "_LAZY", ()), getattr(module, "_ELSEWHERE", {})
    shown = sorted(public - starred)
    values: list[str] = []
    for name in shown:
        origin = own.get(name, ("", ""))
        if name in lazy:
            if importlib.util.find_spec(f"flambeau.{name}"):
                stub.imports.add(f"from flambeau import {name} as {name}")
        elif name in elsewhere:
            stub.imports.add(f"from flambeau.{elsewhere[name]} import {name} as {name}")
        elif origin[1] and origin[0] != module.__name__:
            stub.imports.add(f"from {origin[0]} import {origin[1]} as {name}")
        elif inspect.isfunction(value := getattr(module, name)):
            function(stub, name, value)
        elif value is None:
            values.append(f"{name}: None")
        elif isinstance(value, type):  # FloatTensor and its kin, whose class is made at run time
            values.append(f"{name}: {stub.name('typing', 'Any')}")
        elif not isinstance(value, ModuleType):
            kind = type(value)
            values.append(f"{name}: {stub.name(kind.__module__, kind.__name__)}")
    stub.lines[:0] = [*values, ""] if values else []
    return stub


def stubs() -> dict[Path, str]:
    """Every stub's path and text."""
    made = {ROOT / "flambeau" / "core" / "tensor.pyi": tensor_stub().text()}
    for room in ROOMS:
        module = import_module(room)
        made[Path(str(module.__file__)).with_suffix(".pyi")] = room_stub(module).text()
    return made


def main() -> None:
    """Write the stubs, or with ``--check`` fail where one is not current."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check
    stale = [p for p, text in stubs().items() if not p.is_file() or p.read_text() != text]
    for path in stale:
        if check:
            print(f"{path.relative_to(ROOT)} is not current: run python scripts/stubs.py")
        else:
            path.write_text(stubs()[path])
            print(f"wrote {path.relative_to(ROOT)}")
    sys.exit(bool(stale) and check)


if __name__ == "__main__":
    main()
