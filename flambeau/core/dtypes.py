"""The element types: one `dtype` object per type of PyTorch that NumPy or ml_dtypes can hold.

Here live the objects, their aliases and legacy tensor names, the default dtype, `finfo`/`iinfo`,
and the type rules (`NUMBER`, `FLOAT`, ...) with which an operation declares what it computes in and
returns. How two types combine is in `promotion`. Stands on NumPy and ml_dtypes alone.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any, NoReturn

import ml_dtypes
import numpy as np

__all__ = [
    "ABS",
    "FLOATING_KINDS",
    "ALIASES",
    "COMPARE",
    "DTYPES",
    "FLOAT",
    "FLOATING",
    "INTEGRAL",
    "LOGICAL",
    "NUMBER",
    "NUMERIC",
    "ORDER",
    "PYTHON_TYPES",
    "REAL",
    "REAL_FLOAT",
    "SUM",
    "TENSOR_NAMES",
    "Rule",
    "default",
    "default_complex",
    "dtype",
    "finfo",
    "get_default_dtype",
    "iinfo",
    "of",
    "set_default_dtype",
    "tensor_type_name",
    "when_default_changes",
]


FLOATING_KINDS = frozenset("fcVW")
"""NumPy's kinds of the dtypes that can carry gradients (ml_dtypes' types are V, complex32 is W)."""


class dtype:
    """An element type, such as ``flambeau.float32``. One object per type: compare with ``is``.

    Attributes:
        name: PyTorch's canonical name, ``"float32"``.
        numpy: the NumPy dtype that stores it.
        category: ``"bool"``, ``"int"``, ``"float"``, ``"complex"`` or ``"float8"``.
        legacy: the word in PyTorch's legacy tensor names, ``"Float"`` in ``torch.FloatTensor``.
        abbr: PyTorch's short name, ``"f32"``.
    """

    __slots__ = (
        "abbr",
        "category",
        "is_complex",
        "is_floating_point",
        "is_signed",
        "itemsize",
        "legacy",
        "name",
        "numpy",
    )

    name: str
    numpy: np.dtype[Any]
    category: str
    legacy: str
    abbr: str
    itemsize: int
    is_floating_point: builtins.bool
    is_complex: builtins.bool
    is_signed: builtins.bool

    def __new__(cls, *args: object, **kwargs: object) -> Any:
        raise TypeError("cannot create 'torch.dtype' instances")

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name

    def __copy__(self) -> dtype:
        return self

    def __deepcopy__(self, memo: object) -> dtype:
        return self

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"attribute '{name}' of 'torch.dtype' objects is not writable")

    def to_real(self) -> dtype:
        """The type of the real part: float32 for complex64, itself for a real type."""
        return _TO_REAL.get(self, self)

    def to_complex(self) -> dtype:
        """The complex type whose parts hold this type: complex64 for float32.

        Raises:
            RuntimeError: for integers, bool and float8, which have none.
        """
        if self.is_complex:
            return self
        if self not in _TO_COMPLEX:
            raise RuntimeError(f"Unknown Complex ScalarType for {self.legacy}")
        return _TO_COMPLEX[self]


_OF: dict[Any, dtype] = {}
DTYPES: dict[str, dtype] = {}


def _make(name: str, storage: Any, category: str, legacy: str, abbr: str) -> dtype:
    """Build one dtype object and enter it in the tables."""
    self: dtype = object.__new__(dtype)
    array_type = np.dtype(storage)
    floating = category in ("float", "float8")
    signed = name != "float8_e8m0fnu" if category != "int" else not name.startswith("u")
    values = {
        "name": name,
        "numpy": array_type,
        "category": category,
        "legacy": legacy,
        "abbr": abbr,
        "itemsize": array_type.itemsize,
        "is_floating_point": floating,
        "is_complex": category == "complex",
        "is_signed": signed and category != "bool",
    }
    for key, value in values.items():
        object.__setattr__(self, key, value)
    DTYPES[name] = _OF[array_type] = self
    return self


uint8 = _make("uint8", np.uint8, "int", "Byte", "u8")
int8 = _make("int8", np.int8, "int", "Char", "i8")
int16 = _make("int16", np.int16, "int", "Short", "i16")
int32 = _make("int32", np.int32, "int", "Int", "i32")
int64 = _make("int64", np.int64, "int", "Long", "i64")
uint16 = _make("uint16", np.uint16, "int", "UInt16", "u16")
uint32 = _make("uint32", np.uint32, "int", "UInt32", "u32")
uint64 = _make("uint64", np.uint64, "int", "UInt64", "u64")
float16 = _make("float16", np.float16, "float", "Half", "f16")
float32 = _make("float32", np.float32, "float", "Float", "f32")
float64 = _make("float64", np.float64, "float", "Double", "f64")
bfloat16 = _make("bfloat16", ml_dtypes.bfloat16, "float", "BFloat16", "bf16")
complex32 = _make("complex32", ml_dtypes.complex32, "complex", "ComplexHalf", "c32")
complex64 = _make("complex64", np.complex64, "complex", "ComplexFloat", "c64")
complex128 = _make("complex128", np.complex128, "complex", "ComplexDouble", "c128")
float8_e5m2 = _make("float8_e5m2", ml_dtypes.float8_e5m2, "float8", "Float8_e5m2", "f8e5m2")
float8_e4m3fn = _make(
    "float8_e4m3fn", ml_dtypes.float8_e4m3fn, "float8", "Float8_e4m3fn", "f8e4m3fn"
)
float8_e5m2fnuz = _make(
    "float8_e5m2fnuz", ml_dtypes.float8_e5m2fnuz, "float8", "Float8_e5m2fnuz", "f8e5m2fnuz"
)
float8_e4m3fnuz = _make(
    "float8_e4m3fnuz", ml_dtypes.float8_e4m3fnuz, "float8", "Float8_e4m3fnuz", "f8e4m3fnuz"
)
float8_e8m0fnu = _make(
    "float8_e8m0fnu", ml_dtypes.float8_e8m0fnu, "float8", "Float8_e8m0fnu", "f8e8m0fnu"
)
bool = _make("bool", np.bool_, "bool", "Bool", "b8")  # last: it hides the builtin in this module

PYTHON_TYPES: dict[type, dtype] = {
    builtins.bool: bool,
    int: int64,
    float: float64,
    complex: complex128,
}
"""What Python's own types stand for where a dtype is asked."""

# PyTorch's second names. The package's __init__ publishes them; this module cannot bind `int`.
ALIASES: dict[str, dtype] = {
    "short": int16,
    "int": int32,
    "long": int64,
    "half": float16,
    "float": float32,
    "double": float64,
    "chalf": complex32,
    "cfloat": complex64,
    "cdouble": complex128,
}

# The strings that Tensor.type() gives and takes, without a device word: "torch.FloatTensor".
TENSOR_NAMES: dict[str, dtype] = {f"torch.{d.legacy}Tensor": d for d in DTYPES.values()}

_TO_COMPLEX = {float16: complex32, bfloat16: complex64, float32: complex64, float64: complex128}
_TO_REAL = {complex32: float16, complex64: float32, complex128: float64}


class _ByArrayType(dict[Any, dtype]):
    """NumPy dtype -> dtype. A lookup that succeeds costs one dict access and no Python frame."""

    __slots__ = ()

    def __missing__(self, array_type: Any) -> dtype:
        found = np.dtype(array_type)
        if found in self:
            return self[found]
        if not found.isnative and found.newbyteorder("=") in self:
            raise ValueError(
                "given numpy array has byte order different from the native byte order. "
                "Conversion between byte orders is currently not supported."
            )
        raise TypeError(
            f"can't convert np.ndarray of type {found.type.__module__}.{found.type.__name__}. "
            "The only supported types are: float64, float32, float16, complex64, complex128, "
            "int64, int32, int16, int8, uint64, uint32, uint16, uint8, and bool."
        )


_BY_ARRAY_TYPE = _ByArrayType(_OF)
#: ``of(np_dtype)`` gives the dtype object. TypeError: NumPy type that no tensor holds;
#: ValueError: foreign byte order.
of: Callable[[Any], dtype] = _BY_ARRAY_TYPE.__getitem__


def tensor_type_name(kind: dtype, device_type: str = "cpu", sparse: builtins.bool = False) -> str:
    """The legacy name of such tensors: ``torch.FloatTensor``, ``torch.sparse.IntTensor``."""
    device = "" if device_type == "cpu" else f"{device_type}."
    return f"torch.{device}{'sparse.' if sparse else ''}{kind.legacy}Tensor"


_default = [float32, complex64]


def default() -> dtype:
    """The floating type that Python floats and ``FLOAT`` operations on integers become."""
    return _default[0]


def default_complex() -> dtype:
    """The complex type that Python complex numbers become beside integers and bools."""
    return _default[1]


_TOLD: list[Callable[[], None]] = []


def when_default_changes(told: Callable[[], None]) -> None:
    """Call it from here on when the default dtype has changed."""
    _TOLD.append(told)


def get_default_dtype() -> dtype:
    """The current default floating type (``torch.get_default_dtype``)."""
    return _default[0]


def set_default_dtype(d: dtype, /) -> None:
    """Make `d` the type of new floating tensors (``torch.set_default_dtype``).

    Raises:
        TypeError: `d` is no dtype, or none of float16, bfloat16, float32, float64.
    """
    if not isinstance(d, dtype):
        raise TypeError(
            "invalid dtype object: only floating-point types are supported as the default type"
        )
    if d.category == "float8":
        raise TypeError(f"couldn't find storage object {d.legacy}Storage")
    if d.category != "float":
        raise TypeError("only floating-point types are supported as the default type")
    _default[:] = d, d.to_complex()
    for rule in _RULES:
        rule.table.clear()
    for told in _TOLD:
        told()


class Rule:
    """From the promoted type of the operands to the type computed in and the type returned.

    Args:
        name: the constant's name.
        result: ``"same"`` (the computation type), ``"bool"``, or ``"real"`` (of a complex type).
        refuses: categories of dtypes that the operation does not take.
        ints_to_float: bool and integers are computed in the default floating type.
        ints_to_int64: bool and integers are computed in int64, as sums are.
        error: the exception type of a refusal. PyTorch's kernels raise NotImplementedError (which
            is a RuntimeError), its checks RuntimeError.
    """

    __slots__ = ("error", "ints_to_float", "ints_to_int64", "name", "refuses", "result", "table")

    def __init__(
        self,
        name: str,
        result: str = "same",
        refuses: frozenset[str] = frozenset({"float8"}),
        ints_to_float: builtins.bool = False,
        ints_to_int64: builtins.bool = False,
        error: type[Exception] = NotImplementedError,
    ) -> None:
        self.name, self.result, self.refuses = name, result, refuses
        self.ints_to_float, self.ints_to_int64, self.error = ints_to_float, ints_to_int64, error
        self.table: dict[Any, tuple[Any, Any]] = {}
        _RULES.append(self)

    def resolve(self, op: str, promoted: np.dtype[Any]) -> tuple[np.dtype[Any], np.dtype[Any]]:
        """(computation NumPy dtype, result NumPy dtype) for operands that promote to `promoted`.

        Raises:
            error: the type's category is among those refused.
        """
        found = self.table.get(promoted)
        if found is None:
            found = self.table[promoted] = self._work_out(op, of(promoted))
        return found

    def _work_out(self, op: str, promoted: dtype) -> tuple[np.dtype[Any], np.dtype[Any]]:
        if promoted.category in self.refuses:
            takes = [c for c in ("bool", "int", "float", "complex") if c not in self.refuses]
            raise self.error(
                f"\"{op}\" not implemented for '{promoted.legacy}': the operands promote to "
                f"{promoted.name}, {op} takes {', '.join(takes)} types. Convert with .to(dtype)."
            )
        computed = promoted
        if promoted.category in ("bool", "int"):
            if self.ints_to_float:
                computed = _default[0]
            elif self.ints_to_int64:
                computed = int64
        result = computed
        if self.result == "bool":
            result = bool
        elif self.result == "real":
            result = computed.to_real()
        return computed.numpy, result.numpy


_RULES: list[Rule] = []
_NO_COMPLEX = frozenset({"complex", "float8"})
_NO_INTS = frozenset({"bool", "int", "float8"})

NUMBER = Rule("NUMBER")
NUMERIC = Rule("NUMERIC", refuses=frozenset({"bool", "float8"}), error=RuntimeError)
FLOAT = Rule("FLOAT", ints_to_float=True)
FLOATING = Rule("FLOATING", refuses=_NO_INTS)
COMPARE = Rule("COMPARE", result="bool", refuses=frozenset())
ORDER = Rule("ORDER", result="bool", refuses=_NO_COMPLEX)
INTEGRAL = Rule("INTEGRAL", refuses=frozenset({"float", "complex", "float8"}))
LOGICAL = Rule("LOGICAL", result="bool")
REAL = Rule("REAL", refuses=_NO_COMPLEX)
REAL_FLOAT = Rule("REAL_FLOAT", refuses=_NO_COMPLEX, ints_to_float=True)
ABS = Rule("ABS", result="real", refuses=frozenset({"bool"}))
SUM = Rule("SUM", ints_to_int64=True)


# bits, eps, max, smallest_normal, resolution
_FLOAT_LIMITS: dict[dtype, tuple[int, float, float, float, float]] = {
    float64: (64, 2.0**-52, (2 - 2.0**-52) * 2.0**1023, 2.0**-1022, 1e-15),
    float32: (32, 2.0**-23, (2 - 2.0**-23) * 2.0**127, 2.0**-126, 1e-6),
    float16: (16, 2.0**-10, 65504.0, 2.0**-14, 1e-3),
    bfloat16: (16, 2.0**-7, (2 - 2.0**-7) * 2.0**127, 2.0**-126, 1e-2),
    float8_e4m3fn: (8, 2.0**-3, 448.0, 2.0**-6, 1.0),
    float8_e4m3fnuz: (8, 2.0**-3, 240.0, 2.0**-7, 1.0),
    float8_e5m2: (8, 2.0**-2, 57344.0, 2.0**-14, 1.0),
    float8_e5m2fnuz: (8, 2.0**-3, 57344.0, 2.0**-15, 1.0),
    float8_e8m0fnu: (8, 1.0, 2.0**127, 2.0**-127, 1.0),
}


class _Limits:
    """What `finfo` and `iinfo` share: equality by type, no hash, as PyTorch's objects."""

    __slots__ = ("bits", "dtype", "max", "min")
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> builtins.bool:
        return type(self) is type(other) and self.dtype == other.dtype  # type: ignore[attr-defined]


class finfo(_Limits):
    """Limits of a floating type (of the default dtype when none is given).

    A complex type answers for its parts. Attributes: bits, eps, max, min, tiny, smallest_normal,
    resolution, dtype (the type's name).

    Raises:
        TypeError: not a floating or complex type.
    """

    __slots__ = ("eps", "resolution", "smallest_normal", "tiny")

    def __init__(self, type: dtype | None = None) -> None:
        kind = default() if type is None else _dtype_argument("finfo", type)
        if kind.to_real() not in _FLOAT_LIMITS:
            raise TypeError(
                "torch.finfo() requires a floating point input type. "
                "Use torch.iinfo to handle 'torch.finfo'"
            )
        real = kind.to_real()
        self.bits, self.eps, self.max, self.tiny, self.resolution = _FLOAT_LIMITS[real]
        self.smallest_normal = self.tiny
        self.min = self.tiny if real is float8_e8m0fnu else -self.max
        self.dtype = real.name

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, "
            f"eps={self.eps:g}, smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, "
            f"dtype={self.dtype})"
        )


class iinfo(_Limits):
    """Limits of an integer type. Attributes: bits, max, min, dtype (the type's name).

    Raises:
        TypeError: not an integer type, or bool.
    """

    __slots__ = ()

    def __init__(self, type: dtype) -> None:
        kind = _dtype_argument("iinfo", type)
        if kind is bool:
            raise TypeError("torch.bool is not supported by torch.iinfo")
        if kind.category not in ("int", "quantised"):
            raise TypeError(
                "torch.iinfo() requires an integer input type. "
                "Use torch.finfo to handle 'torch.iinfo'"
            )
        self.bits = 8 * kind.itemsize
        self.min = -(2 ** (self.bits - 1)) if kind.is_signed else 0
        self.max = 2 ** (self.bits - kind.is_signed) - 1
        self.dtype = kind.name

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"


def _dtype_argument(op: str, value: Any) -> dtype:
    if isinstance(value, type) and value in PYTHON_TYPES:
        return PYTHON_TYPES[value]
    if not isinstance(value, dtype):
        given = type(value).__name__
        raise TypeError(f"{op}(): argument 'type' (position 1) must be torch.dtype, not {given}")
    return value
