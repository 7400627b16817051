"""A module whose `forward` is the code of a graph. Stands on graph and nn."""

from __future__ import annotations

import copy
import itertools
import linecache
from pathlib import Path
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.fx.code import PythonCode
from flambeau.fx.graph import Graph
from flambeau.nn import Module

__all__ = ["GraphModule"]

_FILES = itertools.count()


def _function(code: PythonCode) -> Any:
    """The `forward` that the code defines; tracebacks show its lines."""
    name = f"<eval_with_key>.{next(_FILES)}"
    linecache.cache[name] = (len(code.src), None, code.src.splitlines(True), name)
    names = dict(code.globals)
    exec(compile(code.src, name, "exec"), names)
    return names["forward"]


def _at(root: Any, path: str) -> Any:
    for part in path.split("."):
        root = getattr(root, part, None)
    return root


def _place(root: Module, path: str, value: Any) -> None:
    """Put a value under a dotted name; modules on the way are made."""
    *way, last = path.split(".")
    for part in way:
        if getattr(root, part, None) is None:
            root.add_module(part, Module())
        root = getattr(root, part)
    if isinstance(value, flambeau.Tensor) and not isinstance(value, flambeau.nn.Parameter):
        root.register_buffer(last, value)
    else:
        setattr(root, last, value)


class GraphModule(Module):
    """A module generated from a graph; changing `graph` and calling `recompile` changes it.

    Args:
        root: the module whose parameters, buffers and submodules the graph names; or a dict of
            them by dotted name.
        graph: the program.
        class_name: the name of the class that is made.

    Raises:
        RuntimeError: the graph names something that is not in `root`.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> GraphModule:
        """An instance of a class of its own: each has its own `forward`."""
        base = next(each for each in cls.__mro__ if "_generated" not in each.__dict__)
        made = type(base.__name__, (base,), {"_generated": True, "__module__": base.__module__})
        return super().__new__(made)

    def __init__(
        self, root: Module | dict[str, Any], graph: Graph, class_name: str = "GraphModule"
    ) -> None:
        super().__init__()
        type(self).__name__ = type(self).__qualname__ = class_name
        self.meta: dict[str, Any] = {}
        targets = [n.target for n in graph.nodes if n.op in ("call_module", "get_attr")]
        for target in sorted(dict.fromkeys(targets), key=lambda name: name.count(".")):
            found = root.get(target) if isinstance(root, dict) else _at(root, target)
            if found is None and isinstance(root, dict):
                raise fail(
                    RuntimeError,
                    "fx.GraphModule",
                    f"Node references target {target} but that target was not provided in root!",
                )
            if found is not None and _at(self, target) is None:
                _place(self, target, found)
        if isinstance(root, Module):
            self.training = root.training
        self.graph = graph

    @property
    def graph(self) -> Graph:
        """The program; assigning one recompiles."""
        return self._graph

    @graph.setter
    def graph(self, g: Graph) -> None:
        if not isinstance(g, Graph):
            raise fail(
                AssertionError, "fx.GraphModule", f"Expected a Graph instance, but got {type(g)}"
            )
        self.__dict__["_graph"] = g
        g.owning_module = self
        self.recompile()

    @property
    def code(self) -> str:
        """The Python code of `forward`."""
        return self._code

    def recompile(self) -> PythonCode:
        """Make the code anew, after the graph was changed."""
        code = self._graph.python_code("self")
        self.__dict__["_code"] = code.src
        type(self).forward = _function(code)  # type: ignore[method-assign]
        return code

    # its submodules

    def add_submodule(self, target: str, m: Module) -> bool:
        """Put a module under a dotted name; False where something else is in the way."""
        place: Any = self
        *way, last = target.split(".")
        for part in way:
            inner = getattr(place, part, None)
            if inner is None:
                inner = Module()
                setattr(place, part, inner)
            if not isinstance(inner, Module):
                return False
            place = inner
        place.add_module(last, m)
        return True

    def delete_submodule(self, target: str) -> bool:
        """Remove a module by its dotted name; whether it was there."""
        *way, last = target.split(".")
        place = _at(self, ".".join(way)) if way else self
        if not isinstance(place, Module) or not isinstance(getattr(place, last, None), Module):
            return False
        delattr(place, last)
        return True

    def delete_all_unused_submodules(self) -> None:
        """Remove the submodules that no node calls or reads."""
        used: set[str] = set()
        for node in self._graph.nodes:
            if node.op in ("call_module", "get_attr"):
                parts = node.target.split(".")
                used.update(".".join(parts[:k]) for k in range(1, len(parts) + 1))
                if node.op == "call_module":
                    inner = self.get_submodule(node.target)
                    used.update(f"{node.target}.{n}" for n, _ in inner.named_modules() if n)
        for name in [name for name, _ in self.named_modules() if name and name not in used]:
            self.delete_submodule(name)

    # text and copies

    def print_readable(self, print_output: bool = True, **options: Any) -> str:
        """The code, as a class; printed unless told not to."""
        body = "\n".join(f"    {line}" if line.strip() else line for line in self.code.splitlines())
        text = f"class {type(self).__name__}(torch.nn.Module):\n{body.strip(chr(10))}\n"
        if print_output:
            print(text)
        return text

    def to_folder(self, folder: str | Path, module_name: str = "FxModule") -> None:
        """Write the module as a Python package: ``module.py`` and its state."""
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        flambeau.save(self.state_dict(), place / "state_dict.pt")
        modules = dict(self.named_children())
        for name, each in modules.items():
            flambeau.save(each, place / f"{name}.pt")
        lines = [
            "import torch",
            "from torch.nn import *",
            "",
            f"class {module_name}(torch.nn.Module):",
        ]
        lines += ["    def __init__(self):", "        super().__init__()"]
        for name in modules:
            file = str(place / f"{name}.pt")
            lines.append(f"        self.{name} = torch.load({file!r}, weights_only=False)")
        for name, value in (*self._parameters.items(), *self._buffers.items()):
            if value is None:
                continue
            empty = f"torch.empty({list(value.shape)}, dtype={value.dtype})"
            made = f"torch.nn.Parameter({empty})" if name in self._parameters else empty
            kind = (
                f"self.{name} = {made}"
                if name in self._parameters
                else f"self.register_buffer({name!r}, {made})"
            )
            lines.append(f"        {kind}")
        lines.append(f"        self.load_state_dict(torch.load({str(place / 'state_dict.pt')!r}))")
        lines += [f"    {line}" for line in self.code.splitlines()]
        (place / "module.py").write_text("\n".join(lines) + "\n")
        (place / "__init__.py").write_text(f"from .module import {module_name}\n")

    def __str__(self) -> str:
        return "\n".join(
            [
                super().__repr__(),
                self._code,
                "# To see more debug info, please use `graph_module.print_readable()`",
            ]
        )

    def _plain(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in ("_graph", "_code")}

    def __deepcopy__(self, memo: dict[int, Any]) -> GraphModule:
        root = Module()
        root.__dict__.update(copy.deepcopy(self._plain(), memo))
        made = GraphModule(root, copy.deepcopy(self._graph), type(self).__name__)
        made.__dict__.update({k: v for k, v in root.__dict__.items() if k not in made.__dict__})
        made.meta = dict(self.meta)
        memo[id(self)] = made
        return made

    def __copy__(self) -> GraphModule:
        made = GraphModule(self, copy.deepcopy(self._graph), type(self).__name__)
        made.meta = dict(self.meta)
        return made

    def __reduce__(self) -> Any:
        code = self._graph.python_code("self")
        names = {k: v for k, v in code.globals.items() if k not in ("torch", "operator")}
        return _rebuilt, (self._plain(), code.src, names, type(self).__name__)


def _rebuilt(state: dict[str, Any], source: str, names: dict[str, Any], name: str) -> GraphModule:
    """A pickled GraphModule: its code is traced again."""
    import operator

    from flambeau.fx._symbolic_trace import Tracer

    class Whole(Tracer):
        """Every module is a leaf."""

        def is_leaf_module(self, m: Module, module_qualified_name: str) -> bool:
            return True

    root = type(name, (Module,), {})()
    root.__dict__.update(state)
    known = {"torch": flambeau, "operator": operator, **names}
    type(root).forward = _function(PythonCode(source, known))
    made = GraphModule(root, Whole().trace(root), name)
    made.meta = dict(state.get("meta", {}))
    return made
