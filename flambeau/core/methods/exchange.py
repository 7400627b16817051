"""Tensors and the rest of Python: numbers, lists, NumPy, DLPack, copies, pickles, printing. Stands
on core.tensor.
"""

from __future__ import annotations

import copy
import re
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from flambeau.core import dtypes, lower, overrides, state
from flambeau.core.batch.array import Batched
from flambeau.core.errors import fail
from flambeau.core.exported import SHOWN, export
from flambeau.core.ir.abstract import Abstract
from flambeau.core.layout import is_non_overlapping_and_dense
from flambeau.core.lower import Shell
from flambeau.core.methods import attach
from flambeau.core.node import AccumulateGrad
from flambeau.core.state import ordinary
from flambeau.core.storage import Storage, storage_of
from flambeau.core.tensor import PLAIN, Tensor, edge_of, leaf_edge, wrap

__all__ = ["Exchange"]

WIDER = {"bfloat16": np.dtype("f4")}


NUMBERS = frozenset((float, int, bool))
"""What `item` gives of all dtypes but complex ones."""
_INNER = re.compile("_.*_").fullmatch


class Exchange:
    def item(self: Tensor) -> Any:
        """The value of a one-element tensor as a Python number.

        Raises:
            RuntimeError: more or fewer elements than one.
        """
        a = self._array
        if a.size != 1:
            raise fail(
                RuntimeError,
                "item",
                f"a Tensor with {a.size} elements cannot be converted to Scalar. Reduce it first "
                f"(.sum(), .mean()), or use "
                ".tolist().",
            )
        m = state.mode()
        if m is not None and m.dispatch or type(a) is Shell:
            return lower.named("_local_scalar_dense", self)
        if type(a) is not np.ndarray:
            if hasattr(a, "is_sparse_data"):
                return self.to_dense().item()
            if type(a) is Batched:
                return a.item()
            raise fail(
                RuntimeError,
                "item",
                "Tensor.item() cannot be called on meta tensors: they have no values",
            )
        value = a.item()
        return float(value) if a.dtype.kind == "V" and not isinstance(value, float) else value

    def tolist(self: Tensor) -> Any:
        """The values as nested lists of Python numbers."""
        a = self._array
        if type(a) is Batched:
            return a.tolist()
        if type(a) is not np.ndarray:
            raise fail(
                RuntimeError if type(a) is Shell else NotImplementedError,
                "tolist",
                f"cannot list a {type(self).__name__} of layout {self.layout} on {self.device}",
            )
        if a.dtype.kind == "V":
            a = a.astype("f4")
        return a.tolist()

    def numpy(self: Tensor, *, force: bool = False) -> np.ndarray[Any, Any]:
        """The same memory as a NumPy array.

        Raises:
            RuntimeError: the tensor requires gradient (and `force` is False).
            TypeError: sparse or meta tensors, bfloat16 and float8.
        """
        a = self._array
        if force is not False and force is not True:
            raise fail(
                TypeError,
                "numpy",
                f"argument 'force' must be bool, not {type(force).__name__}.",
            )
        if type(a) is np.ndarray and a.dtype in SHOWN and self._edge is None and self._view is None:
            export(self)
            return a.view()
        if force and type(a) is not Abstract:
            return self.detach().resolve_conj().numpy()
        if edge_of(self) is not None and state.grad_enabled():
            raise fail(
                RuntimeError,
                "numpy",
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() "
                "instead.",
            )
        if type(a) is Abstract:
            raise fail(
                NotImplementedError if force else TypeError,
                "numpy",
                "can't convert meta device type tensor to numpy: it has no values.",
            )
        if type(a) is Batched:
            return a.__array__()  # type: ignore[no-any-return]
        if type(a) is Shell:
            raise fail(
                RuntimeError,
                "numpy",
                f"a {type(self).__name__} has no memory of its own: convert the tensor inside it.",
            )
        if type(a) is not np.ndarray:
            raise fail(
                TypeError,
                "numpy",
                f"can't convert {self.layout} layout tensor to numpy. Use Tensor.to_dense() first.",
            )
        if dtypes.of(a.dtype).name in ("bfloat16",) or dtypes.of(a.dtype).category == "float8":
            raise fail(
                TypeError,
                "numpy",
                f"Got unsupported ScalarType {dtypes.of(a.dtype).legacy}: convert with .float() "
                f"first.",
            )
        export(self)
        return a.view()

    def __array__(self: Tensor, dtype: Any = None, copy: Any = None) -> np.ndarray[Any, Any]:
        a = self.numpy()
        if dtype is not None and a.dtype != np.dtype(dtype):
            return a.astype(dtype)
        return a.copy() if copy else a

    def __array_wrap__(
        self: Tensor, array: Any, context: Any = None, return_scalar: bool = False
    ) -> Tensor:
        found = np.asarray(array)  # of truths PyTorch makes bytes, as before it had bools
        return wrap(found.view(np.uint8) if found.dtype.kind == "b" else found)

    def __dlpack__(
        self: Tensor,
        *,
        stream: Any = None,
        max_version: Any = None,
        dl_device: Any = None,
        copy: Any = None,
    ) -> Any:
        """The memory as a DLPack capsule.

        Raises:
            BufferError: the tensor requires gradient.
            TypeError, AssertionError: a stream that is no number, or any: the CPU has none.
        """
        if stream is not None and type(stream) is not int:
            raise fail(
                TypeError, "__dlpack__", f"stream must be int or None, not {type(stream).__name__}"
            )
        if stream is not None and stream != -1:
            raise fail(AssertionError, "__dlpack__", "stream must be None on the CPU.")
        if edge_of(self) is not None:
            raise fail(
                BufferError,
                "__dlpack__",
                "Can't export tensors that require gradient, use tensor.detach()",
            )
        a = self._array
        options: dict[str, Any] = {}
        if max_version is not None:
            options["max_version"] = max_version
        if copy is not None:
            options["copy"] = copy
        return a.__dlpack__(**options)

    def __dlpack_device__(self: Tensor) -> tuple[int, int]:
        return (1, 0)

    def __len__(self: Tensor) -> int:
        if not self._array.ndim:
            raise TypeError("len() of a 0-d tensor")
        return int(self._array.shape[0])

    def __iter__(self: Tensor) -> Iterator[Tensor]:
        if not self._array.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))

    def __reversed__(self: Tensor) -> Tensor:
        return self.flip(0) if self._array.ndim else self

    def __bool__(self: Tensor) -> bool:
        a = self._array
        if a.size == 1:
            return bool(self.item())
        if not a.size:
            raise fail(RuntimeError, "bool", "Boolean value of Tensor with no values is ambiguous")
        raise fail(
            RuntimeError,
            "bool",
            f"Boolean value of Tensor with more than one value is ambiguous: it has shape "
            f"{list(a.shape)}. "
            "Use .any(), .all(), or compare one element.",
        )

    def __float__(self: Tensor) -> float:
        _told_of_gradient(self)
        found: Any = self.item() if self._array.size == 1 else None
        return float(found if type(found) in NUMBERS else self._one("float"))

    def __int__(self: Tensor) -> int:
        found: Any = self.item() if self._array.size == 1 else None
        return int(found if type(found) in NUMBERS else self._one("int"))

    def __complex__(self: Tensor) -> complex:
        _told_of_gradient(self)
        return complex(self._one("complex"))

    def __index__(self: Tensor) -> int:
        if self._array.dtype.kind not in "iub" or self._array.size != 1:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.item())

    def _one(self: Tensor, kind: str) -> Any:
        if self._array.size != 1:
            raise fail(
                ValueError,
                kind,
                f"only one element tensors can be converted to Python scalars, this one has shape "
                f"{list(self._array.shape)}: "
                "reduce it first (.sum(), .mean()), or use .tolist().",
            )
        found = self.item()
        if isinstance(found, complex) and kind != "complex":
            if found.imag:
                raise fail(
                    RuntimeError,
                    kind,
                    f"value cannot be converted to type {kind} without overflow: {found} has an "
                    "imaginary part. Take .real first.",
                )
            return found.real
        return found

    def __contains__(self: Tensor, element: Any) -> bool:
        if isinstance(element, (Tensor, bool, int, float, complex, np.generic)):
            return bool((self == element).any().item())
        raise fail(
            RuntimeError,
            "in",
            f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a "
            f"{type(element)}.",
        )

    def __repr__(self: Tensor, *, tensor_contents: str | None = None) -> str:
        from flambeau.core.repr import tensor_text

        if overrides.concern((self,), state.mode()):
            named = {} if tensor_contents is None else {"tensor_contents": tensor_contents}
            return str(overrides.dispatch(Tensor.__repr__, (self,), named))
        forward_ad = sys.modules.get("flambeau.autograd.forward_ad")
        dual = None if forward_ad is None else forward_ad.tangent_shown(self)
        if dual is not None:
            return tensor_text(dual.primal, dual.tangent, tensor_contents)
        return tensor_text(self, contents=tensor_contents)

    def __format__(self: Tensor, spec: str) -> str:
        if not self._array.ndim and type(self._array) is np.ndarray and type(self) is Tensor:
            return format(self.item(), spec)
        return object.__format__(self, spec)

    def __deepcopy__(self: Tensor, memo: dict[int, Any]) -> Tensor:
        """A copy with memory of its own; views of one storage go on sharing.

        Raises:
            RuntimeError: a non-leaf.
        """
        edge = edge_of(self)
        if edge is not None and type(edge) is not AccumulateGrad:
            raise fail(
                RuntimeError,
                "deepcopy",
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
                "protocol at the moment. "
                "Use .detach().clone(), or clone() to stay in the graph.",
            )
        if id(self) in memo:
            return memo[id(self)]  # type: ignore[no-any-return]
        if type(self._array) is Shell:
            fresh = _cloned_shell(self)
        else:
            fresh = _copied(self, memo)
            if type(self) is not Tensor:
                fresh = _recast(fresh, type(self))
        memo[id(self)] = fresh
        if self._grad is not None:
            fresh._grad = copy.deepcopy(self._grad, memo)
        if edge is not None:
            leaf_edge(fresh)
        for name, value in self.__dict__.items():
            fresh.__dict__[name] = copy.deepcopy(value, memo)
        if type(self) is not Tensor:
            for name, value in lower.own_slots(self).items():
                setattr(fresh, name, copy.deepcopy(value, memo))
        return fresh

    def __reduce_ex__(self: Tensor, protocol: Any) -> Any:
        from flambeau.serialization.pickle_tensor import reduce_tensor

        return reduce_tensor(self, protocol)

    def __dir__(self: Tensor) -> list[str]:
        # Written forms of inner operations (`_elu_`) are left out: Python suggests no name where
        # there are more than 750.
        names = {name for name in dir(type(self)) if name[:2] == "__" or not _INNER(name)}
        return sorted({*names, *self.__dict__})

    def cpu(self: Tensor, memory_format: Any = None) -> Tensor:
        """The tensor on the cpu: itself."""
        if type(self._array) is np.ndarray and type(self) in PLAIN and ordinary():
            return self
        return self.to("cpu")

    def cuda(
        self: Tensor, device: Any = None, non_blocking: bool = False, memory_format: Any = None
    ) -> Tensor:
        """As in a CPU build of PyTorch.

        Raises:
            AssertionError: no CUDA (with FLAMBEAU_CUDA=cpu: the tensor itself).
        """
        return self.to("cuda")


def _told_of_gradient(tensor: Tensor) -> None:
    """Warn, once, that the number has no gradient where its tensor has one."""
    if tensor.requires_grad and state.grad_enabled():
        from flambeau.compat import warn_once

        warn_once(
            "Converting a tensor with requires_grad=True to a scalar may lead to unexpected "
            "behavior: the number has no gradient. Say tensor.detach() or tensor.item() where that "
            "is meant.",
        )


def _copied(tensor: Tensor, memo: dict[Any, Any]) -> Tensor:
    a = tensor._array
    if type(a) is not np.ndarray:
        return wrap(copy.deepcopy(a))
    storage = storage_of(tensor)
    key = ("storage", id(storage))
    from flambeau.core.storage import address, root_of

    root = root_of(tensor)
    if not is_non_overlapping_and_dense(
        root.shape, tuple(s // root.itemsize for s in root.strides)
    ):
        return wrap(np.array(a, order="K"))  # a piece of somebody's array: only the piece
    if key not in memo:
        # Memory order, so that every view finds its elements where they were.
        memo[key] = (root.ravel(order="K").copy(), Storage(), storage)
    block, fresh_storage, _ = memo[key]
    offset = address(a) - address(root)
    fresh = wrap(
        np.ndarray(a.shape, a.dtype, block.view(np.uint8), offset, a.strides)
        if a.size
        else a.copy()
    )
    fresh._storage = fresh_storage
    return fresh


def _cloned_shell(tensor: Tensor) -> Tensor:
    """A copy of a tensor without memory: its class makes it."""
    token = state.switch(grad=False)
    try:
        fresh = tensor.clone()
    finally:
        state.restore(token)
    if type(fresh) is not type(tensor):
        raise fail(
            RuntimeError,
            "deepcopy",
            f"clone() of a {type(tensor).__name__} gave a {type(fresh).__name__}: let "
            f"__torch_dispatch__ keep the class, or give {type(tensor).__name__} a __deepcopy__.",
        )
    return fresh


def _recast(tensor: Tensor, cls: type) -> Tensor:
    fresh: Any = object.__new__(cls)
    for slot in ("_array", "_storage", "_edge", "_view", "_grad"):
        setattr(fresh, slot, getattr(tensor, slot))
    return fresh  # type: ignore[no-any-return]


attach(Exchange)
