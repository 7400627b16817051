"""The source of the user's own classes and functions, with the names they use, as data; and those
classes and functions made of it again, in a process that does not have their files.

What a library defines (the standard library's, flambeau's, whatever is installed) is imported there
too. Stands on the standard library, and on tensors being values.
"""

from __future__ import annotations

import ast
import builtins
import dis
import functools
import importlib
import inspect
import linecache
import sys
import sysconfig
import textwrap
import types
import zlib
from collections.abc import Callable
from typing import Any

from flambeau.core.errors import fail
from flambeau.nn import Module

__all__ = ["Collector", "Rebuilt"]

PLACES = tuple({sysconfig.get_paths()[k] for k in ("purelib", "platlib", "stdlib", "platstdlib")})
KINDS = (list, tuple, set, frozenset)


class Collector:
    """Encodes values. What they need is in `definitions` afterwards, in the order of execution.

    Args:
        part_of: encodes a module that a value holds.
    """

    def __init__(self, part_of: Callable[[Module], Any]) -> None:
        self.part_of = part_of
        self.definitions: list[dict[str, Any]] = []
        self._labels: dict[int, int] = {}
        self._objects: dict[int, int] = {}

    def encode(self, value: Any, where: str) -> Any:
        """A value as data: a tuple of its kind and what it is made of.

        Args:
            where: what holds it, for the message.

        Raises:
            RuntimeError: the source of a function or class cannot be read.
        """
        if isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType)):
            return self._definition(value, where)
        if isinstance(value, types.ModuleType):
            return "module", _own_name(value.__name__)
        if isinstance(value, types.SimpleNamespace):  # also what a module of the user's became
            return "space", {k: self.encode(v, f"{where}.{k}") for k, v in vars(value).items()}
        if isinstance(value, Module):
            return "part", self.part_of(value)
        if type(value) in KINDS:
            return type(value).__name__, [self.encode(x, where) for x in value]
        if type(value) is dict:
            items = [(self.encode(k, where), self.encode(v, where)) for k, v in value.items()]
            return "dict", items
        if hasattr(value, "_torchscript_function"):
            return self.encode(value._torchscript_function, where)
        if isinstance(value, types.MethodType):
            found = self.encode(value.__self__, where), value.__name__
            return "method", *found
        if isinstance(value, functools.partial):
            given = self.encode([list(value.args), dict(value.keywords)], where)
            return "partial", self.encode(value.func, where), given
        if not _of_library(type(value)) and not isinstance(value, tuple):
            kind = self.encode(type(value), where)
            state = getattr(value, "__dict__", {})
            return "object", kind, self.encode(dict(state), where)
        return "value", value

    def _definition(self, thing: Any, where: str) -> Any:
        if _of_library(thing):
            return "import", _own_name(thing.__module__ or "builtins"), thing.__qualname__
        if id(thing) in self._labels:
            return "source", self._labels[id(thing)]
        try:
            text = textwrap.dedent(inspect.getsource(thing))
            tree = ast.parse(text).body[0]
        except (OSError, TypeError, SyntaxError, IndentationError) as problem:
            raise self._unreadable(thing, where) from problem
        if not isinstance(tree, (ast.ClassDef, ast.FunctionDef)):  # a lambda
            raise self._unreadable(thing, where)
        label = len(self._labels)
        self._labels[id(thing)] = label
        found = _names_around(thing, tree)
        made = {"label": label, "name": tree.name, "text": text, "module": thing.__module__}
        encoded = {}
        for name in sorted(_global_names(_code_of(text, tree.name))):
            if name in found and found[name] is not thing:
                encoded[name] = self._name(found[name], name, tree, f"{tree.name}.{name}")
        self.definitions.append(made | {"names": encoded})
        return "source", label

    def _name(self, value: Any, name: str, tree: ast.AST, where: str) -> Any:
        """A name that a source uses; of a module of the user's, the attributes it reads."""
        if isinstance(value, types.ModuleType) and not _is_library(value.__name__):
            read = {
                node.attr
                for node in ast.walk(tree)
                if isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == name
            }
            return "space", {k: self.encode(getattr(value, k), where) for k in sorted(read)}
        return self.encode(value, where)

    def _unreadable(self, thing: Any, where: str) -> Exception:
        return fail(
            RuntimeError,
            "jit.save",
            f"{where} uses {thing.__qualname__}, whose source cannot be read. Define it with def "
            "or class in a file, or save the state dict: torch.save(model.state_dict(), path).",
        )


def _code_of(text: str, name: str) -> types.CodeType:
    text = "from __future__ import annotations\n" + text
    file = f"<torch.jit {name} {zlib.crc32(text.encode()):x}>"
    lines = text.splitlines(keepends=True)
    linecache.cache[file] = (len(text), None, lines, file)  # tracebacks and `.code` read it
    return compile(text, file, "exec", dont_inherit=True)


def _global_names(code: types.CodeType) -> set[str]:
    """The names that code looks up outside itself."""
    found = {
        i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return found.union(*map(_global_names, inner))


def _names_around(thing: Any, tree: ast.ClassDef | ast.FunctionDef) -> dict[str, Any]:
    """The values of the names that a definition can use."""
    functions = [thing] if isinstance(thing, types.FunctionType) else []
    if isinstance(thing, type):
        for value in vars(thing).values():
            inner = getattr(value, "__func__", getattr(value, "fget", value))
            inner = inspect.unwrap(inner) if callable(inner) else inner
            if isinstance(inner, types.FunctionType):
                functions.append(inner)
    found = dict(vars(sys.modules.get(thing.__module__, builtins)))
    for function in functions:
        found |= function.__globals__
    for function in functions:
        for name, cell in zip(
            function.__code__.co_freevars, function.__closure__ or (), strict=True
        ):
            if name != "__class__":
                try:
                    found[name] = cell.cell_contents
                except ValueError:  # not yet set
                    continue
    if isinstance(thing, type) and isinstance(tree, ast.ClassDef):
        bases = (b for b in thing.__orig_bases__) if hasattr(thing, "__orig_bases__") else ()
        for written, base in zip(tree.bases, tuple(bases) or thing.__bases__, strict=False):
            if isinstance(written, ast.Name):
                found.setdefault(written.id, base)
    return {k: v for k, v in found.items() if not (k.startswith("__") and k.endswith("__"))}


def _of_library(thing: Any) -> bool:
    if "<locals>" in thing.__qualname__ or thing.__name__ == "<lambda>":
        return False
    return _is_library(thing.__module__ or "builtins")


@functools.cache
def _is_library(name: str) -> bool:
    root = name.partition(".")[0]
    if root in ("flambeau", "torch", "torchvision") or root in sys.stdlib_module_names:
        return root != "__main__"
    file = getattr(sys.modules.get(name), "__file__", None)
    return file is None and name != "__main__" or (file or "").startswith(PLACES)


def _own_name(module: str) -> str:
    """The name under which flambeau's modules are found without the alias."""
    root, _, rest = module.partition(".")
    if root == "torch" and sys.modules.get("torch") is sys.modules.get("flambeau"):
        return f"flambeau.{rest}" if rest else "flambeau"
    return module


class Rebuilt:
    """The values behind what a Collector encoded.

    Args:
        definitions: those of the collector. part: gives the module of a number.
    """

    def __init__(self, definitions: list[dict[str, Any]], part: Callable[[Any], Module]) -> None:
        self.definitions, self.part = definitions, part
        self.made: dict[int, Any] = {}

    def run(self) -> None:
        """Execute the definitions; modules are made when all are there."""
        spaces = []
        for each in self.definitions:
            code = _code_of(each["text"], each["name"])
            module = types.ModuleType(f"__torch__.{each['module']}.{each['name']}")
            module.__file__ = code.co_filename
            sys.modules[module.__name__] = module  # dataclasses and inspect look there
            space = vars(module)
            for name, value in each["names"].items():
                if not self._waits(value):
                    space[name] = self.decode(value)
            exec(code, space)
            self.made[each["label"]] = space[each["name"]]
            spaces.append((each, space))
        for each, space in spaces:  # names of definitions that came later: they use each other
            for name, value in each["names"].items():
                if name not in space:
                    space[name] = self.decode(value)

    def _waits(self, value: Any) -> bool:
        """Whether a value needs a definition that is not made yet."""
        if isinstance(value, tuple) and value[:1] == ("part",):
            return True
        if isinstance(value, tuple) and value[:1] == ("source",):
            return value[1] not in self.made
        if isinstance(value, dict):
            return any(map(self._waits, value.values()))
        return isinstance(value, (tuple, list)) and any(map(self._waits, value))

    def decode(self, value: Any) -> Any:
        """The value."""
        kind, *rest = value
        return getattr(self, f"_{kind}")(*rest)

    def _import(self, module: str, name: str) -> Any:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
        return found

    def _module(self, name: str) -> Any:
        return importlib.import_module(name)

    def _source(self, label: int) -> Any:
        return self.made[label]

    def _part(self, number: Any) -> Any:
        return self.part(number)

    def _value(self, value: Any) -> Any:
        return value

    def _space(self, names: dict[str, Any]) -> Any:
        return types.SimpleNamespace(**{k: self.decode(v) for k, v in names.items()})

    def _object(self, kind: Any, state: Any) -> Any:
        cls = self.decode(kind)
        made = cls.__new__(cls)
        made.__dict__.update(self.decode(state))
        return made

    def _method(self, owner: Any, name: str) -> Any:
        return getattr(self.decode(owner), name)

    def _partial(self, function: Any, given: Any) -> Any:
        args, kwargs = self.decode(given)
        return functools.partial(self.decode(function), *args, **kwargs)

    def _list(self, items: Any) -> Any:
        return [self.decode(x) for x in items]

    def _tuple(self, items: Any) -> Any:
        return tuple(map(self.decode, items))

    def _set(self, items: Any) -> Any:
        return set(map(self.decode, items))

    def _frozenset(self, items: Any) -> Any:
        return frozenset(map(self.decode, items))

    def _dict(self, items: Any) -> Any:
        return {self.decode(k): self.decode(v) for k, v in items}
