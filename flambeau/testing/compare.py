"""`assert_close`: whether two values, or two nested structures of values, are equal within
tolerances.

``|actual - expected| <= atol + rtol * |expected|``, with tolerances that follow the dtype. A
mismatch is an
AssertionError that says how many elements differ, by how much at most, and where. Stands on core.
"""

from __future__ import annotations

import cmath
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from flambeau.core import dtypes
from flambeau.core.layout import sparse_bsc, sparse_bsr, sparse_coo, sparse_csc, sparse_csr, strided
from flambeau.core.promotion import promote_types
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor

__all__ = ["assert_allclose", "assert_close", "default_tolerances"]

TOLERANCES: dict[str, tuple[float, float]] = {
    "float16": (1e-3, 1e-5),
    "bfloat16": (1.6e-2, 1e-5),
    "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7),
    "complex32": (1e-3, 1e-5),
    "complex64": (1.3e-6, 1e-5),
    "complex128": (1e-7, 1e-7),
}
"""rtol, atol by dtype; every other dtype is compared exactly."""

OLDER = {"float16": (1e-3, 1e-3), "float32": (1e-4, 1e-5), "float64": (1e-5, 1e-8)}
"""What `assert_allclose` took."""

LAYOUT_NAMES = {sparse_csr: "CSR", sparse_csc: "CSC", sparse_bsr: "BSR", sparse_bsc: "BSC"}


class Mismatch(Exception):
    """A comparison that failed: the exception to raise, its text, where in the structure."""

    def __init__(self, kind: type[Exception], text: str, place: tuple[Any, ...] = ()) -> None:
        super().__init__(text)
        self.kind, self.text, self.place = kind, text, place

    def error(self, msg: str | Callable[[str], str] | None) -> Exception:
        text = self.text
        if self.place:
            item = "".join(f"[{key!r}]" for key in self.place)
            text += f"\n\nThe failure occurred for item {item}"
        if msg is not None and self.kind is AssertionError:
            text = msg(text) if callable(msg) else msg
        return self.kind(text)


class Rules:
    """The switches of one `assert_close`."""

    def __init__(
        self, rtol: float | None, atol: float | None, equal_nan: bool, **checks: bool
    ) -> None:
        if (rtol is None) != (atol is None):
            missing = "rtol" if rtol is None else "atol"
            raise Mismatch(
                ValueError,
                "Both 'rtol' and 'atol' must be either specified or omitted, but got no "
                f"{missing}.",
            )
        self.given = None if rtol is None or atol is None else (rtol, atol)
        self.equal_nan = equal_nan
        self.checks = checks

    def tolerances(self, *kinds: dtypes.dtype) -> tuple[float, float]:
        return self.given if self.given is not None else default_tolerances(*kinds)


def default_tolerances(
    *kinds: dtypes.dtype, table: dict[str, tuple[float, float]] | None = None
) -> tuple[float, float]:
    """The largest rtol and atol among those of the dtypes."""
    rows = [(table or TOLERANCES).get(kind.name, (0.0, 0.0)) for kind in kinds]
    return max(rtol for rtol, _ in rows), max(atol for _, atol in rows)


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Assert that ``|actual - expected| <= atol + rtol * |expected|`` for every element.

    Args:
        actual, expected: tensors, arrays, numbers, bools, None, or sequences and mappings of such.
        allow_subclasses: compare a subclass with its base; False asks for equal types.
        rtol, atol: both or neither; by default they follow the dtype (1.3e-6 and 1e-5 for float32).
        equal_nan: two NaNs are equal.
        check_device, check_dtype, check_layout, check_stride: these must agree as well.
        msg: the error's text, or a function of the text it would have had.

    Raises:
        AssertionError: they differ.
        TypeError: they cannot be compared.
        ValueError: one of rtol and atol alone.
    """
    try:
        rules = Rules(
            rtol,
            atol,
            equal_nan,
            subclasses=allow_subclasses,
            device=check_device,
            dtype=check_dtype,
            layout=check_layout,
            stride=check_stride,
        )
        for a, b, place in list(_pairs(actual, expected, (), allow_subclasses)):
            try:
                _compare(a, b, rules)
            except Mismatch as found:
                found.place = place
                raise
    except Mismatch as found:
        error = found.error(msg)
    else:
        return
    raise error


def assert_allclose(
    actual: Any,
    expected: Any,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = True,
    msg: str = "",
) -> None:
    """The older `assert_close`: dtypes need not agree, NaNs are equal, tolerances are wider."""
    warnings.warn(
        "`torch.testing.assert_allclose()` is deprecated since 1.12 and will be removed in a "
        "future release. "
        "Please use `torch.testing.assert_close()` instead.",
        FutureWarning,
        stacklevel=stack_level(),
    )
    a, b = _tensor(actual), _tensor(expected)
    if rtol is None and atol is None:
        rtol, atol = default_tolerances(a.dtype, b.dtype, table=OLDER)
    assert_close(
        a,
        b,
        rtol=rtol,
        atol=atol,
        equal_nan=equal_nan,
        check_device=True,
        check_dtype=False,
        check_stride=False,
        msg=msg or None,
    )


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _pairs(
    actual: Any, expected: Any, place: tuple[Any, ...], subclasses: bool
) -> Iterator[tuple[Any, Any, tuple[Any, ...]]]:
    """The leaves of two structures, side by side."""
    if _is_sequence(actual) and _is_sequence(expected):
        if len(actual) != len(expected):
            text = f"The length of the sequences mismatch: {len(actual)} != {len(expected)}"
            raise Mismatch(AssertionError, text, place)
        for k, (a, b) in enumerate(zip(actual, expected, strict=True)):
            yield from _pairs(a, b, (*place, k), subclasses)
    elif isinstance(actual, Mapping) and isinstance(expected, Mapping):
        if set(actual) != set(expected):
            raise Mismatch(
                AssertionError,
                "The keys of the mappings do not match:\n"
                f"Missing keys in the actual mapping: {sorted(set(expected) - set(actual))}\n"
                f"Additional keys in the actual mapping: {sorted(set(actual) - set(expected))}",
                place,
            )
        keys = list(actual)
        try:
            keys = sorted(keys)
        except TypeError:
            pass  # keys of several types keep their order
        for key in keys:
            yield from _pairs(actual[key], expected[key], (*place, key), subclasses)
    else:
        if not _comparable(actual, expected, subclasses):
            raise Mismatch(
                TypeError,
                f"No comparison pair was able to handle inputs of type {type(actual)} and "
                f"{type(expected)}.",
                place,
            )
        yield actual, expected, place


NUMBERS = (int, float, complex, np.number)


def _comparable(actual: Any, expected: Any, subclasses: bool) -> bool:
    if actual is None or expected is None:
        return True
    if isinstance(actual, (bool, np.bool_)) and isinstance(expected, (bool, np.bool_)):
        return True
    if isinstance(actual, NUMBERS) and isinstance(expected, NUMBERS):
        return True
    related = isinstance(actual, type(expected)) or isinstance(expected, type(actual))
    if not related or (not subclasses and type(actual) is not type(expected)):
        return False
    return isinstance(actual, (Tensor, np.ndarray, np.generic))


def _compare(actual: Any, expected: Any, rules: Rules) -> None:
    if actual is None or expected is None:
        if actual is not expected:
            raise Mismatch(AssertionError, f"None mismatch: {actual} is not {expected}")
    elif isinstance(actual, (bool, np.bool_)) and isinstance(expected, (bool, np.bool_)):
        if bool(actual) is not bool(expected):
            raise Mismatch(
                AssertionError, f"Booleans mismatch: {bool(actual)} is not {bool(expected)}"
            )
    elif isinstance(actual, NUMBERS) and isinstance(expected, NUMBERS):
        _compare_numbers(actual, expected, rules)
    else:
        _compare_tensors(_tensor(actual), _tensor(expected), rules)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _kind(value: Any) -> dtypes.dtype:
    kind = {int: "int64", float: "float64", complex: "complex128", bool: "bool"}[type(value)]
    return dtypes.DTYPES[kind]


def _compare_numbers(actual: Any, expected: Any, rules: Rules) -> None:
    a, b = _plain(actual), _plain(expected)
    if rules.checks["dtype"] and type(a) is not type(b):
        raise Mismatch(AssertionError, f"The (d)types do not match: {type(a)} != {type(b)}.")
    rtol, atol = rules.tolerances(_kind(a), _kind(b))
    if a == b or (rules.equal_nan and cmath.isnan(a) and cmath.isnan(b)):
        return
    difference = abs(a - b)
    if cmath.isfinite(difference) and difference <= atol + rtol * abs(b):
        return
    raise Mismatch(AssertionError, _scalar_text("Scalars", a, b, rtol, atol))


def _scalar_text(label: str, actual: Any, expected: Any, rtol: float, atol: float) -> str:
    difference = abs(actual - expected)
    if expected != 0:
        relative = difference / abs(expected)
    else:
        relative = float("nan") if difference == 0 else float("inf")
    exact = rtol == atol == 0
    return (
        f"{label} are not {'equal' if exact else 'close'}!\n\n"
        f"Expected {expected} but got {actual}.\n"
        f"Absolute difference: {difference}{'' if exact else f' (up to {atol} allowed)'}\n"
        f"Relative difference: {relative}{'' if exact else f' (up to {rtol} allowed)'}"
    )


def _tensor(value: Any) -> Tensor:
    if isinstance(value, Tensor):
        return value
    from flambeau.core.factory import as_tensor

    return as_tensor(value)  # type: ignore[no-any-return]


def _attribute(name: str, a: Any, b: Any) -> Mismatch:
    return Mismatch(AssertionError, f"The values for attribute '{name}' do not match: {a} != {b}.")


def _compare_tensors(actual: Tensor, expected: Tensor, rules: Rules) -> None:
    checks = rules.checks
    if actual.shape != expected.shape:
        raise _attribute("shape", actual.shape, expected.shape)
    if actual.layout is not expected.layout:
        if checks["layout"]:
            raise _attribute("layout", actual.layout, expected.layout)
    elif actual.layout is strided and checks["stride"] and actual.stride() != expected.stride():
        raise _attribute("stride()", actual.stride(), expected.stride())
    if checks["device"] and actual.device != expected.device:
        raise _attribute("device", actual.device, expected.device)
    if checks["dtype"] and actual.dtype is not expected.dtype:
        raise _attribute("dtype", actual.dtype, expected.dtype)
    if actual.device.type == "meta" or expected.device.type == "meta":
        return
    rtol, atol = rules.tolerances(actual.dtype, expected.dtype)
    actual, expected = actual.detach(), expected.detach()
    if actual.layout is not expected.layout:
        actual = actual.to_dense() if actual.layout is not strided else actual
        expected = expected.to_dense() if expected.layout is not strided else expected
    if actual.layout is sparse_coo:
        _compare_coo(actual, expected, rtol, atol, rules.equal_nan)
    elif actual.layout is not strided:
        _compare_compressed(actual, expected, rtol, atol, rules.equal_nan)
    else:
        _compare_arrays(
            _array(actual, expected), _array(expected, actual), rtol, atol, rules.equal_nan
        )


def _array(tensor: Tensor, other: Tensor) -> Any:
    """The values in the common dtype of both, bools and integers widened to int64."""
    kind = promote_types(tensor.dtype, other.dtype)
    if not kind.is_floating_point and not kind.is_complex and kind.category != "float8":
        kind = dtypes.int64 if tensor.dtype.name != "uint64" else kind
    a = tensor._array
    return a if a.dtype == kind.numpy else a.astype(kind.numpy)


def _compare_coo(
    actual: Tensor, expected: Tensor, rtol: float, atol: float, equal_nan: bool
) -> None:
    if actual.is_coalesced() != expected.is_coalesced():
        actual, expected = actual.coalesce(), expected.coalesce()
    if actual._nnz() != expected._nnz():
        raise Mismatch(
            AssertionError,
            "The number of specified values in sparse COO tensors does not match: "
            f"{actual._nnz()} != {expected._nnz()}",
        )
    _compare_arrays(
        actual._indices()._array, expected._indices()._array, 0, 0, False, "Sparse COO indices"
    )
    a, b = actual._values(), expected._values()
    _compare_arrays(_array(a, b), _array(b, a), rtol, atol, equal_nan, "Sparse COO values")


def _compare_compressed(
    actual: Tensor, expected: Tensor, rtol: float, atol: float, equal_nan: bool
) -> None:
    name = LAYOUT_NAMES[actual.layout]
    if actual._nnz() != expected._nnz():
        raise Mismatch(
            AssertionError,
            f"The number of specified values in sparse {name} tensors does not match: "
            f"{actual._nnz()} != {expected._nnz()}",
        )
    rows = name in ("CSR", "BSR")
    for part in ("crow_indices", "col_indices") if rows else ("ccol_indices", "row_indices"):
        a, b = getattr(actual, part)(), getattr(expected, part)()
        _compare_arrays(_array(a, b), _array(b, a), 0, 0, False, f"Sparse {name} {part}")
    a, b = actual.values(), expected.values()
    _compare_arrays(_array(a, b), _array(b, a), rtol, atol, equal_nan, f"Sparse {name} values")


def _compare_arrays(
    a: Any, b: Any, rtol: float, atol: float, equal_nan: bool, label: str = ""
) -> None:
    with np.errstate(all="ignore"):
        wide = a.astype(np.float32) if a.dtype.kind in "Vf" and a.dtype.itemsize < 4 else a
        other = b.astype(np.float32) if wide is not a else b
        matches = wide == other
        if equal_nan:
            matches = matches | (np.isnan(wide) & np.isnan(other))
        difference = np.abs(wide - other)
        if (rtol or atol) and not np.all(matches):
            close = np.isfinite(difference) & (difference <= atol + rtol * np.abs(other))
            matches = matches | close
    if np.all(matches):
        return
    eight_bit = dtypes.of(a.dtype).category == "float8"
    if not a.ndim and not eight_bit:
        raise Mismatch(
            AssertionError, _scalar_text(label or "Scalars", a.item(), b.item(), rtol, atol)
        )
    raise Mismatch(
        AssertionError,
        _text(
            label or "Tensor-likes",
            wide,
            other,
            np.asarray(matches),
            difference,
            rtol,
            atol,
            eight_bit,
        ),
    )


def _text(
    label: str, a: Any, b: Any, matches: Any, difference: Any, rtol: float, atol: float, first: bool
) -> str:
    """The numbers of a mismatch: how many, the greatest differences, where they are."""
    exact = rtol == atol == 0
    missed = int(matches.size - np.count_nonzero(matches))
    share = missed / matches.size
    head = f"{label} are not {'equal' if exact else 'close'}!\n\n"
    count = f"Mismatched elements: {missed} / {matches.size} ({share:.1%})\n"
    if first:
        at = tuple(int(k) for k in np.unravel_index(int(np.argmin(matches)), matches.shape))
        head = head.replace("equal", "'equal'")
        return f"{head}{count}The first mismatched element is at index {at}."
    with np.errstate(all="ignore"):
        kind = np.float32 if difference.dtype.kind in "iu" else difference.dtype
        relative = difference.astype(kind) / np.abs(b).astype(kind)
    lines = []
    for word, values, bound in (("absolute", difference, atol), ("relative", relative, rtol)):
        values = np.where(matches, values.dtype.type(0), values)
        flat = int(np.argmax(values))
        at = tuple(int(k) for k in np.unravel_index(flat, matches.shape))
        allowed = "" if exact else f" (up to {bound} allowed)"
        lines.append(
            f"Greatest {word} difference: {values.reshape(-1)[flat].item()} at index {at}{allowed}"
        )
    return head + count + "\n".join(lines)
