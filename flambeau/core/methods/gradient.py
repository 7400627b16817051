"""What a tensor offers to autograd's users: requires_grad, grad, backward, hooks, detach. Stands on
core.tensor.
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from flambeau.core import engine, lower, overrides, state
from flambeau.core.dtypes import dtype as Dtype
from flambeau.core.dtypes import of
from flambeau.core.entry import at_first, nothing, process
from flambeau.core.errors import fail
from flambeau.core.handles import RemovableHandle
from flambeau.core.methods import attach, bind
from flambeau.core.node import AccumulateGrad, Node, Port, edge_node, exposed
from flambeau.core.provenance import stack_level
from flambeau.core.storage import Storage, storage_of
from flambeau.core.tensor import PLAIN, Tensor, edge_of, leaf_edge, nobody, wrap_like_view

__all__ = ["Gradient"]

ONES = {np.dtype(c): np.ones((), c) for c in "fd"}
"""What a scalar's backward starts with: a copy of one costs 0.1 us, `np.ones` 0.7."""


_same_memory: Callable[..., Any] = at_first(
    globals(), "_same_memory", lambda: process.made("same_memory", None) or nothing
)


class Gradient:
    @property
    def requires_grad(self: Tensor) -> bool:
        """Whether operations on this tensor are recorded."""
        if self._edge is not None:
            return True
        view = self._view  # a view made under no_grad says what its base says
        return view is not None and (view[0]._edge is not None or edge_of(self) is not None)

    @requires_grad.setter
    def requires_grad(self: Tensor, value: bool) -> None:
        if value is not True and value is not False:
            kind = type(value).__name__
            raise fail(
                RuntimeError,
                "requires_grad",
                f"requires_grad must be a bool, but got {kind}. Give True or False.",
            )
        self.requires_grad_(value)

    def requires_grad_(self: Tensor, requires_grad: bool = True) -> Tensor:
        """Begin (or stop) recording operations on this leaf.

        Raises:
            TypeError: `requires_grad` is no bool. RuntimeError: an integer dtype, or a non-leaf
                asked to stop.
        """
        if requires_grad is not True and requires_grad is not False:
            raise fail(
                TypeError,
                "requires_grad_",
                "argument 'requires_grad' (position 1) must be bool, not "
                f"{type(requires_grad).__name__}. Give True or False.",
            )
        edge = edge_of(self)
        storage = self._storage
        if (
            requires_grad
            and storage is not None
            and storage.inference
            and not state.current().inference
        ):
            raise fail(
                RuntimeError,
                "requires_grad_",
                "Setting requires_grad=True on inference tensor outside InferenceMode is not "
                "allowed: clone() it first.",
            )
        if edge is not None and type(edge) is not AccumulateGrad:
            if not requires_grad:
                raise fail(
                    RuntimeError,
                    "requires_grad_",
                    "you can only change requires_grad flags of leaf variables. To use a computed "
                    "variable in a part that "
                    "needs no gradient, write var_no_grad = var.detach().",
                )
            return self
        if not requires_grad:
            self._edge = None
        elif edge is None or edge.variable_ref is nobody:  # type: ignore[union-attr]
            dtype = of(self._array.dtype)
            if not (dtype.is_floating_point or dtype.is_complex):
                raise fail(
                    RuntimeError,
                    "requires_grad_",
                    f"only Tensors of floating point and complex dtype can require gradients; "
                    f"this one is {dtype}: "
                    "convert it first, .float().requires_grad_().",
                )
            kept = self.__dict__
            node = leaf_edge(self)
            if "_grad_dtype" in kept:
                node.dtype = kept["_grad_dtype"]
        return self

    @property
    def grad_dtype(self: Tensor) -> Any:
        """The dtype that a leaf's gradient is cast to: its own, unless another is set; None takes
        gradients as they come.

        Raises:
            RuntimeError: no leaf; no dtype; a gradient of another dtype is there already.
        """
        self._must_be_leaf("accessed")
        kind = self.__dict__.get("_grad_dtype", self._array.dtype)
        return None if kind is None else of(kind)

    @grad_dtype.setter
    def grad_dtype(self: Tensor, value: Any) -> None:
        self._must_be_leaf("set")
        if value is not None and not isinstance(value, Dtype):
            raise fail(
                RuntimeError,
                "grad_dtype",
                f"grad_dtype must be a torch.dtype or None, but got {type(value).__name__}",
            )
        if value is not None and self._grad is not None and self._grad.dtype != value:
            raise fail(
                RuntimeError,
                "grad_dtype",
                f"there is a gradient of {self._grad.dtype} already: clear it (.grad = None) "
                f"before grad_dtype becomes {value}",
            )
        kind = self.__dict__["_grad_dtype"] = None if value is None else value.numpy
        if self._edge is not None:
            self._edge.dtype = kind

    def _must_be_leaf(self: Tensor, done: str) -> None:
        if not self.is_leaf:
            message = f"grad_dtype can only be {done} on leaf tensors."
            raise fail(RuntimeError, "grad_dtype", message)

    @property
    def is_leaf(self: Tensor) -> bool:
        """Whether the tensor stands at the beginning of the graph: made by the user, or without
        gradient.
        """
        edge = edge_of(self)
        return edge is None or type(edge) is AccumulateGrad

    @property
    def grad_fn(self: Tensor) -> Node | None:
        """The node that computed this tensor; None for leaves."""
        edge = edge_of(self)
        if edge is None or type(edge) is AccumulateGrad:
            return None
        return exposed(edge.node if type(edge) is Port else edge)  # type: ignore[no-any-return]

    @property
    def output_nr(self: Tensor) -> int:
        edge = edge_of(self)
        return edge.number if type(edge) is Port else 0

    @property
    def grad(self: Tensor) -> Tensor | None:
        """The gradient collected by `backward()`: on leaves, and where `retain_grad()` was asked
        for.
        """
        found = self._grad
        if found is None and self._edge is not None and not self.is_leaf and not self.retains_grad:
            warnings.warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its "
                ".grad attribute won't be "
                "populated during autograd.backward(). Use .retain_grad() on it if you want its "
                "gradient, or access the leaf "
                "Tensor instead.",
                UserWarning,
                stacklevel=stack_level(),
            )
        return found

    @grad.setter
    def grad(self: Tensor, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise fail(
                    TypeError,
                    "grad",
                    f"assigned grad expected to be a Tensor or None but got {type(value).__name__}",
                )
            if value is self:
                raise fail(RuntimeError, "grad", "can't assign Variable as its own grad")
            kind = self.__dict__.get("_grad_dtype", self._array.dtype)
            if kind is not None and value._array.dtype != kind:
                raise fail(
                    RuntimeError,
                    "grad",
                    f"assigned grad has data of a different type: {value.dtype}, the tensor is "
                    f"{self.dtype} and its grad_dtype {of(kind)}",
                )
            if value._array.shape != self._array.shape:
                raise fail(
                    RuntimeError,
                    "grad",
                    f"assigned grad has data of a different size: {list(value.shape)}, the tensor "
                    f"has {list(self.shape)}",
                )
        self._grad = value

    @grad.deleter
    def grad(self: Tensor) -> None:
        self._grad = None

    @property
    def data(self: Tensor) -> Tensor:
        """The same memory without history; writes through it are not seen by autograd's version
        check.
        """
        fresh = wrap_like_view(self._array, self)
        alias = Storage()
        alias.origin = storage_of(self)
        alias.root = alias.origin.root
        fresh._storage = alias
        if type(self) is not Tensor and type(self).__name__ not in ("Parameter", "Buffer"):
            return fresh.as_subclass(type(self))
        return fresh

    @data.setter
    def data(self: Tensor, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise fail(
                TypeError,
                "data",
                f"Variable data has to be a tensor, but got {type(value).__name__}",
            )
        edge = self._edge
        if edge is not None and not (value.dtype.is_floating_point or value.dtype.is_complex):
            raise fail(
                RuntimeError,
                "data",
                "data set to a tensor that requires gradients must be floating point or complex "
                "dtype",
            )
        self._array = value._array
        self._storage = storage_of(value)
        self._view = None
        if type(edge) is AccumulateGrad:
            edge.follow(self)

    def detach(self: Tensor) -> Tensor:
        """The same memory outside the graph; shares the version, so writes are noticed."""
        found = _same_memory(self)
        if found is not None:
            return found  # type: ignore[no-any-return]
        if overrides.concern((self,), state.mode()):
            return overrides.dispatch(Tensor.detach, (self,), {})
        if lower.concern((self,), state.mode()):
            return lower.named("detach", self)  # type: ignore[no-any-return]
        return wrap_like_view(self._array, self)

    def detach_(self: Tensor) -> Tensor:
        """Take this tensor out of the graph, in place.

        Raises:
            RuntimeError: it is a view.
        """
        if self._view is not None:
            raise fail(
                RuntimeError, "detach_", "Can't detach views in-place. Use detach() instead."
            )
        self._edge = None
        return self

    def retain_grad(self: Tensor) -> None:
        """Keep the gradient of this non-leaf in `.grad`.

        Raises:
            RuntimeError: the tensor requires no gradient.
        """
        edge = edge_of(self)
        if edge is None:
            raise fail(
                RuntimeError,
                "retain_grad",
                "can't retain_grad on Tensor that has requires_grad=False",
            )
        if type(edge) is AccumulateGrad:
            return
        node, number = edge_node(edge)
        node.hooks_of().retain[number] = weakref.ref(self)

    @property
    def retains_grad(self: Tensor) -> bool:
        """Whether `retain_grad()` was asked of this non-leaf."""
        edge = edge_of(self)
        if edge is None or type(edge) is AccumulateGrad:
            return False
        node, number = edge_node(edge)
        keeper = node.hooks.retain.get(number) if node.hooks is not None else None
        return keeper is not None and keeper() is self

    def backward(
        self: Tensor,
        gradient: Tensor | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Sequence[Tensor] | Tensor | None = None,
        **legacy: Any,
    ) -> None:
        """Compute the gradients of this tensor and add them to the leaves' `.grad`.

        Args:
            gradient: d(loss)/d(self), of this tensor's shape; may be left out for a scalar.
            retain_graph: keep what the graph saved, for another backward; default: `create_graph`.
            create_graph: record the backward, for gradients of gradients.
            inputs: accumulate into these tensors only.

        Raises:
            RuntimeError: no gradient is required, a non-scalar without `gradient`, freed or
                overwritten saved values.
        """
        if (
            gradient is None
            and inputs is None
            and not legacy
            and not create_graph
            and type(self) in PLAIN
        ):
            a = self._array
            seed = ONES.get(a.dtype)
            if seed is not None and type(a) is np.ndarray and a.size == 1:
                edge = self._edge if self._view is None else edge_of(self)
                if edge is not None:
                    one = seed.copy() if not a.ndim else seed.reshape(a.shape).copy()
                    engine.backward_of_one(edge, one, bool(retain_graph))
                    return
        from flambeau.autograd import backward

        if overrides.concern((self,), state.mode()):
            kwargs = {
                "gradient": gradient,
                "retain_graph": retain_graph,
                "create_graph": create_graph,
                "inputs": inputs,
            }
            overrides.dispatch(Tensor.backward, (self,), kwargs)
            return
        if legacy:
            from flambeau.compat import retain_variables

            retain_graph = retain_variables("backward", legacy, retain_graph)
        backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def register_hook(self: Tensor, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Call `hook(grad)` when this tensor's gradient is computed; it may return another
        gradient.

        Raises:
            RuntimeError: the tensor requires no gradient.
        """
        edge = edge_of(self)
        if edge is None:
            raise fail(
                RuntimeError,
                "register_hook",
                "cannot register a hook on a tensor that doesn't require gradient",
            )
        node, number = edge_node(edge)
        table = node.hooks_of().tensor.setdefault(number, {})
        handle = RemovableHandle(table)
        table[handle.id] = hook
        return handle

    def register_post_accumulate_grad_hook(
        self: Tensor, hook: Callable[[Tensor], None]
    ) -> RemovableHandle:
        """Call `hook(param)` after a gradient was added to this leaf's `.grad`.

        Raises:
            RuntimeError: not a leaf that requires gradient.
        """
        edge = edge_of(self)
        if edge is None:
            raise fail(
                RuntimeError,
                "register_post_accumulate_grad_hook",
                "cannot register a hook on a tensor that doesn't require gradient",
            )
        if type(edge) is not AccumulateGrad:
            raise fail(
                RuntimeError,
                "register_post_accumulate_grad_hook",
                "post accumulate grad hooks cannot be registered on non-leaf tensors",
            )
        table = edge.hooks_of().post_accumulate
        handle = RemovableHandle(table)
        table[handle.id] = hook
        return handle

    @property
    def _backward_hooks(self: Tensor) -> Any:
        edge = edge_of(self)
        if edge is None:
            return None
        node, number = edge_node(edge)
        return node.hooks.tensor.get(number) if node.hooks is not None else None


attach(Gradient)

_DATA: Any = vars(Gradient)["data"]


def _first_data(self: Tensor) -> Tensor:
    """`data` before its first use: from then on the getter is a native function."""
    native = process.made("data", _DATA.fget) or _DATA.fget
    bind(data=property(native, _DATA.fset, doc=_DATA.__doc__))
    return native(self)  # type: ignore[no-any-return]


bind(data=property(_first_data, _DATA.fset, doc=_DATA.__doc__))
