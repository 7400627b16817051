"""`GraphModule`: a module whose `forward` is the text of its graph."""

from __future__ import annotations

import copy
import linecache
import operator
from pathlib import Path
from types import ModuleType
from typing import Any

import flambeau
from flambeau.core.tensor import Tensor
from flambeau.fx.graph import Graph
from flambeau.nn.modules.module import Module

__all__ = ["GraphModule"]

_count = 0


def _compiled(src: str, names: dict[str, Any]) -> Any:
    """The function that the text defines; errors show its lines."""
    global _count
    _count += 1
    key = f"<eval_with_key>.{_count}"
    linecache.cache[key] = (len(src), None, src.splitlines(keepends=True), key)
    scope = dict(names)
    exec(compile(src, key, "exec"), scope)
    return scope["forward"]


def _copy_attribute(source: Any, target: Module, path: str) -> None:
    """Give `target` the attribute, with the modules between as plain ones."""
    *between, last = path.split(".")
    for part in between:
        source = getattr(source, part)
        found = target._modules.get(part)
        if found is source:
            return
        if found is None:
            found = Module()
            target.add_module(part, found)
        target = found
    value = getattr(source, last)
    if isinstance(value, Tensor) and last not in source._parameters:
        target.register_buffer(last, value)
    else:
        setattr(target, last, value)


class GraphModule(Module):
    """A module that runs a graph.

    Args:
        root: the module, or the dictionary of names, whose attributes the graph reads; those are
            shared, not copied.
        graph: the calls. class_name: what the printed module is called.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> GraphModule:
        # Each instance has a class of its own, which holds its forward.
        base = next(c for c in cls.__mro__ if c.__name__ != "GraphModuleImpl")
        return super().__new__(type("GraphModuleImpl", (base,), {"__module__": base.__module__}))  # type: ignore[no-any-return]

    def __init__(self, root: Any, graph: Graph, class_name: str = "GraphModule") -> None:
        super().__init__()
        type(self).__name__ = class_name
        wanted = [n.target for n in graph.nodes if n.op in ("get_attr", "call_module")]
        if isinstance(root, Module):
            self.training = root.training
            for path in wanted:
                _copy_attribute(root, self, path)
        else:
            for path in sorted(wanted, key=lambda p: p.count(".")):
                if path not in root:
                    raise RuntimeError(
                        f"GraphModule: the graph reads {path!r}, which the dictionary lacks."
                    )
                self._place(path, root[path])
        self.graph = graph

    def _place(self, path: str, value: Any) -> None:
        owner: Module = self
        *between, last = path.split(".")
        for part in between:
            if part not in owner._modules:
                owner.add_module(part, Module())
            owner = owner._modules[part]  # type: ignore[assignment]
        setattr(owner, last, value)

    @property
    def graph(self) -> Graph:
        """The calls; setting another one, or `recompile`, writes `forward` anew."""
        return self._graph

    @graph.setter
    def graph(self, graph: Graph) -> None:
        if not isinstance(graph, Graph):
            raise AssertionError(f"Expected a Graph instance, but got {type(graph)}")
        graph._owners += 1
        self.__dict__["_graph"] = graph
        self._graph.owning_module = self
        self.recompile()

    @property
    def code(self) -> str:
        """The text of `forward`."""
        return self.__dict__["_code"]  # type: ignore[no-any-return]

    def recompile(self) -> Any:
        """Write `forward` anew after the graph was changed; gives the text and its names."""
        made = self._graph.python_code("self")
        self.__dict__["_code"] = made.src
        setattr(type(self), "forward", _compiled(made.src, made.globals))  # noqa: B010
        return made

    def add_submodule(self, target: str, m: Module) -> bool:
        """Put a module at a dotted name, with plain modules between.

        Returns:
            False where a name on the way is no module.
        """
        owner: Module = self
        *between, last = target.split(".")
        for part in between:
            if not hasattr(owner, part):
                owner.add_module(part, Module())
            owner = getattr(owner, part)
            if not isinstance(owner, Module):
                return False
        owner.add_module(last, m)
        return True

    def delete_submodule(self, target: str) -> bool:
        """Take out a submodule; gives whether there was one."""
        owner: Any = self
        *between, last = target.split(".")
        for part in between:
            owner = getattr(owner, part, None)
        if owner is None or not isinstance(getattr(owner, last, None), Module):
            return False
        delattr(owner, last)
        return True

    def delete_all_unused_submodules(self) -> None:
        """Take out the submodules that no call reaches."""
        used: set[str] = set()
        for node in self._graph.nodes:
            if node.op in ("call_module", "get_attr"):
                parts = node.target.split(".")
                used |= {".".join(parts[: k + 1]) for k in range(len(parts))}
                if node.op == "call_module":
                    inside = self.get_submodule(node.target).named_modules()
                    used |= {f"{node.target}.{name}" for name, _ in inside if name}
        for name, _ in list(self.named_modules(remove_duplicate=False)):
            if name and name not in used:
                self.delete_submodule(name)

    def print_readable(
        self, print_output: bool = True, include_stride: bool = False, **options: Any
    ) -> str:
        """The program as a class, printed and returned."""
        head, *body = self.code.strip().splitlines()
        lines = [head, "    # No stacktrace found for following nodes", *body]
        text = "\n".join(f"    {line}".rstrip() for line in lines)
        found = f"class {self._get_name()}(torch.nn.Module):\n{text}\n"
        if print_output:
            print(found)
        return found

    def to_folder(self, folder: Any, module_name: str = "FxModule") -> None:
        """Write the program and its parameters into a folder that can be imported."""
        where = Path(folder)
        where.mkdir(parents=True, exist_ok=True)
        flambeau.save(self.state_dict(), where / "state_dict.pt")
        flambeau.save(dict(self.named_children()), where / "modules.pt")
        method = "\n".join(f"    {line}" for line in self.code.strip().splitlines())
        (where / "module.py").write_text(
            "import os\n\nimport torch\n\n\n"
            f"class {module_name}(torch.nn.Module):\n"
            "    def __init__(self):\n"
            "        super().__init__()\n"
            "        here = os.path.dirname(__file__)\n"
            "        load = lambda name: torch.load(os.path.join(here, name), weights_only=False)\n"
            "        for name, module in load('modules.pt').items():\n"
            "            self.add_module(name, module)\n"
            "        for name, value in load('state_dict.pt').items():\n"
            "            if '.' not in name:\n"
            "                self.register_buffer(name, value)\n\n"
            f"{method}\n"
        )
        (where / "__init__.py").write_text("from .module import *\n")

    def __deepcopy__(self, memo: Any) -> GraphModule:
        holder = Module()
        holder.__dict__ = copy.deepcopy(
            {k: v for k, v in self.__dict__.items() if k not in ("_graph", "_code")}, memo
        )
        graph = copy.deepcopy(self._graph)
        return GraphModule(holder, graph, type(self).__name__)

    def __reduce__(self) -> Any:
        state = {k: v for k, v in self.__dict__.items() if k not in ("_graph", "_code")}
        names = self._graph.python_code("self").globals
        used = {k: v for k, v in names.items() if not isinstance(v, ModuleType)}
        return _rebuilt, (state, self.code, type(self).__name__, used)

    def __str__(self) -> str:
        note = "# To see more debug info, please use `graph_module.print_readable()`"
        return f"{super().__repr__()}\n{self.code}\n{note}"


def _rebuilt(state: dict[str, Any], code: str, name: str, names: dict[str, Any]) -> GraphModule:
    """A pickled GraphModule: its text is traced again."""
    from flambeau.fx._symbolic_trace import Tracer

    class Whole(Tracer):
        def is_leaf_module(self, m: Module, module_qualified_name: str) -> bool:
            return True

    class Holder(Module):
        forward = _compiled(
            code, {"torch": flambeau, "device": flambeau.device, "operator": operator, **names}
        )

    holder = Holder()
    holder.__dict__.update(state)
    return GraphModule(holder, Whole().trace(holder), name)
