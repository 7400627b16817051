"""`FlopCounterMode`: floating-point operations of matrix products and convolutions, forward and
backward, by module.

Each of these operations is seen by a function mode as it runs; its backward is counted by a hook
on its node, so only what a backward really computes counts. Stands on core.state.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import flambeau
from flambeau.core import state
from flambeau.core.overrides import inside
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor
from flambeau.utils.module_tracker import ModuleTracker

__all__ = ["FlopCounterMode", "register_flop_formula"]

Shape = tuple[int, ...]
SUFFIXES = ("", "K", "M", "B", "T")


def _product(a: Shape, b: Shape) -> int:
    """A (batch of) matrix product: two operations for each multiply and add."""
    return 2 * math.prod(a[:-1]) * a[-1] * b[-1]


def _convolution(x: Shape, weight: Shape, out: Shape, transposed: bool) -> int:
    pixels = math.prod((x if transposed else out)[2:])
    return 2 * x[0] * pixels * math.prod(weight)


def _shape(value: Any) -> Any:
    return tuple(value.shape) if isinstance(value, Tensor) else value


class _Count:
    """One operation: its name in the table, what forward costs, what each gradient costs."""

    def __init__(self, name: str, forward: int, back: str, gradients: dict[int, int]) -> None:
        self.name, self.forward, self.back, self.gradients = name, forward, back, gradients


def _linear(bias: bool) -> Callable[..., _Count]:
    first = 1 if bias else 0

    def count(args: Any, out: Any) -> _Count:
        x, weight = _shape(args[first]), _shape(args[first + 1])
        cost = _product(x, weight[::-1])
        name = "addmm" if bias else "mm"
        return _Count(name, cost, "mm", {first: cost, first + 1: cost})

    return count


def _matrices(name: str, first: int = 0, back: str = "mm") -> Callable[..., _Count]:
    def count(args: Any, out: Any) -> _Count:
        cost = _product(_shape(args[first]), _shape(args[first + 1]))
        return _Count(name, cost, back, {first: cost, first + 1: cost})

    return count


def _matmul(args: Any, out: Any) -> _Count | None:
    a, b = _shape(args[0]), _shape(args[1])
    if len(a) < 2 or len(b) < 2:
        return None  # a product with a vector is not one of matrices
    name = "bmm" if len(b) > 2 else "mm"
    cost = 2 * math.prod(out.shape) * a[-1]
    return _Count(name, cost, name, {0: cost, 1: cost})


def _convolved(args: Any, out: Any) -> _Count:
    x, weight = _shape(args[0]), _shape(args[1])
    transposed, _, groups = (*args[6:], False, (), 1)[:3] if len(args) < 9 else args[6:9]
    cost = _convolution(x, weight, _shape(out), transposed)
    gradients = {0: cost, 1: cost * groups}
    return _Count("convolution", cost, "convolution_backward", gradients)


# Name of the operation here -> what it costs.
COUNTS: dict[str, Callable[..., _Count | None]] = {
    "_addmm_linear": _linear(True),
    "_mm_linear": _linear(False),
    "addmm": _matrices("addmm", 1),
    "mm": _matrices("mm"),
    "bmm": _matrices("bmm", back="bmm"),
    "baddbmm": _matrices("baddbmm", 1, back="bmm"),
    "matmul": _matmul,
    "convolved": _convolved,
}
registered: dict[str, Callable[..., int]] = {}


def register_flop_formula(targets: Any, get_raw: bool = False) -> Callable[..., Any]:
    """Decorator: the function says what an operation costs.

    Args:
        targets: the operation, ``torch.ops.name.space``, or a list of them.
        get_raw: the function gets the tensors; otherwise their shapes, and ``out_shape=``.
    """

    def register(formula: Callable[..., int]) -> Callable[..., int]:
        for target in targets if isinstance(targets, (list, tuple)) else (targets,):
            name = str(getattr(target, "__name__", target)).rpartition(".")[2]
            registered[name] = formula if get_raw else _with_shapes(formula)
        return formula

    return register


def _with_shapes(formula: Callable[..., int]) -> Callable[..., int]:
    def count(*args: Any, out_val: Any = None, **kwargs: Any) -> int:
        shapes = {k: _shape(v) for k, v in kwargs.items()}
        return formula(*map(_shape, args), out_shape=_shape(out_val), **shapes)

    return count


class FlopCounterMode:
    """Counts the floating-point operations of a block.

    Args:
        mods: not needed any more.
        depth: how far below the outermost module the table goes.
        display: print the table at the end of the block.
        custom_mapping: operation -> formula, as `register_flop_formula` takes them; a formula with
            the attribute ``_get_raw`` gets the tensors themselves.

    A product of matrices counts two for each multiply and add; operations without a formula count
    nothing.
    """

    def __init__(
        self,
        mods: Any = None,
        depth: int = 2,
        display: bool = True,
        custom_mapping: dict[Any, Any] | None = None,
    ) -> None:
        if mods is not None:
            import warnings

            warnings.warn(
                "FlopCounterMode: mods is not needed any more, leave it out.",
                UserWarning,
                stacklevel=stack_level(),
            )
        self.depth, self.display = depth, display
        self.flop_counts: dict[str, dict[Any, int]] = defaultdict(lambda: defaultdict(int))
        self._custom = dict(registered)
        for target, formula in (custom_mapping or {}).items():
            raw = getattr(formula, "_get_raw", False)
            self._custom[str(target).rpartition(".")[2]] = formula if raw else _with_shapes(formula)
        self._modules = ModuleTracker()

    def get_total_flops(self) -> int:
        """All operations counted."""
        return sum(self.flop_counts["Global"].values())

    def get_flop_counts(self) -> dict[str, dict[Any, int]]:
        """By module, by operation; "Global" has all."""
        return {name: dict(counts) for name, counts in self.flop_counts.items()}

    def get_table(self, depth: int | None = None) -> str:
        """The counts by module as text."""
        depth = self.depth if depth is None else depth
        total = max(self.get_total_flops(), 1)
        rows = [("Module", "FLOP", "% Total")]
        for name in sorted(self.flop_counts, key=lambda n: (n != "Global", n)):
            level = 0 if name == "Global" else name.count(".") + 1
            if level > depth:
                continue
            counts = self.flop_counts[name]
            lines = [(name, sum(counts.values()))]
            lines += [(f" - {op}", n) for op, n in counts.items()]
            for label, n in lines:
                rows.append((" " * level + label, _short(n), f"{100 * n / total:.2f}%"))
        widths = [max(len(row[k]) for row in rows) for k in range(3)]
        texts = [
            f"{a:<{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}".rstrip() for a, b, c in rows
        ]
        return "\n".join([texts[0], "  ".join("-" * w for w in widths), *texts[1:]])

    def _add(self, parents: set[str], op: str, cost: int) -> None:
        key = getattr(flambeau.ops.aten, op, op)
        for name in parents:
            self.flop_counts[name][key] += cost

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(getattr(func, "operation", None), "name", "") or getattr(
            func, "__name__", ""
        )
        if name not in self._custom and name not in COUNTS:
            function = inside(func)
            if function is None:
                return func(*args, **kwargs)
            token = state.switch(functions=(*state.current().functions, self))
            try:
                return function(*args, **kwargs)
            finally:
                state.restore(token)
        out = func(*args, **kwargs)
        parents = set(self._modules.parents)
        if name in self._custom:
            self._add(parents, name, self._custom[name](*args, **kwargs, out_val=out))
            return out
        found = COUNTS[name](args, out)
        if found is not None:
            self._add(parents, found.name, found.forward)
            self._watch(found, parents, args, out)
        return out

    def _watch(self, found: _Count, parents: set[str], args: Any, out: Tensor) -> None:
        node = out.grad_fn
        if node is None:
            return
        wanted = [
            cost
            for k, cost in found.gradients.items()
            if isinstance(args[k], Tensor) and args[k].requires_grad
        ]
        if found.back == "convolution_backward" or wanted:
            cost = sum(wanted)
            node.register_hook(lambda *_: self._add(parents, found.back, cost))

    def __enter__(self) -> FlopCounterMode:
        self.flop_counts.clear()
        self._modules.__enter__()
        state.switch(functions=(*state.current().functions, self))
        return self

    def __exit__(self, *exc: object) -> None:
        state.switch(functions=tuple(f for f in state.current().functions if f is not self))
        self._modules.__exit__(*exc)
        if self.display:
            print(self.get_table(self.depth))


def _short(n: int) -> str:
    power = min(max(len(str(n)) - 1, 0) // 3, len(SUFFIXES) - 1)
    return f"{n / 1000**power:.3f}{SUFFIXES[power]}" if power else str(n)
