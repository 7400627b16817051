"""The Tensor: a NumPy array, a storage, an edge into the graph.

Written by scripts/stubs.py; change what it was made from."""

import builtins
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NoReturn

import numpy as np

from flambeau.core import dtypes
from flambeau.core.device import device as _device
from flambeau.core.handles import RemovableHandle
from flambeau.core.node import AccumulateGrad, Node, Port
from flambeau.core.ops.windowing import Ints
from flambeau.core.random.generator import Generator
from flambeau.core.size import Size
from flambeau.core.storage import Storage

class Tensor:
    """A multi-dimensional array of one dtype that remembers how it was computed."""

    _array: Any
    _storage: Storage | None
    _edge: Any
    _view: tuple[Tensor, builtins.int, str] | None
    _grad: Any
    __array_priority__: builtins.int

    @property
    def H(self) -> Tensor:
        """The conjugate transpose of a matrix."""

    @property
    def T(self) -> Tensor:
        """The tensor with its dimensions reversed; warns, once, where they are not two."""

    def __abs__(self) -> Tensor:
        """The absolute value; the modulus of complex numbers. Its gradient at 0 is 0."""

    def __add__(self, other: Tensor | complex) -> Tensor: ...
    def __and__(self, other: Tensor | complex) -> Tensor: ...
    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray[Any, Any]: ...
    def __array_wrap__(
        self,
        array: Any,
        context: Any = None,
        return_scalar: builtins.bool = False,
    ) -> Tensor: ...
    def __bool__(self) -> builtins.bool: ...
    def __complex__(self) -> complex: ...
    def __contains__(self, element: Any) -> builtins.bool: ...
    def __deepcopy__(self, memo: dict[builtins.int, Any]) -> Tensor:
        """A copy with memory of its own; views of one storage go on sharing."""

    def __delitem__(self, index: Any) -> NoReturn: ...
    def __dir__(self) -> list[str]: ...
    def __div__(self, other: Tensor | complex) -> Tensor: ...
    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: Any = None,
        dl_device: Any = None,
        copy: Any = None,
    ) -> Any:
        """The memory as a DLPack capsule."""

    def __dlpack_device__(self) -> tuple[builtins.int, builtins.int]: ...
    def __eq__(self, other: object) -> Tensor: ...  # type: ignore[override]
    def __float__(self) -> builtins.float: ...
    def __floordiv__(self, other: Tensor | complex) -> Tensor: ...
    def __format__(self, spec: str) -> str: ...
    def __ge__(self, other: Tensor | complex) -> Tensor: ...
    def __getitem__(self, index: Any) -> Tensor:
        """The elements at `index`: a view for basic indices, a copy for advanced ones."""

    def __gt__(self, other: Tensor | complex) -> Tensor: ...
    def __iadd__(self, other: Tensor | complex) -> Tensor: ...
    def __iand__(self, other: Tensor | complex) -> Tensor: ...
    def __idiv__(self, other: Tensor | complex) -> Tensor: ...
    def __ifloordiv__(self, other: Tensor | complex) -> Tensor: ...
    def __ilshift__(self, other: Tensor | complex) -> Tensor: ...
    def __imod__(self, other: Tensor | complex) -> Tensor: ...
    def __imul__(self, other: Tensor | complex) -> Tensor: ...
    def __index__(self) -> builtins.int: ...
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    @classmethod
    def __init_subclass__(cls, **kwargs: Any) -> None: ...
    def __int__(self) -> builtins.int: ...
    def __invert__(self) -> Tensor:
        """``~input``; for what has no such bits PyTorch's operator raises another error ..."""

    def __ior__(self, other: Tensor | complex) -> Tensor: ...
    def __ipow__(self, other: Tensor | complex) -> Tensor: ...
    def __irshift__(self, other: Tensor | complex) -> Tensor: ...
    def __isub__(self, other: Tensor | complex) -> Tensor: ...
    def __iter__(self) -> Iterator[Tensor]: ...
    def __itruediv__(self, other: Tensor | complex) -> Tensor: ...
    def __ixor__(self, other: Tensor | complex) -> Tensor: ...
    def __le__(self, other: Tensor | complex) -> Tensor: ...
    def __len__(self) -> builtins.int: ...
    def __long__(self) -> builtins.int: ...
    def __lshift__(self, other: Tensor | complex) -> Tensor: ...
    def __lt__(self, other: Tensor | complex) -> Tensor: ...
    def __matmul__(self, other: Tensor | complex) -> Tensor: ...
    def __mod__(self, other: Tensor | complex) -> Tensor: ...
    def __mul__(self, other: Tensor | complex) -> Tensor: ...
    def __ne__(self, other: object) -> Tensor: ...  # type: ignore[override]
    def __neg__(self) -> Tensor:
        """``-input``. Raises RuntimeError for bool: use ``~``."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Tensor: ...
    def __nonzero__(self) -> builtins.bool: ...
    def __or__(self, other: Tensor | complex) -> Tensor: ...
    def __pos__(self) -> Tensor:
        """The tensor itself. Raises RuntimeError for bool."""

    def __pow__(self, other: Tensor | complex) -> Tensor: ...
    def __radd__(self, other: Tensor | complex) -> Tensor: ...
    def __rand__(self, other: Tensor | complex) -> Tensor: ...
    def __rdiv__(self, other: Tensor | complex) -> Tensor:
        """``(1 / self) * other``, as PyTorch divides; strangers answer themselves."""

    def __reduce_ex__(self, protocol: Any) -> Any: ...
    def __repr__(self, *, tensor_contents: str | None = None) -> str: ...
    def __reversed__(self) -> Tensor: ...
    def __rfloordiv__(self, other: Tensor | complex) -> Tensor: ...
    def __rlshift__(self, other: Tensor | complex) -> Tensor: ...
    def __rmatmul__(self, other: Tensor | complex) -> Tensor: ...
    def __rmod__(self, other: Tensor | complex) -> Tensor: ...
    def __rmul__(self, other: Tensor | complex) -> Tensor: ...
    def __ror__(self, other: Tensor | complex) -> Tensor: ...
    def __rpow__(self, other: Tensor | complex) -> Tensor: ...
    def __rrshift__(self, other: Tensor | complex) -> Tensor: ...
    def __rshift__(self, other: Tensor | complex) -> Tensor: ...
    def __rsub__(self, other: Tensor | complex) -> Tensor: ...
    def __rtruediv__(self, other: Tensor | complex) -> Tensor:
        """``(1 / self) * other``, as PyTorch divides; strangers answer themselves."""

    def __rxor__(self, other: Tensor | complex) -> Tensor: ...
    def __setitem__(self, index: Any, value: Any) -> None:
        """Write a number or a tensor (broadcast and converted) where `index` points."""

    def __sub__(self, other: Tensor | complex) -> Tensor: ...
    @staticmethod
    def __torch_dispatch__(func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """As a class's `__torch_dispatch__`: it is not asked, its instances are plain tensors."""

    @classmethod
    def __torch_function__(
        cls,
        func: Callable[..., Any],
        types: Iterable[builtins.type],
        args: Any = (),
        kwargs: Any = None,
    ) -> Any:
        """`Tensor.__torch_function__`: the function on plain tensors, results given the ..."""

    def __truediv__(self, other: Tensor | complex) -> Tensor: ...
    def __xor__(self, other: Tensor | complex) -> Tensor: ...
    @property
    def _backward_hooks(self) -> Any: ...
    @property
    def _base(self) -> Tensor | None:
        """The tensor this is a view of."""

    def _celu_(self, alpha: builtins.float = 1.0) -> Tensor:
        """`_celu` written into the tensor itself. ``max(input, 0) + min(0, alpha * ..."""

    def _clamp_(
        self,
        min: Tensor | complex | None = None,
        max: Tensor | complex | None = None,
    ) -> Tensor:
        """`_clamp` written into the tensor itself. ``min(max(input, min), max)``."""

    def _clamp_max_(self, max: Tensor | complex) -> Tensor:
        """`_clamp_max` written into the tensor itself. ``min(input, max)``."""

    def _clamp_min_(self, min: Tensor | complex) -> Tensor:
        """`_clamp_min` written into the tensor itself. ``max(input, min)``."""

    def _coalesced_(self, coalesced: builtins.bool) -> Tensor:
        """Promise that the places of a COO tensor are unique and in order. See ..."""

    def _conj_(self) -> Tensor:
        """`_conj` written into the tensor itself. The complex conjugate."""

    def _conj_physical_(self) -> Tensor:
        """`_conj_physical` written into the tensor itself. The complex conjugate."""

    def _div_(self, other: Tensor | complex) -> Tensor:
        """`_div` written into the tensor itself. ``input / other``."""

    def _div_floor_(self, other: Tensor | complex) -> Tensor:
        """`_div_floor` written into the tensor itself. ``floor(input / other)``, with the ..."""

    def _div_trunc_(self, other: Tensor | complex) -> Tensor:
        """`_div_trunc` written into the tensor itself. ``trunc(input / other)``."""

    def _elu_(
        self,
        alpha: builtins.float = 1.0,
        scale: builtins.float = 1.0,
        input_scale: builtins.float = 1.0,
    ) -> Tensor:
        """`_elu` written into the tensor itself. ``scale * (input if input > 0 else alpha ..."""

    def _filled(self, values: list[Any], name: str) -> Tensor: ...
    def _gelu_(self) -> Tensor:
        """`_gelu` written into the tensor itself. ``input * Phi(input)`` with the normal ..."""

    def _gelu_tanh_(self) -> Tensor:
        """`_gelu_tanh` written into the tensor itself. gelu with Phi approximated by tanh."""

    def _heaviside_(self, values: Tensor | complex) -> Tensor:
        """`_heaviside` written into the tensor itself. 0 below 0, 1 above, `values` at 0."""

    def _index_fill_(self, dim: builtins.int, index: Tensor, value: Tensor) -> Tensor:
        """`_index_fill` written into the tensor itself. The input with one value in the ..."""

    def _indices(self) -> Tensor:
        """The coordinates of a COO tensor as they are kept. See ..."""

    def _is_view(self) -> builtins.bool: ...
    def _lerp_(self, end: Tensor | complex, weight: Tensor | complex) -> Tensor:
        """`_lerp` written into the tensor itself. ``input + weight * (end - input)``."""

    def _logsigmoid_(self) -> Tensor:
        """`_logsigmoid` written into the tensor itself. ``log(sigmoid(input))``."""

    @staticmethod
    def _make_subclass(
        cls: Any,
        data: Tensor,
        require_grad: builtins.bool = False,
        **_: Any,
    ) -> Any:
        """An instance of a subclass on the memory of `data`."""

    @staticmethod
    def _make_wrapper_subclass(
        cls: Any,
        size: Any,
        strides: Any = None,
        storage_offset: builtins.int | None = None,
        memory_format: Any = None,
        dtype: Any = None,
        layout: Any = None,
        device: Any = None,
        pin_memory: builtins.bool = False,
        requires_grad: builtins.bool = False,
        **policies: Any,
    ) -> Any:
        """An instance of a subclass without memory: `__torch_dispatch__` computes for it."""

    def _must_be_leaf(self, done: str) -> None: ...
    def _mvlgamma_(self, p: builtins.int) -> Tensor:
        """`_mvlgamma` written into the tensor itself. The logarithm of the multivariate ..."""

    def _nnz(self) -> builtins.int:
        """How many values a sparse tensor keeps. See `flambeau.sparse.access._nnz`."""

    def _one(self, kind: str) -> Any: ...
    def _polygamma_(self, n: builtins.int) -> Tensor:
        """`_polygamma` written into the tensor itself. The n-th derivative of digamma."""

    def _pow_(self, exponent: Tensor | complex) -> Tensor:
        """`_pow` written into the tensor itself. ``input ** exponent``."""

    def _round_(self) -> Tensor:
        """`_round` written into the tensor itself. The nearest whole number, halves to even."""

    def _round_decimals_(self, decimals: builtins.int) -> Tensor:
        """`_round_decimals` written into the tensor itself. Rounded to a number of decimals."""

    def _scatter_(self, dim: builtins.int, index: Tensor, src: Tensor) -> Tensor:
        """`_scatter` written into the tensor itself. The input with elements of `src` ..."""

    def _scatter_number_(self, dim: builtins.int, index: Tensor, value: Any) -> Tensor:
        """`_scatter_number` written into the tensor itself. The input with a number ..."""

    def _scatter_reduce_(
        self,
        dim: builtins.int,
        index: Tensor,
        src: Tensor,
        reduce: str,
        include_self: builtins.bool,
        in_half: builtins.bool = False,
    ) -> Tensor:
        """`_scatter_reduce` written into the tensor itself."""

    def _softplus_(self, beta: builtins.float = 1.0, threshold: builtins.float = 20.0) -> Tensor:
        """`_softplus` written into the tensor itself."""

    def _softshrink_(self, lambd: builtins.float = 0.5) -> Tensor:
        """`_softshrink` written into the tensor itself. ``input`` moved towards 0 by ..."""

    def _square_(self) -> Tensor:
        """`_square` written into the tensor itself. ``input ** 2`` for what is not bool."""

    def _values(self) -> Tensor:
        """The values of a COO tensor as they are kept. See `flambeau.sparse.access._values`."""

    @property
    def _version(self) -> builtins.int:
        """How often the storage was written in place."""

    def abs(self, *, out: Tensor | None = None) -> Tensor:
        """The absolute value; the modulus of complex numbers. Its gradient at 0 is 0."""

    def abs_(self) -> Tensor:
        """`abs` in place."""

    def absolute(self, *, out: Tensor | None = None) -> Tensor:
        """The absolute value; the modulus of complex numbers. Its gradient at 0 is 0."""

    def absolute_(self) -> Tensor:
        """`abs` in place."""

    def acos(self, *, out: Tensor | None = None) -> Tensor:
        """The angle whose cosine is input; NaN outside [-1, 1]."""

    def acos_(self) -> Tensor:
        """`acos` written into the tensor itself. The angle whose cosine is input; NaN ..."""

    def acosh(self, *, out: Tensor | None = None) -> Tensor:
        """The inverse of cosh; NaN below 1."""

    def acosh_(self) -> Tensor:
        """`acosh` written into the tensor itself. The inverse of cosh; NaN below 1."""

    def add(self, other: Tensor | complex, *, alpha: Any = 1, out: Tensor | None = None) -> Tensor:
        """``input + alpha * other``, with promotion and broadcasting."""

    def add_(self, other: Tensor | complex, *, alpha: Any = 1) -> Tensor:
        """`add` written into the tensor itself. ``input + alpha * other``, with promotion ..."""

    def addbmm(
        self,
        batch1: Tensor,
        batch2: Tensor,
        *,
        beta: Any = 1,
        alpha: Any = 1,
        out: Tensor | None = None,
    ) -> Tensor:
        """``beta * input + alpha * sum over i of (batch1[i] @ batch2[i])``."""

    def addbmm_(self, batch1: Any, batch2: Any, *old: Any, beta: Any = 1, alpha: Any = 1) -> Tensor:
        """`addbmm` in place; a tensor that expands to the sum is resized to it, as PyTorch ..."""

    def addcdiv(
        self,
        tensor1: Tensor | complex,
        tensor2: Tensor | complex,
        *,
        value: Any = 1,
        out: Tensor | None = None,
    ) -> Tensor:
        """``input + value * tensor1 / tensor2``."""

    def addcdiv_(
        self,
        tensor1: Tensor | complex,
        tensor2: Tensor | complex,
        *,
        value: Any = 1,
    ) -> Tensor:
        """`addcdiv` written into the tensor itself. ``input + value * tensor1 / tensor2``."""

    def addcmul(
        self,
        tensor1: Tensor | complex,
        tensor2: Tensor | complex,
        *,
        value: Any = 1,
        out: Tensor | None = None,
    ) -> Tensor:
        """``input + value * tensor1 * tensor2``."""

    def addcmul_(
        self,
        tensor1: Tensor | complex,
        tensor2: Tensor | complex,
        *,
        value: Any = 1,
    ) -> Tensor:
        """`addcmul` written into the tensor itself. ``input + value * tensor1 * tensor2``."""

    def addmm(
        self,
        mat1: Tensor,
        mat2: Tensor,
        *,
        beta: Any = 1,
        alpha: Any = 1,
        out: Tensor | None = None,
    ) -> Tensor:
        """``beta * input + alpha * (mat1 @ mat2)``."""

    def addmm_(self, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
        """`addmm` written into the tensor itself. ``beta * input + alpha * (mat1 @ mat2)``."""

    def addmv(
        self,
        mat: Tensor,
        vec: Tensor,
        *,
        beta: Any = 1,
        alpha: Any = 1,
        out: Tensor | None = None,
    ) -> Tensor:
        """``beta * input + alpha * (mat @ vec)``."""

    def addmv_(self, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
        """`addmv` written into the tensor itself. ``beta * input + alpha * (mat @ vec)``."""

    def addr(
        self,
        vec1: Tensor,
        vec2: Tensor,
        *,
        beta: Any = 1,
        alpha: Any = 1,
        out: Tensor | None = None,
    ) -> Tensor:
        """``beta * input + alpha * outer(vec1, vec2)``; for bools ``or`` and ``and``."""

    def addr_(self, vec1: Tensor, vec2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
        """`addr` written into the tensor itself. ``beta * input + alpha * outer(vec1, ..."""

    def adjoint(self) -> Tensor:
        """The conjugate transpose of the last two dimensions; of a 0-d tensor its conjugate."""

    def all(
        self,
        dim: Any = None,
        keepdim: builtins.bool = False,
        *,
        out: Tensor | None = None,
    ) -> Tensor:
        """Whether all elements are true, over dimensions `dim` (all of them by default)."""

    def allclose(
        self,
        other: Tensor,
        rtol: builtins.float = 1e-05,
        atol: builtins.float = 1e-08,
        equal_nan: builtins.bool = False,
    ) -> builtins.bool:
        """Whether `isclose` holds everywhere."""

    def amax(
        self,
        dim: Any = (),
        keepdim: builtins.bool = False,
        *,
        out: Tensor | None = None,
    ) -> Tensor:
        """The largest elements over `dim` (all by default); ties share the gradient evenly."""

    def amin(
        self,
        dim: Any = (),
        keepdim: builtins.bool = False,
        *,
        out: Tensor | None = None,
    ) -> Tensor:
        """The smallest elements over `dim` (all by default); ties share the gradient evenly."""

    def aminmax(
        self,
        *,
        dim: Any = None,
        keepdim: builtins.bool = False,
        out: Any = None,
        **numpy: Any,
    ) -> Any:
        """The smallest and the largest elements, of all or along `dim`."""

    def angle(self, *, out: Tensor | None = None) -> Tensor:
        """The angle of a complex number; 0 or pi for real ones, NaN for NaN."""

    def any(
        self,
        dim: Any = None,
        keepdim: builtins.bool = False,
        *,
        out: Tensor | None = None,
    ) -> Tensor:
        """Whether any element is true, over dimensions `dim` (all of them by default)."""

    def apply_(self, callable: Any) -> Tensor:
        """Replace each element by ``callable(element)``, in place; slow, for the cpu."""

    def arccos(self, *, out: Tensor | None = None) -> Tensor:
        """The angle whose cosine is input; NaN outside [-1, 1]."""

    def arccos_(self) -> Tensor:
        """`acos` written into the tensor itself. The angle whose cosine is input; NaN ..."""

    def arccosh(self, *, out: Tensor | None = None) -> Tensor:
        """The inverse of cosh; NaN below 1."""

    def arccosh_(self) -> Tensor:
        """`acosh` written into the tensor itself. The inverse of cosh; NaN below 1."""

    def arcsin(self, *, out: Tensor | None = None) -> Tensor:
        """The angle whose sine is input; NaN outside [-1, 1]."""

    def arcsin_(self) -> Tensor:
        """`asin` written into the tensor itself. The angle whose sine is input; NaN ..."""

    def arcsinh(self, *, out: Tensor | None = None) -> Tensor:
        """The inverse of sinh."""

    def arcsinh_(self) -> Tensor:
        """`asinh` written into the tensor itself. The inverse of sinh."""

    def arctan(self, *, out: Tensor | None = None) -> Tensor:
        """The angle in (-pi/2, pi/2) whose tangent is input."""

    def arctan2(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """The angle of the point (other, input), in (-pi, pi]."""

    def arctan2_(self, other: Tensor | complex) -> Tensor:
        """`atan2` written into the tensor itself. The angle of the point (other, input), ..."""

    def arctan_(self) -> Tensor:
        """`atan` written into the tensor itself. The angle in (-pi/2, pi/2) whose tangent ..."""

    def arctanh(self, *, out: Tensor | None = None) -> Tensor:
        """The inverse of tanh; NaN outside [-1, 1]."""

    def arctanh_(self) -> Tensor:
        """`atanh` written into the tensor itself. The inverse of tanh; NaN outside [-1, 1]."""

    def argmax(
        self,
        dim: Any = None,
        keepdim: builtins.bool = False,
        *,
        out: Tensor | None = None,
    ) -> Tensor:
        """The index of the largest element along `dim`, or of all; the first of equal ones."""

    def argmin(
        self,
        dim: Any = None,
        keepdim: builtins.bool = False,
        *,
        out: Tensor | None = None,
    ) -> Tensor:
        """The index of the smallest element along `dim`, or of all; the first of equal ones."""

    def argsort(
        self,
        dim: builtins.int = -1,
        descending: builtins.bool = False,
        *,
        stable: builtins.bool = False,
        axis: builtins.int | None = None,
    ) -> Tensor:
        """The indices that put the tensor in order along `dim`."""

    def argwhere(self) -> Tensor:
        """The index of each nonzero element, a row each."""

    def as_strided(
        self,
        size: Any,
        stride: Any,
        storage_offset: builtins.int | None = None,
    ) -> Tensor:
        """A view of the storage with the given sizes, strides and offset (in elements)."""

    def as_strided_(self, *args: Any, **kwargs: Any) -> Tensor:
        """`as_strided`, in place: the tensor takes the view's geometry."""

    def as_strided_scatter(
        self,
        src: Tensor,
        size: Any,
        stride: Any,
        storage_offset: builtins.int | None = None,
        *,
        out: Any = None,
    ) -> Tensor:
        """A copy of the input's geometry with `src` in a strided view of it."""

    def as_subclass(self, cls: Any) -> Any:
        """The same tensor as an instance of a subclass."""

    def asin(self, *, out: Tensor | None = None) -> Tensor:
        """The angle whose sine is input; NaN outside [-1, 1]."""

    def asin_(self) -> Tensor:
        """`asin` written into the tensor itself. The angle whose sine is input; NaN ..."""

    def asinh(self, *, out: Tensor | None = None) -> Tensor:
        """The inverse of sinh."""

    def asinh_(self) -> Tensor:
        """`asinh` written into the tensor itself. The inverse of sinh."""

    def atan(self, *, out: Tensor | None = None) -> Tensor:
        """The angle in (-pi/2, pi/2) whose tangent is input."""

    def atan2(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """The angle of the point (other, input), in (-pi, pi]."""

    def atan2_(self, other: Tensor | complex) -> Tensor:
        """`atan2` written into the tensor itself. The angle of the point (other, input), ..."""

    def atan_(self) -> Tensor:
        """`atan` written into the tensor itself. The angle in (-pi/2, pi/2) whose tangent ..."""

    def atanh(self, *, out: Tensor | None = None) -> Tensor:
        """The inverse of tanh; NaN outside [-1, 1]."""

    def atanh_(self) -> Tensor:
        """`atanh` written into the tensor itself. The inverse of tanh; NaN outside [-1, 1]."""

    def atleast_1d(self, *tensors: Any) -> Any:
        """Each tensor with at least 1 dimension."""

    def atleast_2d(self, *tensors: Any) -> Any:
        """Each tensor with at least 2 dimensions; new ones in front."""

    def atleast_3d(self, *tensors: Any) -> Any:
        """Each tensor with at least 3 dimensions:"""

    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: builtins.bool | None = None,
        create_graph: builtins.bool = False,
        inputs: Sequence[Tensor] | Tensor | None = None,
        **legacy: Any,
    ) -> None:
        """Compute the gradients of this tensor and add them to the leaves' `.grad`."""

    def baddbmm(
        self,
        batch1: Tensor,
        batch2: Tensor,
        *,
        beta: Any = 1,
        alpha: Any = 1,
        out: Tensor | None = None,
    ) -> Tensor:
        """``beta * input[i] + alpha * (batch1[i] @ batch2[i])`` for every i."""

    def baddbmm_(self, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
        """`baddbmm` written into the tensor itself. ``beta * input[i] + alpha * (batch1[i] ..."""

    def bernoulli(
        self,
        p: Any = None,
        *,
        generator: Any = None,
        out: Tensor | None = None,
    ) -> Tensor:
        """Ones and zeros: one with the probability that stands in ``input`` (or ``p`` ..."""

    def bernoulli_(self, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
        """Fills the tensor with ones of probability ``p`` and zeros."""

    def bfloat16(self, memory_format: Any = ...) -> Tensor:
        """The tensor as bfloat16."""

    def bincount(
        self,
        weights: Tensor | None = None,
        minlength: builtins.int = 0,
        *,
        out: Tensor | None = None,
    ) -> Tensor:
        """How often each number 0, 1, 2, ... stands in a vector, or the sum of its `weights`."""

    def bitwise_and(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """``input & other``, bit by bit; logical for bool."""

    def bitwise_and_(self, other: Tensor | complex) -> Tensor:
        """`bitwise_and` written into the tensor itself. ``input & other``, bit by bit; ..."""

    def bitwise_left_shift(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """``input << other``; 0 where `other` is negative or as large as the width."""

    def bitwise_left_shift_(self, other: Tensor | complex) -> Tensor:
        """`bitwise_left_shift` written into the tensor itself. ``input << other``; 0 where ..."""

    def bitwise_not(self, *, out: Tensor | None = None) -> Tensor:
        """``~input``: every bit turned; logical for bool."""

    def bitwise_not_(self) -> Tensor:
        """`bitwise_not` written into the tensor itself. ``~input``: every bit turned; ..."""

    def bitwise_or(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """``input | other``, bit by bit; logical for bool."""

    def bitwise_or_(self, other: Tensor | complex) -> Tensor:
        """`bitwise_or` written into the tensor itself. ``input | other``, bit by bit; ..."""

    def bitwise_right_shift(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """``input >> other`` with the sign kept; all sign where `other` is negative or as ..."""

    def bitwise_right_shift_(self, other: Tensor | complex) -> Tensor:
        """`bitwise_right_shift` written into the tensor itself."""

    def bitwise_xor(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """``input ^ other``, bit by bit; logical for bool."""

    def bitwise_xor_(self, other: Tensor | complex) -> Tensor:
        """`bitwise_xor` written into the tensor itself. ``input ^ other``, bit by bit; ..."""

    def bmm(self, mat2: Tensor, *, out: Tensor | None = None) -> Tensor:
        """``input[i] @ mat2[i]`` for every i."""

    def bool(self, memory_format: Any = ...) -> Tensor:
        """The tensor as bool."""

    def broadcast_to(self, size: Any, *sizes: builtins.int) -> Tensor:
        """The view broadcast to `size`, which may also be given as separate numbers."""

    def byte(self, memory_format: Any = ...) -> Tensor:
        """The tensor as uint8."""

    def cauchy_(
        self,
        median: builtins.float = 0,
        sigma: builtins.float = 1,
        *,
        generator: Generator | None = None,
    ) -> Tensor:
        """Fills the tensor with Cauchy numbers around ``median`` with scale ``sigma``."""

    def ccol_indices(self) -> Tensor:
        """Where each column begins, of a tensor compressed by columns. See ..."""

    def cdouble(self, memory_format: Any = ...) -> Tensor:
        """The tensor as complex128."""

    def ceil(self, *, out: Tensor | None = None) -> Tensor:
        """The smallest whole number not below input."""

    def ceil_(self) -> Tensor:
        """`ceil` written into the tensor itself. The smallest whole number not below input."""

    def cfloat(self, memory_format: Any = ...) -> Tensor:
        """The tensor as complex64."""

    def chalf(self, memory_format: Any = ...) -> Tensor:
        """The tensor as complex32."""

    def char(self, memory_format: Any = ...) -> Tensor:
        """The tensor as int8."""

    def cholesky(self, upper: builtins.bool = False, *, out: Any = None) -> Tensor:
        """`torch.linalg.cholesky`."""

    def cholesky_inverse(
        self,
        upper: builtins.bool = False,
        *,
        out: Tensor | None = None,
    ) -> Tensor:
        """The inverse of A from its Cholesky factor."""

    def cholesky_solve(
        self,
        L: Tensor,
        upper: builtins.bool = False,
        *,
        out: Tensor | None = None,
    ) -> Tensor:
        """X of ``A @ X = input`` from A's Cholesky factor."""

    def chunk(
        self,
        chunks: builtins.int,
        dim: builtins.int = 0,
        *,
        axis: builtins.int | None = None,
    ) -> tuple[Tensor, ...]:
        """At most `chunks` views of equal size along `dim` (the last may be smaller)."""

    def clamp(self, min: Any = None, max: Any = None, *, out: Tensor | None = None) -> Tensor:
        """``min(max(input, min), max)``, elementwise; the bounds are numbers or tensors, ..."""

    def clamp_(self, min: Any = None, max: Any = None) -> Tensor:
        """`clamp` in place."""

    def clamp_max(self, max: Any, *, out: Tensor | None = None) -> Tensor:
        """``min(input, max)``; the gradient passes at the bound."""

    def clamp_max_(self, max: Any) -> Tensor:
        """`clamp_max` in place."""

    def clamp_min(self, min: Any, *, out: Tensor | None = None) -> Tensor:
        """``max(input, min)``; the gradient passes at the bound."""

    def clamp_min_(self, min: Any) -> Tensor:
        """`clamp_min` in place."""

    def clip(self, min: Any = None, max: Any = None, *, out: Tensor | None = None) -> Tensor:
        """``min(max(input, min), max)``, elementwise; the bounds are numbers or tensors, ..."""

    def clip_(self, min: Any = None, max: Any = None) -> Tensor:
        """`clamp` in place."""

    def clone(self, *, memory_format: Any = ...) -> Tensor:
        """A copy with memory of its own that stays in the graph."""

    def coalesce(self) -> Tensor:
        """A COO tensor with every place once, in order. See `flambeau.sparse.access.coalesce`."""

    def col_indices(self) -> Tensor:
        """The column of each value, of a tensor compressed by rows. See ..."""

    def conj(self) -> Tensor:
        """The complex conjugate; a real tensor itself."""

    def conj_physical(self, *, out: Tensor | None = None) -> Tensor:
        """The complex conjugate, computed at once; a real tensor itself."""

    def conj_physical_(self) -> Tensor:
        """The complex conjugate in place."""

    def const_data_ptr(self) -> builtins.int:
        """The address of the first element."""

    def constant_pad_nd(self, pad: Ints, value: Any = 0, *, out: Tensor | None = None) -> Tensor:
        """``input`` with ``value`` around it:"""

    def contiguous(self, memory_format: Any = ...) -> Tensor:
        """The tensor itself if its elements lie in order, else a copy in which they do."""

    def copy_(self, other: Tensor, non_blocking: builtins.bool = False) -> Tensor:
        """Write the values of `other`, broadcast and converted, into this tensor."""

    def copysign(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """The magnitude of `input` with the sign of `other`; the sign of -0 counts."""

    def copysign_(self, other: Tensor | complex) -> Tensor:
        """`copysign` written into the tensor itself. The magnitude of `input` with the ..."""

    def corrcoef(self) -> Tensor:
        """The correlation coefficients of the rows: the covariance, scaled to a diagonal of 1."""

    def cos(self, *, out: Tensor | None = None) -> Tensor:
        """The cosine of an angle in radians."""

    def cos_(self) -> Tensor:
        """`cos` written into the tensor itself. The cosine of an angle in radians."""

    def cosh(self, *, out: Tensor | None = None) -> Tensor:
        """The hyperbolic cosine."""

    def cosh_(self) -> Tensor:
        """`cosh` written into the tensor itself. The hyperbolic cosine."""

    def count_nonzero(self, dim: Any = None, *, out: Tensor | None = None) -> Tensor:
        """How many elements are not zero."""

    def cov(
        self,
        *,
        correction: builtins.int = 1,
        fweights: Tensor | None = None,
        aweights: Tensor | None = None,
    ) -> Tensor:
        """The covariance matrix of the rows of `input`; its columns are observations."""

    def cpu(self, memory_format: Any = None) -> Tensor:
        """The tensor on the cpu: itself."""

    def cross(self, other: Tensor, dim: builtins.int | None = None, *, out: Any = None) -> Tensor:
        """The vector product along `dim`; by default the first dimension of size 3."""

    def crow_indices(self) -> Tensor:
        """Where each row begins, of a tensor compressed by rows. See ..."""

    def cuda(
        self,
        device: Any = None,
        non_blocking: builtins.bool = False,
        memory_format: Any = None,
    ) -> Tensor:
        """As in a CPU build of PyTorch."""

    def cummax(self, dim: builtins.int, *, out: Any = None) -> Any:
        """The running maximum along `dim` and where it was met last."""

    def cummin(self, dim: builtins.int, *, out: Any = None) -> Any:
        """The running minimum along `dim` and where it was met last."""

    def cumprod(self, dim: builtins.int, *, dtype: Any = None, out: Tensor | None = None) -> Tensor:
        """The running product along `dim`. Integers are multiplied in int64."""

    def cumprod_(self, dim: builtins.int, *, dtype: Any = None) -> Tensor:
        """`cumprod` written into the tensor itself. The running product along `dim`. ..."""

    def cumsum(self, dim: builtins.int, *, dtype: Any = None, out: Tensor | None = None) -> Tensor:
        """The running sum along `dim`: ``input[0] + ... + input[i]``. Integers are summed ..."""

    def cumsum_(self, dim: builtins.int, *, dtype: Any = None) -> Tensor:
        """`cumsum` written into the tensor itself. The running sum along `dim`: ``input[0] ..."""

    @property
    def data(self) -> Tensor:
        """The same memory without history; writes through it are not seen by autograd's ..."""

    @data.setter
    def data(self, value: Any) -> None: ...
    def data_ptr(self) -> builtins.int:
        """The address of the first element; 0 for an empty or meta tensor."""

    def deg2rad(self, *, out: Tensor | None = None) -> Tensor:
        """Degrees to radians."""

    def deg2rad_(self) -> Tensor:
        """`deg2rad` written into the tensor itself. Degrees to radians."""

    def dense_dim(self) -> builtins.int:
        """How many dimensions each value has of its own. See ..."""

    def dequantize(self) -> Tensor:
        """The numbers as float32; those of a quantised tensor are its own method's."""

    def det(self) -> Tensor:
        """`torch.linalg.det`."""

    def detach(self) -> Tensor:
        """The same memory outside the graph; shares the version, so writes are noticed."""

    def detach_(self) -> Tensor:
        """Take this tensor out of the graph, in place."""

    def detach_copy(self) -> Tensor:
        """A detached copy."""

    @property
    def device(self) -> _device:
        """Where the elements lie: cpu or meta."""

    def diag(self, diagonal: builtins.int = 0, *, out: Tensor | None = None) -> Tensor:
        """The square matrix with a vector on a diagonal, or a copy of a matrix's diagonal."""

    def diag_embed(
        self,
        offset: builtins.int = 0,
        dim1: builtins.int = -2,
        dim2: builtins.int = -1,
    ) -> Tensor:
        """Matrices (in `dim1`, `dim2`) with the last dimension on the diagonal `offset`, ..."""

    def diagflat(self, offset: builtins.int = 0) -> Tensor:
        """The square matrix with the flattened tensor on a diagonal."""

    def diagonal(
        self,
        offset: builtins.int = 0,
        dim1: builtins.int = 0,
        dim2: builtins.int = 1,
        *,
        out: Tensor | None = None,
    ) -> Tensor:
        """The view of a diagonal of two dimensions; it becomes the last dimension."""

    def diagonal_scatter(
        self,
        src: Tensor,
        offset: builtins.int = 0,
        dim1: builtins.int = 0,
        dim2: builtins.int = 1,
        *,
        out: Any = None,
    ) -> Tensor:
        """A copy of the input with `src` on a diagonal."""

    def diff(
        self,
        n: builtins.int = 1,
        dim: builtins.int = -1,
        prepend: Tensor | None = None,
        append: Tensor | None = None,
        *,
        out: Any = None,
    ) -> Tensor:
        """The `n`-th differences of neighbours along `dim`; of bools, whether they differ."""

    def digamma(self, *, out: Tensor | None = None) -> Tensor:
        """The derivative of lgamma."""

    def digamma_(self) -> Tensor:
        """`digamma` written into the tensor itself. The derivative of lgamma."""

    def dim(self) -> builtins.int:
        """Number of dimensions."""

    def dim_order(self, ambiguity_check: Any = False) -> tuple[builtins.int, ...]:
        """The dimensions from the slowest to the fastest."""

    def dist(self, other: Tensor, p: builtins.float = 2) -> Tensor:
        """The `p`-norm of ``input - other``."""

    def div(self, other: Any, *, rounding_mode: str | None = None, out: Any = None) -> Tensor:
        """``input / other``; `rounding_mode` "trunc" rounds to zero, "floor" down."""

    def div_(self, other: Any, *, rounding_mode: str | None = None) -> Tensor:
        """``input /= other``, in place."""

    def divide(self, other: Any, *, rounding_mode: str | None = None, out: Any = None) -> Tensor:
        """``input / other``; `rounding_mode` "trunc" rounds to zero, "floor" down."""

    def divide_(self, other: Any, *, rounding_mode: str | None = None) -> Tensor:
        """``input /= other``, in place."""

    def dot(self, tensor: Tensor, *, out: Tensor | None = None) -> Tensor:
        """``sum(input * tensor)`` of two vectors of one length and dtype."""

    def double(self, memory_format: Any = ...) -> Tensor:
        """The tensor as float64."""

    def dsplit(
        self,
        indices_or_sections: Any = None,
        *,
        sections: Any = None,
        indices: Any = None,
    ) -> tuple[Tensor, ...]:
        """`tensor_split` along the depth (dimension 2); a number of sections must divide it."""

    @property
    def dtype(self) -> dtypes.dtype:
        """The element type."""

    def eig(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Removed: use torch.linalg.eig, whose results are complex."""

    def element_size(self) -> builtins.int:
        """Bytes of one element."""

    def eq(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """``input == other``, elementwise."""

    def eq_(self, other: Tensor | complex) -> Tensor:
        """`eq` written into the tensor itself. ``input == other``, elementwise."""

    def equal(self, other: Tensor) -> builtins.bool:
        """Whether shapes and all elements are equal. NaN equals nothing."""

    def erf(self, *, out: Tensor | None = None) -> Tensor:
        """The error function, ``2 / sqrt(pi)`` times the integral of ``exp(-t^2)`` from 0 ..."""

    def erf_(self) -> Tensor:
        """`erf` written into the tensor itself. The error function, ``2 / sqrt(pi)`` times ..."""

    def erfc(self, *, out: Tensor | None = None) -> Tensor:
        """``1 - erf(input)``, accurate in the tail."""

    def erfc_(self) -> Tensor:
        """`erfc` written into the tensor itself. ``1 - erf(input)``, accurate in the tail."""

    def erfinv(self, *, out: Tensor | None = None) -> Tensor:
        """The inverse of erf on (-1, 1)."""

    def erfinv_(self) -> Tensor:
        """`erfinv` written into the tensor itself. The inverse of erf on (-1, 1)."""

    def exp(self, *, out: Tensor | None = None) -> Tensor:
        """``e ** input``."""

    def exp2(self, *, out: Tensor | None = None) -> Tensor:
        """``2 ** input``."""

    def exp2_(self) -> Tensor:
        """`exp2` written into the tensor itself. ``2 ** input``."""

    def exp_(self) -> Tensor:
        """`exp` written into the tensor itself. ``e ** input``."""

    def expand(self, *sizes: Any, size: Any = None, implicit: builtins.bool = False) -> Tensor:
        """The view in which dimensions of size 1 repeat to `sizes`; -1 keeps a size."""

    def expand_as(self, other: Tensor, *sizes: Any) -> Tensor:
        """The view expanded to `other`'s size."""

    def expm1(self, *, out: Tensor | None = None) -> Tensor:
        """``e ** input - 1``, exact for small input."""

    def expm1_(self) -> Tensor:
        """`expm1` written into the tensor itself. ``e ** input - 1``, exact for small input."""

    def exponential_(
        self,
        lambd: builtins.float = 1,
        *,
        generator: Generator | None = None,
    ) -> Tensor:
        """Fills the tensor with exponential numbers of rate ``lambd``: density ``lambd ..."""

    def fill_(self, value: Any) -> Tensor:
        """Set every element to `value` (a number or a 0-d tensor), in place."""

    def fill_diagonal_(self, fill_value: Any, wrap: builtins.bool = False) -> Tensor:
        """Set the main diagonal to a number, in place; `wrap` starts it anew below a tall ..."""

    def fix(self, *, out: Tensor | None = None) -> Tensor:
        """The whole number next to input towards 0."""

    def fix_(self) -> Tensor:
        """`trunc` written into the tensor itself. The whole number next to input towards 0."""

    def flatten(self, start_dim: builtins.int = 0, end_dim: builtins.int = -1) -> Tensor:
        """Dimensions `start_dim` to `end_dim` laid into one."""

    def flip(self, *order: Any, dims: Any = None) -> Tensor:
        """A copy with the order of elements along `dims` reversed."""

    def fliplr(self) -> Tensor:
        """`flip` of dimension 1. Raises RuntimeError for fewer than 2 dimensions."""

    def flipud(self) -> Tensor:
        """`flip` of dimension 0. Raises RuntimeError for a 0-d tensor."""

    def float(self, memory_format: Any = ...) -> Tensor:
        """The tensor as float32."""

    def float_power(self, exponent: Any, *, out: Tensor | None = None) -> Tensor:
        """``input ** exponent`` in float64 (complex128 where either is complex)."""

    def float_power_(self, exponent: Any) -> Tensor:
        """`float_power` in place; the tensor must be float64 or complex128 already."""

    def floor(self, *, out: Tensor | None = None) -> Tensor:
        """The largest whole number not above input."""

    def floor_(self) -> Tensor:
        """`floor` written into the tensor itself. The largest whole number not above input."""

    def floor_divide(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """``floor(input / other)``. Raises RuntimeError for integers divided by zero."""

    def floor_divide_(self, other: Tensor | complex) -> Tensor:
        """`floor_divide` written into the tensor itself. ``floor(input / other)``. Raises ..."""

    def fmax(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """The larger of two; a NaN loses against a number."""

    def fmin(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """The smaller of two; a NaN loses against a number."""

    def fmod(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """``input - trunc(input / other) * other``: C's fmod, with the sign of `input`."""

    def fmod_(self, other: Tensor | complex) -> Tensor:
        """`fmod` written into the tensor itself. ``input - trunc(input / other) * other``: ..."""

    def frac(self, *, out: Tensor | None = None) -> Tensor:
        """``input - trunc(input)``: what follows the point, with input's sign."""

    def frac_(self) -> Tensor:
        """`frac` written into the tensor itself. ``input - trunc(input)``: what follows ..."""

    def frexp(self, *, out: Any = None) -> Any:
        """The mantissa in [0.5, 1) and the integer exponent with ``input = mantissa * 2 ** ..."""

    def gather(
        self,
        dim: builtins.int,
        index: Tensor,
        *,
        sparse_grad: builtins.bool = False,
        out: Tensor | None = None,
    ) -> Tensor:
        """Elements along `dim` picked by `index`: ``out[i][j] = input[index[i][j]][j]`` ..."""

    def gcd(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """The greatest common divisor, never negative; gcd(0, 0) = 0."""

    def gcd_(self, other: Tensor | complex) -> Tensor:
        """`gcd` written into the tensor itself. The greatest common divisor, never ..."""

    def ge(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """``input >= other``, elementwise."""

    def ge_(self, other: Tensor | complex) -> Tensor:
        """`ge` written into the tensor itself. ``input >= other``, elementwise."""

    def geometric_(self, p: builtins.float, *, generator: Generator | None = None) -> Tensor:
        """Fills the tensor with the number of trials of probability ``p`` up to the first ..."""

    def geqrf(self, *, out: Any = None) -> Any:
        """LAPACK's QR: R above the diagonal, the reflectors below, and their factors tau."""

    def ger(self, vec2: Tensor, *, out: Any = None) -> Tensor:
        """``input[:, None] * vec2`` of two vectors."""

    def get_device(self) -> builtins.int:
        """-1: not on an accelerator."""

    @property
    def grad(self) -> Tensor | None:
        """The gradient collected by `backward()`:"""

    @grad.setter
    def grad(self, value: Any) -> None: ...
    @property
    def grad_dtype(self) -> Any:
        """The dtype that a leaf's gradient is cast to:"""

    @grad_dtype.setter
    def grad_dtype(self, value: Any) -> None: ...
    @property
    def grad_fn(self) -> Node | None:
        """The node that computed this tensor; None for leaves."""

    def greater(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """``input > other``, elementwise."""

    def greater_(self, other: Tensor | complex) -> Tensor:
        """`gt` written into the tensor itself. ``input > other``, elementwise."""

    def greater_equal(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """``input >= other``, elementwise."""

    def greater_equal_(self, other: Tensor | complex) -> Tensor:
        """`ge` written into the tensor itself. ``input >= other``, elementwise."""

    def gt(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """``input > other``, elementwise."""

    def gt_(self, other: Tensor | complex) -> Tensor:
        """`gt` written into the tensor itself. ``input > other``, elementwise."""

    def half(self, memory_format: Any = ...) -> Tensor:
        """The tensor as float16."""

    def hardshrink(self, lambd: builtins.float = 0.5, *, out: Tensor | None = None) -> Tensor:
        """``input`` where ``|input| > lambd``, else 0."""

    def hardsigmoid_(self) -> Tensor:
        """`hardsigmoid` written into the tensor itself. ``min(max(input + 3, 0), 6) / 6``."""

    def hardswish_(self) -> Tensor:
        """`hardswish` written into the tensor itself. ``input * min(max(input + 3, 0), 6) ..."""

    def hardtanh_(self, min_val: builtins.float = -1.0, max_val: builtins.float = 1.0) -> Tensor:
        """`hardtanh` written into the tensor itself. ``min(max(input, min_val), max_val)``."""

    def hash_tensor(
        self,
        dim: Any = None,
        *,
        keepdim: builtins.bool = False,
        mode: builtins.int = 0,
        out: Any = None,
    ) -> Tensor:
        """A checksum: the elements' 64-bit patterns (float64 or int64), joined by ..."""

    def heaviside(self, values: Tensor, *, out: Tensor | None = None) -> Tensor:
        """0 where input is below 0, 1 where above, `values` where it is 0."""

    def heaviside_(self, values: Tensor) -> Tensor:
        """`heaviside` in place."""

    def histc(
        self,
        bins: builtins.int = 100,
        min: Any = 0,
        max: Any = 0,
        *,
        out: Tensor | None = None,
    ) -> Tensor:
        """How many elements fall into each of `bins` equal bins from `min` to `max`."""

    def histogram(
        self,
        bins: Any = 100,
        *,
        range: Any = None,
        weight: Tensor | None = None,
        density: builtins.bool = False,
        out: Any = None,
    ) -> Any:
        """Counts in bins, and the bins' edges."""

    def hsplit(
        self,
        indices_or_sections: Any = None,
        *,
        sections: Any = None,
        indices: Any = None,
    ) -> tuple[Tensor, ...]:
        """`tensor_split` along the columns (dimension 1; 0 for vectors); a number of ..."""

    def hspmm(self, mat2: Tensor) -> Tensor:
        """Loads the sparse room. See `flambeau.sparse.products.hspmm`."""

    def hypot(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """``sqrt(input ** 2 + other ** 2)`` without overflow in between."""

    def hypot_(self, other: Tensor | complex) -> Tensor:
        """`hypot` written into the tensor itself. ``sqrt(input ** 2 + other ** 2)`` ..."""

    def i0(self, *, out: Tensor | None = None) -> Tensor:
        """The modified Bessel function of the first kind and order 0."""

    def i0_(self) -> Tensor:
        """`i0` written into the tensor itself. The modified Bessel function of the first ..."""

    def igamma(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """The regularised lower incomplete gamma function P(input, other)."""

    def igamma_(self, other: Tensor | complex) -> Tensor:
        """`igamma` written into the tensor itself. The regularised lower incomplete gamma ..."""

    def igammac(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """The regularised upper incomplete gamma function ``1 - igamma(input, other)``."""

    def igammac_(self, other: Tensor | complex) -> Tensor:
        """`igammac` written into the tensor itself. The regularised upper incomplete gamma ..."""

    @property
    def imag(self) -> Tensor:
        """The imaginary part, a view."""

    @imag.setter
    def imag(self, value: Any) -> None: ...
    def index_add(
        self,
        dim: builtins.int,
        index: Tensor,
        source: Tensor,
        *,
        alpha: Any = 1,
        out: Tensor | None = None,
    ) -> Tensor:
        """The input with ``alpha * source`` added to the slices of `dim` that `index` ..."""

    def index_add_(
        self,
        dim: builtins.int,
        index: Tensor,
        source: Tensor,
        *,
        alpha: Any = 1,
    ) -> Tensor:
        """`index_add` written into the tensor itself."""

    def index_copy(
        self,
        dim: builtins.int,
        index: Tensor,
        source: Tensor,
        *,
        out: Tensor | None = None,
    ) -> Tensor:
        """The input with the slices of `dim` that `index` names replaced by those of `source`."""

    def index_copy_(self, dim: builtins.int, index: Tensor, source: Tensor) -> Tensor:
        """`index_copy` written into the tensor itself. The input with the slices of `dim` ..."""

    def index_fill(self, dim: builtins.int, index: Tensor, value: Any) -> Tensor:
        """The input with `value` (a number or a 0-d tensor) in the slices of `dim` that ..."""

    def index_fill_(self, dim: builtins.int, index: Tensor, value: Any) -> Tensor:
        """`index_fill`, in place; elements that share memory get the value together."""

    def index_put(self, indices: Any, values: Tensor, accumulate: builtins.bool = False) -> Tensor:
        """The tensor with `values` written where the indices point (summed there, with ..."""

    def index_put_(self, indices: Any, values: Tensor, accumulate: builtins.bool = False) -> Tensor:
        """`index_put` written into the tensor itself."""

    def index_reduce(
        self,
        dim: builtins.int,
        index: Tensor,
        source: Tensor,
        reduce: str,
        *,
        include_self: builtins.bool = True,
        out: Any = None,
    ) -> Tensor:
        """The input with the slices of `source` combined into those of `dim` that `index` ..."""

    def index_reduce_(
        self,
        dim: builtins.int,
        index: Tensor,
        source: Tensor,
        reduce: str,
        *,
        include_self: builtins.bool = True,
    ) -> Tensor:
        """`index_reduce`, in place."""

    def index_select(
        self,
        dim: builtins.int,
        index: Tensor,
        *,
        out: Tensor | None = None,
    ) -> Tensor:
        """A copy of the slices of `dim` that the vector `index` names."""

    def indices(self) -> Tensor:
        """The coordinates of a coalesced COO tensor. See `flambeau.sparse.access.indices`."""

    def inner(self, other: Tensor, *, out: Any = None) -> Tensor:
        """The sum of products over the last dimension of both; with a 0-d factor the ..."""

    def int(self, memory_format: Any = ...) -> Tensor:
        """The tensor as int32."""

    def int_repr(self) -> Any:
        """The integers of a quantised tensor."""

    def inverse(self, *, out: Any = None) -> Tensor:
        """`torch.linalg.inv`."""

    def ipu(self, *args: Any, **kwargs: Any) -> NoReturn:
        """The tensor on an IPU: there is none."""

    def is_coalesced(self) -> builtins.bool:
        """Whether every place of a COO tensor is named once and in order. See ..."""

    def is_complex(self) -> builtins.bool:
        """Whether the dtype is complex."""

    def is_conj(self) -> builtins.bool:
        """False: conjugation is computed at once."""

    def is_contiguous(self, memory_format: Any = ...) -> builtins.bool:
        """Whether the elements lie in order without gaps."""

    @property
    def is_cpu(self) -> Any: ...
    @property
    def is_cuda(self) -> Any: ...
    def is_distributed(self) -> builtins.bool:
        """False."""

    def is_floating_point(self) -> builtins.bool:
        """Whether the dtype is a floating-point one."""

    def is_inference(self) -> builtins.bool:
        """Whether the tensor was made under `inference_mode`."""

    @property
    def is_ipu(self) -> Any: ...
    @property
    def is_leaf(self) -> builtins.bool:
        """Whether the tensor stands at the beginning of the graph:"""

    @property
    def is_maia(self) -> Any: ...
    @property
    def is_meta(self) -> Any: ...
    @property
    def is_mkldnn(self) -> Any: ...
    @property
    def is_mps(self) -> Any: ...
    @property
    def is_mtia(self) -> Any: ...
    def is_neg(self) -> builtins.bool:
        """False: negation is computed at once."""

    @property
    def is_nested(self) -> Any: ...
    def is_nonzero(self) -> builtins.bool:
        """Whether a one-element tensor is not 0."""

    def is_pinned(self, device: Any = None) -> builtins.bool:
        """Whether the memory is page-locked for an accelerator: there is none."""

    @property
    def is_quantized(self) -> Any: ...
    def is_same_size(self, other: Tensor) -> builtins.bool:
        """Whether the sizes are equal."""

    def is_set_to(self, tensor: Tensor) -> builtins.bool:
        """Whether both are the same view of the same storage."""

    def is_shared(self) -> builtins.bool:
        """Whether the storage is in memory that processes share."""

    def is_signed(self) -> builtins.bool:
        """Whether the dtype can hold negative numbers."""

    @property
    def is_sparse(self) -> Any: ...
    @property
    def is_sparse_csr(self) -> Any: ...
    @property
    def is_vulkan(self) -> Any: ...
    @property
    def is_xla(self) -> Any: ...
    @property
    def is_xpu(self) -> Any: ...
    def isclose(
        self,
        other: Tensor,
        rtol: builtins.float = 1e-05,
        atol: builtins.float = 1e-08,
        equal_nan: builtins.bool = False,
    ) -> Tensor:
        """``|input - other| <= atol + rtol * |other|``, elementwise; infinities only equal ..."""

    def isfinite(self, *, out: Tensor | None = None) -> Tensor:
        """Whether it is neither infinite nor NaN."""

    def isinf(self, *, out: Tensor | None = None) -> Tensor:
        """Whether it is infinite (either part, for complex)."""

    def isnan(self, *, out: Tensor | None = None) -> Tensor:
        """Whether it is NaN (either part, for complex)."""

    def isneginf(self, *, out: Tensor | None = None) -> Tensor:
        """Whether it is negative infinity."""

    def isposinf(self, *, out: Tensor | None = None) -> Tensor:
        """Whether it is positive infinity."""

    def isreal(self, *, out: Tensor | None = None) -> Tensor:
        """Whether the imaginary part is 0."""

    def istft(
        self,
        n_fft: builtins.int,
        hop_length: builtins.int | None = None,
        win_length: builtins.int | None = None,
        window: Tensor | None = None,
        center: builtins.bool = True,
        normalized: builtins.bool = False,
        onesided: builtins.bool | None = None,
        length: builtins.int | None = None,
        return_complex: builtins.bool = False,
    ) -> Tensor:
        """The signal whose short-time transform is nearest to `input`:"""

    def item(self) -> Any:
        """The value of a one-element tensor as a Python number."""

    @property
    def itemsize(self) -> builtins.int:
        """Bytes of one element."""

    def kron(self, other: Tensor, *, out: Any = None) -> Tensor:
        """The Kronecker product: every element of `input` times the whole of `other`."""

    def kthvalue(
        self,
        k: builtins.int,
        dim: builtins.int = -1,
        keepdim: builtins.bool = False,
        *,
        out: Any = None,
    ) -> Any:
        """The `k`-th smallest element (counted from 1) along `dim`, and where it is."""

    @property
    def layout(self) -> Any:
        """strided, or one of the sparse layouts."""

    def lcm(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """The least common multiple, never negative; 0 where either is 0."""

    def lcm_(self, other: Tensor | complex) -> Tensor:
        """`lcm` written into the tensor itself. The least common multiple, never negative; ..."""

    def ldexp(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """``input * 2 ** other``."""

    def ldexp_(self, other: Tensor | complex) -> Tensor:
        """`ldexp` written into the tensor itself. ``input * 2 ** other``."""

    def le(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """``input <= other``, elementwise."""

    def le_(self, other: Tensor | complex) -> Tensor:
        """`le` written into the tensor itself. ``input <= other``, elementwise."""

    def leaky_relu_(self, negative_slope: builtins.float = 0.01) -> Tensor:
        """`leaky_relu` written into the tensor itself. ``input`` where positive, else ..."""

    def lerp(self, end: Tensor, weight: Any, *, out: Tensor | None = None) -> Tensor:
        """``input + weight * (end - input)``: the way from `input` to `end`."""

    def lerp_(self, end: Tensor, weight: Any) -> Tensor:
        """`lerp` in place."""

    def less(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """``input < other``, elementwise."""

    def less_(self, other: Tensor | complex) -> Tensor:
        """`lt` written into the tensor itself. ``input < other``, elementwise."""

    def less_equal(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """``input <= other``, elementwise."""

    def less_equal_(self, other: Tensor | complex) -> Tensor:
        """`le` written into the tensor itself. ``input <= other``, elementwise."""

    def lgamma(self, *, out: Tensor | None = None) -> Tensor:
        """``log |gamma(input)|``."""

    def lgamma_(self) -> Tensor:
        """`lgamma` written into the tensor itself. ``log |gamma(input)|``."""

    def linalg_matrix_power(self, n: builtins.int, *, out: Any = None) -> Tensor:
        """The n-th power of a square matrix by repeated squaring; of its inverse where n ..."""

    def log(self, *, out: Tensor | None = None) -> Tensor:
        """The natural logarithm; -inf at 0, NaN below."""

    def log10(self, *, out: Tensor | None = None) -> Tensor:
        """The logarithm to base 10."""

    def log10_(self) -> Tensor:
        """`log10` written into the tensor itself. The logarithm to base 10."""

    def log1p(self, *, out: Tensor | None = None) -> Tensor:
        """``log(1 + input)``, exact for small input."""

    def log1p_(self) -> Tensor:
        """`log1p` written into the tensor itself. ``log(1 + input)``, exact for small input."""

    def log2(self, *, out: Tensor | None = None) -> Tensor:
        """The logarithm to base 2."""

    def log2_(self) -> Tensor:
        """`log2` written into the tensor itself. The logarithm to base 2."""

    def log_(self) -> Tensor:
        """`log` written into the tensor itself. The natural logarithm; -inf at 0, NaN below."""

    def log_normal_(
        self,
        mean: builtins.float = 1,
        std: builtins.float = 2,
        *,
        generator: Generator | None = None,
    ) -> Tensor:
        """Fills the tensor with ``exp`` of normal numbers of ``mean`` and ``std``."""

    def log_softmax(
        self,
        dim: Any = None,
        dtype: Any = None,
        *,
        out: Any = None,
        axis: Any = None,
    ) -> Tensor:
        """``input - log(sum(exp(input)))`` along `dim`; `dtype` converts the input first."""

    def logaddexp(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """``log(exp(input) + exp(other))`` without overflow."""

    def logaddexp2(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """``log2(2 ** input + 2 ** other)`` without overflow."""

    def logcumsumexp(self, dim: builtins.int, *, out: Tensor | None = None) -> Tensor:
        """``log(cumsum(exp(input)))`` along `dim`, without overflow."""

    def logdet(self) -> Tensor:
        """The logarithm of the determinant; nan where it is negative, -inf where it is 0."""

    def logical_and(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """Whether both are not zero."""

    def logical_and_(self, other: Tensor | complex) -> Tensor:
        """`logical_and` written into the tensor itself. Whether both are not zero."""

    def logical_not(self, *, out: Tensor | None = None) -> Tensor:
        """Whether it is zero."""

    def logical_not_(self) -> Tensor:
        """`logical_not` written into the tensor itself. Whether it is zero."""

    def logical_or(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """Whether either is not zero."""

    def logical_or_(self, other: Tensor | complex) -> Tensor:
        """`logical_or` written into the tensor itself. Whether either is not zero."""

    def logical_xor(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """Whether exactly one is not zero."""

    def logical_xor_(self, other: Tensor | complex) -> Tensor:
        """`logical_xor` written into the tensor itself. Whether exactly one is not zero."""

    def logit(self, eps: builtins.float | None = None, *, out: Tensor | None = None) -> Tensor:
        """``log(input / (1 - input))``, the inverse of sigmoid; with `eps` the input is ..."""

    def logit_(self, eps: builtins.float | None = None) -> Tensor:
        """`logit` written into the tensor itself."""

    def logsumexp(
        self,
        dim: Any,
        keepdim: builtins.bool = False,
        *,
        out: Tensor | None = None,
    ) -> Tensor:
        """``log(sum(exp(input)))`` over `dim`; the largest is taken out first: nothing ..."""

    def long(self, memory_format: Any = ...) -> Tensor:
        """The tensor as int64."""

    def lstsq(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Removed: use torch.linalg.lstsq, with the arguments in the other order."""

    def lt(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """``input < other``, elementwise."""

    def lt_(self, other: Tensor | complex) -> Tensor:
        """`lt` written into the tensor itself. ``input < other``, elementwise."""

    def lu(
        self,
        pivot: builtins.bool = True,
        get_infos: builtins.bool = False,
        out: Any = None,
    ) -> Any:
        """The packed LU factorization and its pivots (and, with `get_infos`, whether it ..."""

    def lu_solve(self, LU_data: Tensor, LU_pivots: Tensor, *, out: Any = None) -> Tensor:
        """`torch.linalg.lu_solve` with its arguments in the older order."""

    @property
    def mH(self) -> Tensor:
        """The conjugate transpose of the last two dimensions."""

    @property
    def mT(self) -> Tensor:
        """The last two dimensions swapped; a 0-d tensor is its own."""

    def map2_(self, x: Tensor, y: Tensor, callable: Any) -> Tensor:
        """Replace each element by ``callable(self, x, y)``, in place."""

    def map_(self, tensor: Tensor, callable: Any) -> Tensor:
        """Replace each element by ``callable(self, tensor)``, in place."""

    def masked_fill(self, mask: Tensor, value: Any) -> Tensor:
        """``value`` where the mask holds, else the tensor's elements; mask and tensor ..."""

    def masked_fill_(self, mask: Tensor, value: Any) -> Tensor:
        """`masked_fill`, in place; the mask broadcasts to the tensor."""

    def masked_scatter(self, mask: Tensor, source: Tensor) -> Tensor:
        """The tensor with the elements of `source`, one after another, where the mask holds."""

    def masked_scatter_(self, mask: Tensor, source: Tensor) -> Tensor:
        """`masked_scatter`, in place."""

    def masked_select(self, mask: Tensor, *, out: Tensor | None = None) -> Tensor:
        """The elements where the mask holds (both broadcast), in order, as a vector."""

    def matmul(self, other: Any = None, *, out: Any = None, **names: Any) -> Any:
        """``input @ other``: vectors, matrices and broadcast batches of matrices."""

    def matrix_exp(self) -> Tensor:
        """`torch.linalg.matrix_exp`."""

    def matrix_power(self, n: builtins.int, *, out: Any = None) -> Tensor:
        """The n-th power of a square matrix by repeated squaring; of its inverse where n ..."""

    def max(
        self,
        dim: Any = ...,
        keepdim: Any = ...,
        *,
        other: Any = ...,
        out: Any = None,
        **numpy: Any,
    ) -> Any:
        """The largest: of all elements, along `dim` (with indices), or elementwise with ..."""

    def maximum(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """The larger of two; NaN where either is. The gradient is halved at a tie."""

    def mean(
        self,
        dim: Any = None,
        keepdim: builtins.bool = False,
        *,
        dtype: Any = None,
        out: Tensor | None = None,
    ) -> Tensor:
        """The mean over `dim` (all dimensions by default): ``sum / count``. NaN for no ..."""

    def median(
        self,
        dim: Any = ...,
        keepdim: builtins.bool = False,
        *,
        out: Any = None,
        **numpy: Any,
    ) -> Any:
        """The median, NaN where one is among them: of all, or along `dim` (with indices)."""

    def min(
        self,
        dim: Any = ...,
        keepdim: Any = ...,
        *,
        other: Any = ...,
        out: Any = None,
        **numpy: Any,
    ) -> Any:
        """The smallest: of all elements, along `dim` (with indices), or elementwise with ..."""

    def minimum(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """The smaller of two; NaN where either is. The gradient is halved at a tie."""

    def mish_(self) -> Tensor:
        """`mish` written into the tensor itself. ``input * tanh(softplus(input))``."""

    def mm(self, mat2: Tensor, *, out: Tensor | None = None) -> Tensor:
        """``input @ mat2`` of two matrices."""

    def mode(
        self,
        dim: builtins.int = -1,
        keepdim: builtins.bool = False,
        *,
        out: Any = None,
    ) -> Any:
        """The most frequent element along `dim` (the smallest of those), and its last place."""

    def module_load(self, other: Tensor, assign: builtins.bool = False) -> Tensor:
        """What `load_state_dict` puts in this tensor's place under swapping: `other`'s values."""

    def moveaxis(self, source: Any, destination: Any) -> Tensor:
        """The view with the dimensions `source` moved to the places `destination`."""

    def movedim(self, source: Any, destination: Any) -> Tensor:
        """The view with the dimensions `source` moved to the places `destination`."""

    def msort(self, *, out: Any = None) -> Tensor:
        """The values in order along the first dimension."""

    def mtia(self, *args: Any, **kwargs: Any) -> NoReturn:
        """The tensor on an MTIA device: there is none."""

    def mul(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """``input * other``, with promotion and broadcasting."""

    def mul_(self, other: Tensor | complex) -> Tensor:
        """`mul` written into the tensor itself. ``input * other``, with promotion and ..."""

    def multinomial(
        self,
        num_samples: builtins.int,
        replacement: builtins.bool = False,
        *,
        generator: Any = None,
        out: Tensor | None = None,
    ) -> Tensor:
        """Category numbers drawn by the weights in ``input``, a vector or one per row, as ..."""

    def multiply(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """``input * other``, with promotion and broadcasting."""

    def multiply_(self, other: Tensor | complex) -> Tensor:
        """`mul` written into the tensor itself. ``input * other``, with promotion and ..."""

    def mv(self, vec: Tensor, *, out: Tensor | None = None) -> Tensor:
        """``input @ vec`` of a matrix and a vector."""

    def mvlgamma(self, p: builtins.int, *, out: Tensor | None = None) -> Tensor:
        """``log gamma_p(input)``: the multivariate gamma function's logarithm, of ..."""

    def mvlgamma_(self, p: builtins.int) -> Tensor:
        """`mvlgamma` in place."""

    @property
    def name(self) -> None: ...
    def nan_to_num(
        self,
        nan: builtins.float | None = 0.0,
        posinf: builtins.float | None = None,
        neginf: builtins.float | None = None,
        *,
        out: Tensor | None = None,
    ) -> Tensor:
        """NaN replaced by `nan`, infinities by `posinf` and `neginf` (the dtype's largest ..."""

    def nan_to_num_(
        self,
        nan: builtins.float | None = 0.0,
        posinf: builtins.float | None = None,
        neginf: builtins.float | None = None,
    ) -> Tensor:
        """`nan_to_num` written into the tensor itself."""

    def nanmean(
        self,
        dim: Any = None,
        keepdim: builtins.bool = False,
        *,
        dtype: Any = None,
        out: Any = None,
        **numpy: Any,
    ) -> Tensor:
        """The mean of the elements that are not NaN."""

    def nanmedian(
        self,
        dim: Any = ...,
        keepdim: builtins.bool = False,
        *,
        out: Any = None,
        **numpy: Any,
    ) -> Any:
        """The median, NaN left out: of all, or along `dim` (with indices)."""

    def nanquantile(
        self,
        q: Any,
        dim: Any = None,
        keepdim: builtins.bool = False,
        *,
        interpolation: str = "linear",
        out: Any = None,
    ) -> Tensor:
        """`quantile` with NaN left out; NaN where nothing else is."""

    def nansum(
        self,
        dim: Any = None,
        keepdim: builtins.bool = False,
        *,
        dtype: Any = None,
        out: Tensor | None = None,
    ) -> Tensor:
        """The sum with NaN counted as zero."""

    def narrow(self, dim: builtins.int, start: Any, length: builtins.int) -> Tensor:
        """The view of `length` indices of dimension `dim` from `start`."""

    def narrow_copy(
        self,
        dim: builtins.int,
        start: builtins.int,
        length: builtins.int,
        *,
        out: Tensor | None = None,
    ) -> Tensor:
        """`narrow`, copied."""

    @property
    def nbytes(self) -> builtins.int:
        """Bytes of all elements."""

    @property
    def ndim(self) -> builtins.int:
        """Number of dimensions."""

    def ndimension(self) -> builtins.int:
        """Number of dimensions."""

    def ne(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """``input != other``, elementwise."""

    def ne_(self, other: Tensor | complex) -> Tensor:
        """`ne` written into the tensor itself. ``input != other``, elementwise."""

    def neg(self, *, out: Tensor | None = None) -> Tensor:
        """``-input``. Raises RuntimeError for bool: use ``~``."""

    def neg_(self) -> Tensor:
        """`neg` written into the tensor itself. ``-input``. Raises RuntimeError for bool: ..."""

    def negative(self, *, out: Tensor | None = None) -> Tensor:
        """``-input``. Raises RuntimeError for bool: use ``~``."""

    def negative_(self) -> Tensor:
        """`neg` written into the tensor itself. ``-input``. Raises RuntimeError for bool: ..."""

    def nelement(self) -> builtins.int:
        """Number of elements."""

    def new(self, *args: Any, device: Any = None, **kwargs: Any) -> Tensor:
        """A tensor of the same dtype by the old constructor: of sizes, or of data."""

    def new_empty(self, *size: Any, dtype: Any = None, device: Any = None, **opts: Any) -> Tensor:
        """`torch.empty` with this tensor's dtype and device."""

    def new_empty_strided(
        self,
        size: Any,
        stride: Any,
        *,
        dtype: Any = None,
        device: Any = None,
        **opts: Any,
    ) -> Tensor:
        """`torch.empty_strided` with this tensor's dtype and device."""

    def new_full(
        self,
        size: Any,
        fill_value: Any,
        *,
        dtype: Any = None,
        device: Any = None,
        **opts: Any,
    ) -> Tensor:
        """`torch.full` with this tensor's dtype and device."""

    def new_ones(self, *size: Any, dtype: Any = None, device: Any = None, **opts: Any) -> Tensor:
        """`torch.ones` with this tensor's dtype and device."""

    def new_tensor(
        self,
        data: Any,
        *,
        dtype: Any = None,
        device: Any = None,
        requires_grad: builtins.bool = False,
        **_: Any,
    ) -> Tensor:
        """`torch.tensor` with this tensor's dtype."""

    def new_zeros(self, *size: Any, dtype: Any = None, device: Any = None, **opts: Any) -> Tensor:
        """`torch.zeros` with this tensor's dtype and device."""

    def nextafter(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """The next representable number after `input` towards `other`."""

    def nextafter_(self, other: Tensor | complex) -> Tensor:
        """`nextafter` written into the tensor itself. The next representable number after ..."""

    def nonzero(self, *, out: Tensor | None = None, as_tuple: builtins.bool = False) -> Any:
        """The indices of nonzero elements, a row each; with `as_tuple` a vector for each ..."""

    def nonzero_static(
        self,
        *,
        size: builtins.int,
        fill_value: builtins.int = -1,
        out: Tensor | None = None,
    ) -> Tensor:
        """The first `size` rows of `nonzero`, filled up with `fill_value`."""

    def norm(
        self,
        p: Any = "fro",
        dim: Any = None,
        keepdim: builtins.bool = False,
        out: Any = None,
        dtype: Any = None,
        **numpy: Any,
    ) -> Tensor:
        """The `p`-norm over `dim` (all by default), of the vector of elements."""

    def normal_(
        self,
        mean: builtins.float = 0,
        std: builtins.float = 1,
        *,
        generator: Generator | None = None,
    ) -> Tensor:
        """Fills the tensor with normal numbers of ``mean`` and standard deviation ``std``."""

    def not_equal(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """``input != other``, elementwise."""

    def not_equal_(self, other: Tensor | complex) -> Tensor:
        """`ne` written into the tensor itself. ``input != other``, elementwise."""

    def numel(self) -> builtins.int:
        """Number of elements."""

    def numpy(self, *, force: builtins.bool = False) -> np.ndarray[Any, Any]:
        """The same memory as a NumPy array."""

    def orgqr(self, input2: Tensor, *, out: Any = None) -> Tensor:
        """`torch.linalg.householder_product`."""

    def ormqr(
        self,
        input2: Tensor,
        input3: Tensor,
        left: builtins.bool = True,
        transpose: builtins.bool = False,
        *,
        out: Any = None,
    ) -> Tensor:
        """``Q @ input3`` (``input3 @ Q`` without `left`; Q.mH with `transpose`), Q the ..."""

    def outer(self, vec2: Tensor, *, out: Any = None) -> Tensor:
        """``input[:, None] * vec2`` of two vectors."""

    @property
    def output_nr(self) -> builtins.int: ...
    def permute(self, *order: Any, dims: Any = None) -> Tensor:
        """The view with its dimensions in the order `dims`."""

    def pin_memory(self, device: Any = None) -> Tensor:
        """Pinned memory serves accelerators: there is none here."""

    def pinverse(self, rcond: builtins.float = 1e-15) -> Tensor:
        """`torch.linalg.pinv` with `rcond` for the relative tolerance."""

    def polygamma(self, n: builtins.int) -> Tensor:
        """The n-th derivative of digamma."""

    def polygamma_(self, n: builtins.int) -> Tensor:
        """`polygamma`, in place."""

    def positive(self) -> Tensor:
        """The tensor itself. Raises RuntimeError for bool."""

    def pow(self, exponent: Any, *, out: Tensor | None = None) -> Tensor:
        """``input ** exponent``, elementwise; either may be a number."""

    def pow_(self, exponent: Any) -> Tensor:
        """``input **= exponent``, in place."""

    def prelu(self, weight: Tensor) -> Tensor:
        """``input`` where positive, else ``weight * input``:"""

    def prod(
        self,
        dim: Any = None,
        keepdim: builtins.bool = False,
        *,
        dtype: Any = None,
        out: Tensor | None = None,
    ) -> Tensor:
        """The product over one dimension, or of all elements."""

    def put(
        self,
        index: Tensor,
        source: Tensor,
        accumulate: builtins.bool = False,
        *,
        out: Tensor | None = None,
    ) -> Tensor:
        """The input with elements of `source` written (or added) at flat positions."""

    def put_(self, index: Tensor, source: Tensor, accumulate: builtins.bool = False) -> Tensor:
        """`put` written into the tensor itself. The input with elements of `source` ..."""

    def q_per_channel_axis(self) -> Any:
        """The channels' dimension of a tensor quantised by channel."""

    def q_per_channel_scales(self) -> Any:
        """The scales of a tensor quantised by channel."""

    def q_per_channel_zero_points(self) -> Any:
        """The zero points of a tensor quantised by channel."""

    def q_scale(self) -> Any:
        """The scale of a quantised tensor."""

    def q_zero_point(self) -> Any:
        """The zero point of a quantised tensor."""

    def qr(self, some: builtins.bool = True, *, out: Any = None) -> Any:
        """`torch.linalg.qr`, reduced (`some`) or complete."""

    def qscheme(self) -> Any:
        """How a quantised tensor is quantised."""

    def quantile(
        self,
        q: Any,
        dim: Any = None,
        keepdim: builtins.bool = False,
        *,
        interpolation: str = "linear",
        out: Any = None,
    ) -> Tensor:
        """The `q`-th quantiles along `dim` (of all elements by default); NaN where one is ..."""

    def rad2deg(self, *, out: Tensor | None = None) -> Tensor:
        """Radians to degrees."""

    def rad2deg_(self) -> Tensor:
        """`rad2deg` written into the tensor itself. Radians to degrees."""

    def random_(self, *args: Any, generator: Generator | None = None, **named: Any) -> Tensor:
        """Fills the tensor with integers: ``random_()``, ``random_(to)`` or ..."""

    def ravel(self) -> Tensor:
        """The elements in one dimension."""

    @property
    def real(self) -> Tensor:
        """The real part, a view; a real tensor itself."""

    @real.setter
    def real(self, value: Any) -> None: ...
    def reciprocal(self, *, out: Tensor | None = None) -> Tensor:
        """``1 / input``."""

    def reciprocal_(self) -> Tensor:
        """`reciprocal` written into the tensor itself. ``1 / input``."""

    def record_stream(self, stream: Any) -> None:
        """Nothing: memory is not shared between streams here."""

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Call `hook(grad)` when this tensor's gradient is computed; it may return another ..."""

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> RemovableHandle:
        """Call `hook(param)` after a gradient was added to this leaf's `.grad`."""

    def relu(self, *, out: Tensor | None = None) -> Tensor:
        """``max(input, 0)``; NaN stays NaN."""

    def relu_(self) -> Tensor:
        """`relu` written into the tensor itself. ``max(input, 0)``; NaN stays NaN."""

    def remainder(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """``input - floor(input / other) * other``: Python's ``%``, with the sign of `other`."""

    def remainder_(self, other: Tensor | complex) -> Tensor:
        """`remainder` written into the tensor itself. ``input - floor(input / other) * ..."""

    def renorm(
        self,
        p: builtins.float,
        dim: builtins.int,
        maxnorm: builtins.float,
        *,
        out: Any = None,
    ) -> Tensor:
        """Every slice along `dim` whose `p`-norm exceeds `maxnorm`, scaled down to it."""

    def renorm_(self, p: builtins.float, dim: builtins.int, maxnorm: builtins.float) -> Tensor:
        """`renorm`, in place."""

    def repeat(self, *times: Any, repeats: Any = None) -> Tensor:
        """The tensor laid side by side `repeats` times along each dimension; new ..."""

    def repeat_interleave(
        self,
        repeats: Any = None,
        dim: builtins.int | None = None,
        *,
        output_size: builtins.int | None = None,
    ) -> Tensor:
        """Each element (or slice along `dim`) repeated `repeats` times in its place."""

    @property
    def requires_grad(self) -> builtins.bool:
        """Whether operations on this tensor are recorded."""

    @requires_grad.setter
    def requires_grad(self, value: Any) -> None: ...
    def requires_grad_(self, requires_grad: builtins.bool = True) -> Tensor:
        """Begin (or stop) recording operations on this leaf."""

    def reshape(self, shape: Any = None, *sizes: Any) -> Tensor:
        """The tensor in another shape: a view where strides allow it, else a copy."""

    def reshape_as(self, other: Tensor, *sizes: Any) -> Tensor:
        """`reshape` to `other`'s shape."""

    def resize(self, *shape: Any) -> Tensor:
        """The reshaped tensor; its number of elements must stay (PyTorch's deprecated method)."""

    def resize_(self, *new: Any, size: Any = None, memory_format: Any = None) -> Tensor:
        """Give the tensor another shape over its storage, which grows when it must (new ..."""

    def resize_as(self, tensor: Tensor) -> Tensor:
        """Of the other tensor's size, when it has as many elements."""

    def resize_as_(self, the_template: Tensor, memory_format: Any = None) -> Tensor:
        """`resize_` to another tensor's shape."""

    def resize_as_sparse_(self, other: Tensor) -> Tensor:
        """Take the size and layout of another sparse tensor. See ..."""

    def resolve_conj(self) -> Tensor:
        """Itself: conjugation is computed at once."""

    def resolve_neg(self) -> Tensor:
        """Itself: negation is computed at once."""

    def retain_grad(self) -> None:
        """Keep the gradient of this non-leaf in `.grad`."""

    @property
    def retains_grad(self) -> builtins.bool:
        """Whether `retain_grad()` was asked of this non-leaf."""

    def roll(self, shifts: Any, dims: Any = ()) -> Tensor:
        """The elements shifted along `dims` (without `dims`: of the flattened tensor), ..."""

    def rot90(self, k: builtins.int = 1, dims: Any = ...) -> Tensor:
        """The tensor turned by `k` right angles in the plane of two dimensions, from the ..."""

    def round(self, *, decimals: builtins.int | None = None, out: Tensor | None = None) -> Tensor:
        """The nearest whole number, halves to even; to `decimals` places (of tens, where ..."""

    def round_(self, *, decimals: builtins.int | None = None) -> Tensor:
        """`round` in place."""

    def row_indices(self) -> Tensor:
        """The row of each value, of a tensor compressed by columns. See ..."""

    def rsqrt(self, *, out: Tensor | None = None) -> Tensor:
        """``1 / sqrt(input)``."""

    def rsqrt_(self) -> Tensor:
        """`rsqrt` written into the tensor itself. ``1 / sqrt(input)``."""

    def scatter(
        self,
        dim: builtins.int,
        index: Tensor,
        src: Any = None,
        *,
        value: Any = None,
        reduce: str | None = None,
        out: Any = None,
    ) -> Tensor:
        """The input with `src` (a tensor or a number) written along `dim` where `index` ..."""

    def scatter_(
        self,
        dim: builtins.int,
        index: Tensor,
        src: Any = None,
        *,
        value: Any = None,
        reduce: str | None = None,
    ) -> Tensor:
        """`scatter`, in place."""

    def scatter_add(
        self,
        dim: builtins.int,
        index: Tensor,
        src: Tensor,
        *,
        out: Tensor | None = None,
    ) -> Tensor:
        """The input with elements of `src` added along `dim` where `index` points; ..."""

    def scatter_add_(self, dim: builtins.int, index: Tensor, src: Tensor) -> Tensor:
        """`scatter_add` written into the tensor itself."""

    def scatter_reduce(
        self,
        dim: builtins.int,
        index: Tensor,
        src: Tensor,
        reduce: str,
        *,
        include_self: builtins.bool = True,
        out: Any = None,
    ) -> Tensor:
        """The input with elements of `src` combined along `dim` where `index` points."""

    def scatter_reduce_(
        self,
        dim: builtins.int,
        index: Tensor,
        src: Tensor,
        reduce: str,
        *,
        include_self: builtins.bool = True,
    ) -> Tensor:
        """`scatter_reduce`, in place."""

    def select(self, dim: builtins.int, index: Any) -> Tensor:
        """The view at `index` of dimension `dim`, without that dimension."""

    def select_scatter(
        self,
        src: Tensor,
        dim: builtins.int,
        index: builtins.int,
        *,
        out: Any = None,
    ) -> Tensor:
        """A copy of the input with `src` at `index` of dimension `dim`."""

    def set_(
        self,
        source: Any = None,
        storage_offset: builtins.int = 0,
        size: Any = None,
        stride: Any = None,
    ) -> Tensor:
        """Let the tensor show another tensor's memory, or a storage in the given geometry; ..."""

    def sgn(self, *, out: Tensor | None = None) -> Tensor:
        """`sign` for real numbers, ``input / |input|`` for complex ones (0 at 0)."""

    def sgn_(self) -> Tensor:
        """`sgn` written into the tensor itself. `sign` for real numbers, ``input / ..."""

    @property
    def shape(self) -> Size:
        """The sizes of the dimensions."""

    def share_memory_(self) -> Tensor:
        """Move the storage, with all tensors on it, to memory that processes share."""

    def short(self, memory_format: Any = ...) -> Tensor:
        """The tensor as int16."""

    def sigmoid(self, *, out: Tensor | None = None) -> Tensor:
        """``1 / (1 + exp(-input))``."""

    def sigmoid_(self) -> Tensor:
        """`sigmoid` written into the tensor itself. ``1 / (1 + exp(-input))``."""

    def sign(self, *, out: Tensor | None = None) -> Tensor:
        """1, 0 or -1 with the sign of input; 0 for NaN."""

    def sign_(self) -> Tensor:
        """`sign` written into the tensor itself. 1, 0 or -1 with the sign of input; 0 for NaN."""

    def signbit(self, *, out: Tensor | None = None) -> Tensor:
        """Whether the sign bit is set: True for -0."""

    def silu_(self) -> Tensor:
        """`silu` written into the tensor itself. ``input * sigmoid(input)``."""

    def sin(self, *, out: Tensor | None = None) -> Tensor:
        """The sine of an angle in radians."""

    def sin_(self) -> Tensor:
        """`sin` written into the tensor itself. The sine of an angle in radians."""

    def sinc(self, *, out: Tensor | None = None) -> Tensor:
        """``sin(pi input) / (pi input)``, 1 at 0."""

    def sinc_(self) -> Tensor:
        """`sinc` written into the tensor itself. ``sin(pi input) / (pi input)``, 1 at 0."""

    def sinh(self, *, out: Tensor | None = None) -> Tensor:
        """The hyperbolic sine."""

    def sinh_(self) -> Tensor:
        """`sinh` written into the tensor itself. The hyperbolic sine."""

    def size(self, dim: builtins.int | None = None) -> Any:
        """The sizes, or the size of dimension `dim`."""

    def slice_scatter(
        self,
        src: Tensor,
        dim: builtins.int = 0,
        start: builtins.int | None = None,
        end: builtins.int | None = None,
        step: builtins.int = 1,
        *,
        out: Any = None,
    ) -> Tensor:
        """A copy of the input with `src` in a range of dimension `dim`."""

    def slogdet(self, *, out: Any = None) -> Any:
        """`torch.linalg.slogdet`."""

    def smm(self, mat: Tensor) -> Tensor:
        """Loads the sparse room. See `flambeau.sparse.products.smm`."""

    def softmax(
        self,
        dim: Any = None,
        dtype: Any = None,
        *,
        out: Any = None,
        axis: Any = None,
    ) -> Tensor:
        """``exp(input) / sum(exp(input))`` along `dim`; `dtype` converts the input first."""

    def solve(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Removed: use torch.linalg.solve, with the arguments in the other order; ..."""

    def sort(
        self,
        dim: builtins.int = -1,
        descending: builtins.bool = False,
        *,
        stable: builtins.bool | None = None,
        axis: builtins.int | None = None,
        out: Any = None,
    ) -> Any:
        """The values in order along `dim`, and where each came from. NaN is the largest."""

    def sparse_dim(self) -> builtins.int:
        """How many dimensions are sparse. See `flambeau.sparse.access.sparse_dim`."""

    def sparse_mask(self, mask: Tensor) -> Tensor:
        """What the tensor holds at the places of a sparse one. See ..."""

    def sparse_resize_(
        self,
        size: Any,
        sparse_dim: builtins.int,
        dense_dim: builtins.int,
    ) -> Tensor:
        """Give a COO tensor another size, in place. See ..."""

    def sparse_resize_and_clear_(
        self,
        size: Any,
        sparse_dim: builtins.int,
        dense_dim: builtins.int,
    ) -> Tensor:
        """Drop a COO tensor's values and give it another size. See ..."""

    def special_logsumexp(
        self,
        dim: Any,
        keepdim: builtins.bool = False,
        *,
        out: Tensor | None = None,
    ) -> Tensor:
        """``log(sum(exp(input)))`` over `dim`; the largest is taken out first: nothing ..."""

    def split(
        self,
        split_size_or_sections: Any = None,
        dim: builtins.int = 0,
        *,
        split_size: Any = None,
    ) -> tuple[Tensor, ...]:
        """Views of `split_size` indices each along `dim` (the last may be smaller), or of ..."""

    def split_with_sizes(self, split_sizes: Any, dim: builtins.int = 0) -> tuple[Tensor, ...]:
        """Views of the given sizes along `dim`."""

    def sqrt(self, *, out: Tensor | None = None) -> Tensor:
        """The square root; NaN for negative numbers."""

    def sqrt_(self) -> Tensor:
        """`sqrt` written into the tensor itself. The square root; NaN for negative numbers."""

    def square(self, *, out: Tensor | None = None) -> Tensor:
        """``input ** 2``."""

    def square_(self) -> Tensor:
        """``input ** 2``, in place."""

    def squeeze(self, dim: Any = None, *, out: Tensor | None = None) -> Tensor:
        """The view without the dimensions of size 1 (all of them, or those in `dim` that are)."""

    def squeeze_(self, *args: Any, **kwargs: Any) -> Tensor:
        """`squeeze`, in place: the tensor takes the view's geometry."""

    def sspaddmm(self, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
        """Loads the sparse room. See `flambeau.sparse.products.sspaddmm`."""

    def std(
        self,
        dim: Any = None,
        unbiased: Any = ...,
        keepdim: builtins.bool = False,
        *,
        correction: Any = ...,
        out: Any = None,
        **numpy: Any,
    ) -> Tensor:
        """The standard deviation over `dim`, the root of `var`. Its gradient at 0 is 0."""

    def stft(
        self,
        n_fft: builtins.int,
        hop_length: builtins.int | None = None,
        win_length: builtins.int | None = None,
        window: Tensor | None = None,
        center: builtins.bool = True,
        pad_mode: str = "reflect",
        normalized: builtins.bool = False,
        onesided: builtins.bool | None = None,
        return_complex: builtins.bool | None = None,
        align_to_window: builtins.bool | None = None,
    ) -> Tensor:
        """The Fourier transforms of overlapping frames."""

    def storage(self) -> Any:
        """The storage as elements of the tensor's dtype."""

    def storage_offset(self) -> builtins.int:
        """How far the first element lies into the storage, in elements."""

    def storage_type(self) -> Any:
        """The old name of storages of the tensor's dtype, ``torch.FloatStorage``."""

    def stride(self, dim: builtins.int | None = None) -> Any:
        """Steps between elements along each dimension (or `dim`), counted in elements."""

    def sub(self, other: Tensor | complex, *, alpha: Any = 1, out: Tensor | None = None) -> Tensor:
        """``input - alpha * other``, with promotion and broadcasting."""

    def sub_(self, other: Tensor | complex, *, alpha: Any = 1) -> Tensor:
        """`sub` written into the tensor itself. ``input - alpha * other``, with promotion ..."""

    def subtract(
        self,
        other: Tensor | complex,
        *,
        alpha: Any = 1,
        out: Tensor | None = None,
    ) -> Tensor:
        """``input - alpha * other``, with promotion and broadcasting."""

    def subtract_(self, other: Tensor | complex, *, alpha: Any = 1) -> Tensor:
        """`sub` written into the tensor itself. ``input - alpha * other``, with promotion ..."""

    def sum(
        self,
        dim: Any = None,
        keepdim: builtins.bool = False,
        *,
        dtype: Any = None,
        out: Tensor | None = None,
    ) -> Tensor:
        """The sum over dimensions `dim` (all of them by default). Integers are summed in ..."""

    def sum_to_size(self, *sizes: Any, size: Any = None) -> Tensor:
        """The sum over the dimensions along which `size` would broadcast to this tensor."""

    def svd(
        self,
        some: builtins.bool = True,
        compute_uv: builtins.bool = True,
        *,
        out: Any = None,
    ) -> Any:
        """U, S, V of ``input = U @ diag(S) @ V.mH``; zeros for U and V without `compute_uv`."""

    def swapaxes(
        self,
        dim0: builtins.int,
        dim1: builtins.int,
        *,
        out: Tensor | None = None,
    ) -> Tensor:
        """The view with two dimensions swapped."""

    def swapaxes_(self, *args: Any, **kwargs: Any) -> Tensor:
        """`swapaxes`, in place: the tensor takes the view's geometry."""

    def swapdims(
        self,
        dim0: builtins.int,
        dim1: builtins.int,
        *,
        out: Tensor | None = None,
    ) -> Tensor:
        """The view with two dimensions swapped."""

    def swapdims_(self, *args: Any, **kwargs: Any) -> Tensor:
        """`swapdims`, in place: the tensor takes the view's geometry."""

    def symeig(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Removed: use torch.linalg.eigh, which reads the lower triangle unless UPLO='U'."""

    def t(self, *, out: Tensor | None = None) -> Tensor:
        """The transposed matrix; vectors and scalars as they are."""

    def t_(self, *args: Any, **kwargs: Any) -> Tensor:
        """`t`, in place: the tensor takes the view's geometry."""

    def take(self, index: Tensor, *, out: Tensor | None = None) -> Tensor:
        """The elements at flat positions, in the shape of `index`."""

    def take_along_dim(
        self,
        indices: Tensor,
        dim: builtins.int | None = None,
        *,
        out: Tensor | None = None,
    ) -> Tensor:
        """Elements along `dim` picked by `indices`, both broadcast in the other ..."""

    def tan(self, *, out: Tensor | None = None) -> Tensor:
        """The tangent of an angle in radians."""

    def tan_(self) -> Tensor:
        """`tan` written into the tensor itself. The tangent of an angle in radians."""

    def tanh(self, *, out: Tensor | None = None) -> Tensor:
        """The hyperbolic tangent."""

    def tanh_(self) -> Tensor:
        """`tanh` written into the tensor itself. The hyperbolic tangent."""

    def tensor_split(
        self,
        indices_or_sections: Any = None,
        dim: builtins.int = 0,
        *,
        sections: Any = None,
        indices: Any = None,
        tensor_indices_or_sections: Any = None,
    ) -> tuple[Tensor, ...]:
        """Views cut along `dim`: into a number of nearly equal sections, or before the ..."""

    def threshold_(self, threshold: builtins.float, value: builtins.float) -> Tensor:
        """`threshold` written into the tensor itself. ``input`` where above `threshold`, ..."""

    def tile(self, *times: Any, dims: Any = None) -> Tensor:
        """`repeat`, with missing numbers in front taken as 1."""

    def to(self, *args: Any, **kwargs: Any) -> Tensor:
        """The tensor with another dtype and/or on another device; itself when nothing changes."""

    def to_dense(self, dtype: Any = None, *, masked_grad: builtins.bool | None = None) -> Tensor:
        """The strided tensor. See `flambeau.sparse.access.to_dense`."""

    def to_padded_tensor(self, padding: builtins.float, output_size: Any = None) -> Tensor:
        """Only nested tensors have parts to pad."""

    def to_scipy(self, layout: Any = None) -> Any:
        """The tensor as a SciPy sparse array. See `flambeau.sparse.access.to_scipy`."""

    def to_sparse(
        self,
        sparse_dim: Any = None,
        *,
        layout: Any = None,
        blocksize: Any = None,
        dense_dim: builtins.int | None = None,
    ) -> Tensor:
        """The tensor in a sparse layout. See `flambeau.sparse.access.to_sparse`."""

    def to_sparse_bsc(self, blocksize: Any, dense_dim: builtins.int | None = None) -> Tensor:
        """The tensor in compressed columns of blocks. See ..."""

    def to_sparse_bsr(self, blocksize: Any, dense_dim: builtins.int | None = None) -> Tensor:
        """The tensor in compressed rows of blocks. See `flambeau.sparse.access.to_sparse_bsr`."""

    def to_sparse_coo(self) -> Tensor:
        """The tensor in coordinates. See `flambeau.sparse.access.to_sparse_coo`."""

    def to_sparse_csc(self, dense_dim: builtins.int | None = None) -> Tensor:
        """The tensor in compressed columns. See `flambeau.sparse.access.to_sparse_csc`."""

    def to_sparse_csr(self, dense_dim: builtins.int | None = None) -> Tensor:
        """The tensor in compressed rows. See `flambeau.sparse.access.to_sparse_csr`."""

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers."""

    def topk(
        self,
        k: builtins.int,
        dim: builtins.int = -1,
        largest: builtins.bool = True,
        sorted: builtins.bool = True,
        *,
        out: Any = None,
    ) -> Any:
        """The `k` largest (or smallest) elements along `dim`, in order, and where they are."""

    def trace(self, *, out: Tensor | None = None) -> Tensor:
        """The sum of a matrix's diagonal. Raises RuntimeError for other than 2 dimensions."""

    def transpose(
        self,
        dim0: builtins.int,
        dim1: builtins.int,
        *,
        out: Tensor | None = None,
    ) -> Tensor:
        """The view with two dimensions swapped."""

    def transpose_(self, *args: Any, **kwargs: Any) -> Tensor:
        """`transpose`, in place: the tensor takes the view's geometry."""

    def triangular_solve(
        self,
        A: Tensor,
        upper: builtins.bool = True,
        transpose: builtins.bool = False,
        unitriangular: builtins.bool = False,
        *,
        out: Any = None,
    ) -> Any:
        """X of ``A @ X = input`` for triangular A (its transpose with `transpose`), and a ..."""

    def tril(self, diagonal: Any = 0, *, out: Tensor | None = None) -> Tensor:
        """The lower triangle of the last two dimensions, to `diagonal`; else zeros."""

    def tril_(self, diagonal: Any = 0) -> Tensor:
        """`tril` written into the tensor itself. The lower triangle of the last two ..."""

    def triu(self, diagonal: Any = 0, *, out: Tensor | None = None) -> Tensor:
        """The upper triangle of the last two dimensions, to `diagonal`; else zeros."""

    def triu_(self, diagonal: Any = 0) -> Tensor:
        """`triu` written into the tensor itself. The upper triangle of the last two ..."""

    def true_divide(self, other: Any, *, out: Any = None) -> Tensor:
        """``input / other``."""

    def true_divide_(self, other: Any) -> Tensor:
        """``input /= other``, in place."""

    def trunc(self, *, out: Tensor | None = None) -> Tensor:
        """The whole number next to input towards 0."""

    def trunc_(self) -> Tensor:
        """`trunc` written into the tensor itself. The whole number next to input towards 0."""

    def type(self, dtype: Any = None, non_blocking: builtins.bool = False, **kwargs: Any) -> Any:
        """The legacy type's name ('torch.FloatTensor'); with `dtype` (a dtype, a name, a ..."""

    def type_as(self, other: Tensor) -> Tensor:
        """The tensor with `other`'s dtype."""

    def unbind(
        self,
        dim: builtins.int = 0,
        *,
        axis: builtins.int | None = None,
    ) -> tuple[Tensor, ...]:
        """The views at every index of `dim`."""

    def unflatten(self, dim: builtins.int, sizes: Any) -> Tensor:
        """Dimension `dim` split into `sizes` (one may be -1)."""

    def unfold(
        self,
        dimension: builtins.int,
        size: builtins.int,
        step: builtins.int,
        *,
        out: Tensor | None = None,
    ) -> Tensor:
        """The view of all windows of `size` along a dimension, `step` apart; the window ..."""

    def uniform_(self, *args: Any, generator: Generator | None = None, **named: Any) -> Tensor:
        """Fills the tensor with uniform numbers in [from, to): ``uniform_(from=0, to=1)``."""

    def unique(
        self,
        sorted: builtins.bool = True,
        return_inverse: builtins.bool = False,
        return_counts: builtins.bool = False,
        dim: builtins.int | None = None,
    ) -> Any:
        """The distinct elements (or slices along `dim`), in order."""

    def unique_consecutive(
        self,
        return_inverse: builtins.bool = False,
        return_counts: builtins.bool = False,
        dim: builtins.int | None = None,
    ) -> Any:
        """The elements (or slices along `dim`) with repetitions of the one before left out."""

    def unsafe_chunk(self, chunks: builtins.int, dim: builtins.int = 0) -> tuple[Tensor, ...]:
        """`chunk`, whose parts may be written in place: the input is not to be used any ..."""

    def unsafe_split(self, split_size: builtins.int, dim: builtins.int = 0) -> tuple[Tensor, ...]:
        """`split`, whose parts may be written in place: the input is not to be used any ..."""

    def unsafe_split_with_sizes(
        self,
        split_sizes: Any,
        dim: builtins.int = 0,
    ) -> tuple[Tensor, ...]:
        """`split_with_sizes`, whose parts may be written in place:"""

    def unsqueeze(self, dim: builtins.int, *, out: Tensor | None = None) -> Tensor:
        """The view with a dimension of size 1 inserted at `dim`."""

    def unsqueeze_(self, *args: Any, **kwargs: Any) -> Tensor:
        """`unsqueeze`, in place: the tensor takes the view's geometry."""

    def untyped_storage(self) -> Any:
        """The bytes behind the tensor, shared with its views."""

    def values(self) -> Tensor:
        """The values of a sparse tensor. See `flambeau.sparse.access.values`."""

    def var(
        self,
        dim: Any = None,
        unbiased: Any = ...,
        keepdim: builtins.bool = False,
        *,
        correction: Any = ...,
        out: Any = None,
        **numpy: Any,
    ) -> Tensor:
        """The variance over `dim`: ``sum((input - mean)**2) / (count - correction)``."""

    def vdot(self, other: Tensor, *, out: Tensor | None = None) -> Tensor:
        """``sum(conj(input) * other)`` of two vectors of one length and dtype."""

    def view(self, *shape: Any, size: Any = None, dtype: Any = None) -> Tensor:
        """The same memory in another shape, or (given a dtype) its bytes read as another type."""

    def view_as(self, other: Tensor, *sizes: Any) -> Tensor:
        """The view with `other`'s shape."""

    @property
    def volatile(self) -> builtins.bool:
        """False, with a warning: `torch.no_grad()` does what it did."""

    @volatile.setter
    def volatile(self, value: Any) -> None: ...
    def vsplit(
        self,
        indices_or_sections: Any = None,
        *,
        sections: Any = None,
        indices: Any = None,
    ) -> tuple[Tensor, ...]:
        """`tensor_split` along the rows (dimension 0); a number of sections must divide it."""

    def where(self, condition: Tensor, other: Any) -> Any:
        """The elements where the condition holds, else `other`'s."""

    def xlogy(self, other: Tensor | complex, *, out: Tensor | None = None) -> Tensor:
        """``input * log(other)``, 0 where input is 0 and NaN where other is."""

    def xlogy_(self, other: Tensor | complex) -> Tensor:
        """`xlogy` written into the tensor itself. ``input * log(other)``, 0 where input is ..."""

    def xpu(self, *args: Any, **kwargs: Any) -> NoReturn:
        """The tensor on an XPU: there is none."""

    def zero_(self) -> Tensor:
        """Set every element to 0, in place."""

PLAIN: set[type]

def dead_end(tensor: Tensor) -> AccumulateGrad:
    """The edge of a view that was made under no_grad:"""

def edge_of(tensor: Tensor) -> Node | Port | None:
    """The tensor's edge; made anew for a view whose base was written in place since."""

def leaf_edge(tensor: Tensor) -> AccumulateGrad:
    """Make the tensor a leaf that collects its gradient."""

def nobody() -> None:
    """The tensor of a dead end."""

def wrap(array: Any, cls: type = ...) -> Tensor:
    """A tensor around an array, without history."""

def wrap_like_view(array: Any, base: Tensor) -> Tensor:
    """A tensor around an array that shares `base`'s storage, without history (what ..."""
