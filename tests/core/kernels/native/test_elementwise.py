"""Native functions against their NumPy forms: values, dtypes, shapes, special numbers, the ways out."""

from __future__ import annotations

import builtins
import os
import re
import subprocess
import sys
import threading
import warnings

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from flambeau.core import threads
from flambeau.core.kernels import smooth
from flambeau.core.kernels.jit import build
from flambeau.core.kernels.native import choose, elementwise, table
from flambeau.core.kernels.native.bessel import BESSEL
from flambeau.core.kernels.native.choose import FORMULAS
from flambeau.core.kernels.native.gammas import GAMMAS
from flambeau.core.kernels.native.polynomials import POLYNOMIALS
from flambeau.core.kernels.native.special import SPECIAL as ERRORS_AND_GAMMAS
from flambeau.core.kernels.native.walk import GRAIN
from flambeau.core.kernels.order import in_order
from flambeau.core.ops import (
    activation,
    arithmetic,
    loss,
    loss_pairs,
    math,
    power,
    rounding,
    special,
)
from flambeau.core.ops import smooth as smooth_operations
from flambeau.core.ops.smooth import _mish_on_arrays

DTYPES = {"float": "f4", "double": "f8", "i64": "i8", "i32": "i4", "i1": "?", "u8": "u1"}
SPECIAL = np.array(
    [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, -1e-40, 88.0, 89.0, -87.5, -103.5, -105.0, 0.5]
)
LONG = {"eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater",
        "ge": "greater_equal"}  # fmt: skip


def answered(ufunc):
    """The answers of a question as numbers of the dtype that was asked about."""

    def form(*arrays):
        kind = next(a.dtype for a in arrays if isinstance(a, np.ndarray))
        return ufunc(*arrays).astype(kind)

    return form


NUMPY = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "neg": np.negative,
    "abs": np.abs, "square": np.square, "sqrt": np.sqrt, "reciprocal": np.reciprocal,
    "rsqrt": lambda x: 1 / np.sqrt(x), "relu": lambda x: np.maximum(x, x.dtype.type(0)),
    "exp": np.exp, "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "tanh": np.tanh,
    "silu": lambda x: x / (1 + np.exp(-x)), "maximum": np.maximum, "minimum": np.minimum,
    "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater,
    "ge": np.greater_equal, "isnan": np.isnan, "where": np.where,
    "addcmul": lambda x, a, b: x + a * b,
    "lerp": lambda s, e, w: np.where(np.abs(w) < 0.5, s + w * (e - s), e - (e - s) * (1 - w)),
    "clamp": lambda x, low, high: np.minimum(np.maximum(x, low), high),
    "relu_backward": lambda g, out: np.where(out <= 0, g.dtype.type(0), g),
    "tanh_backward": lambda g, out: g * (1 - out * out),
    "sigmoid_backward": lambda g, out: g * ((1 - out) * out),
    "sqrt_backward": lambda g, out: g / (out + out),
    "gelu": smooth.gelu, "gelu_tanh": smooth.gelu_tanh, "softplus": smooth.softplus_scaled,
    "gelu_backward": smooth.gelu_backward, "gelu_tanh_backward": smooth.gelu_tanh_backward,
    "silu_backward": smooth.silu_backward, "softplus_backward": smooth.softplus_backward,
    "inside_backward": lambda g, x, low, high: np.where(
        (x >= low) & (x <= high), g, g.dtype.type(0)
    ),
    "rsqrt_backward": math._rsqrt_slope,
    "gated": lambda a, b: a * smooth.sigmoid(b), "gated_backward": smooth_operations._gated_backward,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "sinc": math._sinc, "log": np.log, "log1p": np.log1p, "erf": smooth.erf,
    "leaky_relu": lambda x, slope: np.where(x > 0, x, x * x.dtype.type(slope)),
    "leaky_relu_backward": lambda g, x, slope: np.where(x > 0, g, g * g.dtype.type(slope)),
    "smooth_l1_loss": loss_pairs._smooth_plainly, "huber_loss": loss_pairs._huber_plainly,
    "smooth_l1_loss_backward": loss_pairs._smooth_slope,
    "huber_loss_backward": loss_pairs._huber_slope,
    "mse_loss": loss._squares, "mse_loss_backward": loss._twice_apart,
    "logits_loss": loss_pairs._logits_plainly, "logits_loss_backward": loss_pairs._logits_slope,
}  # fmt: skip
ASKED = (
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "logical_not",
    "logical_and",
    "logical_or",
    "logical_xor",
)
NUMPY |= {f"{name}_answered": answered(getattr(np, LONG.get(name, name))) for name in ASKED}
PIECEWISE = {
    "angle": lambda x: np.where(np.isnan(x), x, np.where(x < 0, x.dtype.type(np.pi), x.dtype.type(0))),
    "logit_of": lambda x: np.log(x / (1 - x)),
    "prelu_kernel": lambda x, w: np.where(x > 0, x, w * x),
    "rounded_up_to": rounding._to_places_by_numpy,
    "floor": np.floor, "ceil": np.ceil, "trunc": np.trunc, "round": lambda x: np.rint(x).astype(x.dtype),
    "frac": lambda x: x - np.trunc(x), "sign": rounding._sign, "sgn": rounding._sign,
    "zero": np.zeros_like, "rsub": lambda a, b: b - a, "heaviside": lambda x, v: np.where(x == 0, v, (x > 0).astype(x.dtype)),
    "fill": lambda x, value: np.full_like(x, value), "copy": lambda x, value: value.copy(),
    "fmod": np.fmod, "remainder": rounding._remainder, "floor_divide": arithmetic._floor_divide_kernel,
    "div_floor": arithmetic._floor_divide_kernel, "div_trunc": lambda a, b: np.trunc(a / b).astype(a.dtype),
    "copysign": np.copysign, "clamp_min": np.maximum, "clamp_max": np.minimum, "fmax": np.fmax,
    "fmin": np.fmin, "isinf": np.isinf, "isfinite": np.isfinite, "isposinf": np.isposinf,
    "isneginf": np.isneginf, "isreal": np.isreal, "logical_not": np.logical_not,
    "hardtanh": lambda x, low, high: np.minimum(np.maximum(x, x.dtype.type(low)), high),
    "hardsigmoid": lambda x: np.minimum(np.maximum(x + x.dtype.type(3), 0), 6) / x.dtype.type(6),
    "hardswish": lambda x: x * np.minimum(np.maximum(x + x.dtype.type(3), 0), 6) / x.dtype.type(6),
    "hardshrink": lambda x, bound: np.where((x >= -bound) & (x <= bound), x.dtype.type(0), x),
    "softshrink": lambda x, bound: np.where(
        x > bound, x - bound, np.where(x < -bound, x + bound, x * 0)
    ),
    "threshold": lambda x, bound, value: np.where(x <= bound, x.dtype.type(value), x),
    "elu": activation._elu, "celu": lambda x, alpha: activation._elu(x, alpha, 1.0, 1 / alpha),
    "logsigmoid": lambda x: np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x))),
    "mish": lambda x: x * np.tanh(smooth.softplus(x)), "xlogy": special._xlogy,
    "addcdiv": lambda x, a, b: x + a / b, "nan_to_num": lambda x, *to: x if x.dtype.kind == "i" else rounding._replaced_by_numpy(x, *to), "signbit": np.signbit, "logaddexp": np.logaddexp,
    "hypot": np.hypot, "expm1": np.expm1,
    "addcmul_scaled": lambda x, a, b, scale: x + x.dtype.type(scale) * a * b,
    "addcdiv_scaled": lambda x, a, b, scale: x + x.dtype.type(scale) * a / b,
    "add_scaled": lambda x, y, scale: x + x.dtype.type(scale) * y,
    "sub_scaled": lambda x, y, scale: x - x.dtype.type(scale) * y,
    "masked_fill": lambda x, mask, value: np.where(mask, x.dtype.type(value), x),
    "whole_power": power._integer_power,
    "power_of": lambda x, y: np.power(x, y, dtype="f8").astype(x.dtype),
    "hardsigmoid_backward": lambda g, x: np.where(
        (x > -3) & (x < 3), g * g.dtype.type(1 / 6), g.dtype.type(0)
    ),
    "hardswish_backward": activation._hardswish_on_arrays,
    "outside_backward": lambda g, x, bound: np.where(
        (x < -bound) | (x > bound), g, g.dtype.type(0)
    ),
    "between_backward": lambda g, x, low, high: np.where(
        (x > low) & (x < high), g, g.dtype.type(0)
    ),
    "above_backward": lambda g, x, bound: np.where(x <= bound, g.dtype.type(0), g),
    "elu_backward": activation._elu_on_arrays,
    "celu_backward": lambda g, x, alpha: activation._elu_on_arrays(g, x, 1.0, 1 / alpha),
    "logsigmoid_backward": lambda g, x: g * smooth.sigmoid(-x),
    "mish_backward": _mish_on_arrays,
    "keep_where": lambda mask, g: np.where(mask, g, g.dtype.type(0)),
}  # fmt: skip
NUMPY |= PIECEWISE

NUMBERS_LAST = {
    "mse_loss_backward": 1, "logits_loss_backward": 1,
    "clamp": 2, "inside_backward": 2, "softplus": 2, "softplus_backward": 2, "leaky_relu": 1,
    "leaky_relu_backward": 1, "fill": 1, "rounded_up_to": 1, "hardtanh": 2, "hardshrink": 1,
    "softshrink": 1, "threshold": 2, "elu": 3, "celu": 1, "nan_to_num": 3, "addcmul_scaled": 1,
    "addcdiv_scaled": 1, "add_scaled": 1, "sub_scaled": 1, "masked_fill": 1, "outside_backward": 1, "between_backward": 2, "above_backward": 1,
    "elu_backward": 2, "celu_backward": 1, "smooth_l1_loss": 1, "huber_loss": 1,
    "smooth_l1_loss_backward": 1, "huber_loss_backward": 1,
}  # fmt: skip

pytestmark = pytest.mark.skipif(
    not build.available(), reason="no code can be generated here: there is only the NumPy form"
)


@pytest.fixture(scope="module")
def functions():
    """By name: the native function, and the calls that went to the NumPy form."""
    found = {}
    for name, reference in NUMPY.items():
        calls: list = []

        def slow(*arrays, reference=reference, calls=calls):
            calls.append(arrays)
            return reference(*arrays)

        found[name] = choose.native(name, slow), calls
    return found


def operands(name, dtype, shape, rng):
    formula = FORMULAS[name]
    found = [np.asarray(rng.standard_normal(shape) * 3).astype(dtype) for _ in range(formula.arity)]
    for array in found:
        if dtype[0] == "f" and array.size > 2 * len(SPECIAL):
            rng.shuffle(array.reshape(-1)[:1])
            array.reshape(-1)[: len(SPECIAL)] = rng.permutation(SPECIAL)
    if formula.divisor is not None and dtype[0] == "i":
        found[formula.divisor][found[formula.divisor] == 0] = -2
    if formula.condition is not None:
        found[formula.condition] = np.asarray(found[formula.condition] > 0)
    for k in range(NUMBERS_LAST.get(name, 0)):
        found[-1 - k] = (
            2 if dtype[0] == "i" else [0.75, 1.5 if "softplus" in name else -0.5, 1.25][k]
        )
    return found


SMOOTH = {"gated", "gated_backward", "gelu", "gelu_tanh", "softplus", "gelu_backward", "gelu_tanh_backward",
          "silu_backward", "softplus_backward", "mish", "mish_backward", "logsigmoid", "tanh_backward",
          "logsigmoid_backward", "elu", "celu", "logits_loss"}  # fmt: skip


def assert_smooth(got, name, given):
    """Near what double precision gives: the NumPy forms round differently, in the tails by more."""
    exact = [x.astype("f8") if isinstance(x, np.ndarray) else x for x in given]
    with np.errstate(all="ignore"):
        want = np.asarray(NUMPY[name](*exact))
    tolerance = 2e-6 if got.dtype == np.float32 else 1e-14
    arrays = [x for x in exact if isinstance(x, np.ndarray)]
    usual = np.all([np.abs(x) < 12 for x in arrays], axis=0)  # no infinity, no NaN
    size = 1 + np.abs(exact[0]).max(where=usual, initial=0)  # a gradient multiplies what is lost
    np.testing.assert_allclose(got[usual], want[usual], rtol=5 * tolerance, atol=size * tolerance)
    lost = np.any([np.isnan(x) for x in arrays], axis=0)
    assert np.isnan(got[lost]).all()


def assert_same(got, want, dtype):
    assert type(got) is np.ndarray and got.dtype == want.dtype and got.shape == want.shape
    tolerance = {"f4": 1e-6, "f8": 1e-14}.get(dtype, 0)
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=1e-44)


FUSED = {"addcmul", "addcmul_scaled", "add_scaled", "sub_scaled", "lerp"}


def assert_fused(got, want, given):
    """A product and its sum are rounded once: off by the last digit of what was added."""
    if got.dtype.kind == "i":
        np.testing.assert_array_equal(got, want)
        return
    size = np.max([np.abs(x).max(where=np.isfinite(x), initial=1) for x in map(np.asarray, given)])
    tolerance = 4 * np.finfo(got.dtype).eps
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance * size**2)


def test_every_formula_has_its_reference():
    late = ERRORS_AND_GAMMAS | BESSEL | GAMMAS | POLYNOMIALS  # which have tests of their own
    assert set(NUMPY) == set(FORMULAS) - set(late)


@pytest.mark.parametrize("name", sorted(NUMPY))
def test_values_are_the_numpy_forms(functions, name):
    function, calls = functions[name]
    rng = np.random.default_rng(1)
    for type in FORMULAS[name].types:
        for shape in ((4, 4), (), (1,), (3, 0), (257,), (5, 1, 7), (1000,)):
            given = operands(name, DTYPES[type], shape, rng)
            with np.errstate(all="ignore"):
                want = np.asarray(NUMPY[name](*given))
            got = function(*given)
            if name in SMOOTH:
                assert got.dtype == want.dtype
                assert_smooth(got, name, given)
            elif name in FUSED:
                assert_fused(got, want, given)
            else:
                assert_same(got, want, DTYPES[type])
    assert not calls, "these operands are the function's own"


BINARY = ["add", "mul", "div", "maximum", "lt", "relu_backward"]


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(BINARY),
    shape=st.lists(st.integers(0, 5), max_size=3),
    how=st.lists(
        st.sampled_from(["same", "spread", "0-d", "number", "turned", "row", "other"]),
        min_size=2,
        max_size=2,
    ),
    seed=st.integers(0, 1000),
)
def test_any_operands_give_what_numpy_gives(name, shape, how, seed):
    rng = np.random.default_rng(seed)

    def make(kind):
        x = np.asarray(rng.standard_normal(shape)).astype("f4")
        return {
            "same": lambda: x,
            "spread": lambda: np.broadcast_to(np.float32(0.5), shape),
            "0-d": lambda: np.asarray(np.float32(2.5)),
            "number": lambda: 3 if seed % 2 else 0.25,
            "turned": lambda: np.asarray(x.T.copy().T),
            "row": lambda: x[..., :1] if shape else x,
            "other": lambda: x.astype("f8"),
        }[kind]()

    given = [make(kind) for kind in how]
    if not isinstance(given[0], np.ndarray):
        given[0] = np.asarray(rng.standard_normal(shape)).astype("f4")
    function = choose.native(name, NUMPY[name])
    with np.errstate(all="ignore"):
        try:
            want = NUMPY[name](*given)
        except ValueError as error:
            with pytest.raises(type(error)):
                function(*given)
            return
        got = function(*given)
    np.testing.assert_array_equal(got, want)
    assert np.asarray(got).dtype == np.asarray(want).dtype


def test_results_can_go_into_an_operand_but_not_into_half_of_one(functions):
    add, calls = functions["add"]
    a, b = np.arange(8.0), np.ones(8)
    assert add(a, b, a) is a
    assert a.tolist() == [k + 1.0 for k in range(8)]
    shifted = np.arange(9.0)
    function = choose.native("add", np.add)
    function(shifted[:-1], shifted[:-1], shifted[1:])
    assert shifted.tolist() == [0, 0, 2, 4, 6, 8, 10, 12, 14]
    frozen = np.zeros(8)
    frozen.flags.writeable = False
    with pytest.raises(ValueError):
        function(a, b, frozen)
    calls.clear()


def test_large_python_integers_and_nan_go_the_right_way(functions):
    add = choose.native("add", np.add)
    assert add(np.ones(2, "f4"), -1).tolist() == [0, 0]
    assert add(np.ones(2, "i8"), -1).tolist() == [0, 0]
    with pytest.raises(OverflowError):
        add(np.ones(2, "i8"), 1 << 70)
    with pytest.raises(TypeError):
        add(np.ones(2, "f4"), "a")
    with pytest.raises(TypeError):
        add(np.ones(2, "f4"))


def test_no_reference_is_lost_or_kept(functions):
    add, calls = functions["add"]
    a, b = np.ones((4, 4), "f4"), np.ones((4, 4), "f4")
    kind = np.dtype("f4")
    before = [sys.getrefcount(x) for x in (a, b, kind)]
    for _ in range(1000):
        add(a, b), add(a, 2.0), add(a, b, a)
    after = [sys.getrefcount(x) for x in (a, b, kind)]
    assert all(abs(x - y) < 5 for x, y in zip(before, after, strict=True))
    calls.clear()


def test_fused_rules_are_the_rule_digit_for_digit():
    rule = lambda g, out: g * (1 - out) * out / 3.0
    function = choose.fused("vjp_test", rule)
    g, out = np.random.default_rng(0).standard_normal((2, 33)).astype("f4")
    np.testing.assert_array_equal(function(g, out), rule(g, out))
    spread = np.broadcast_to(np.float32(1.5), (33,))
    np.testing.assert_array_equal(function(spread, out), rule(spread, out))
    named = lambda g, out: np.sin(g) * out
    assert choose.fused("vjp_named", named) is named
    nothing = lambda g: None
    assert choose.fused("vjp_nothing", nothing) is nothing


def test_layouts_were_tried_on_this_interpreter():
    assert table.trusted()


def test_without_generated_code_results_are_the_same():
    code = (
        "import flambeau as t\n"
        "x = t.linspace(-3, 3, 7, requires_grad=True)\n"
        "(x * x + x).relu().clamp(0.5, 4.0).sum().backward()\n"
        "print(x.grad.tolist(), (x > 0).tolist(), t.where(x > 1, x, 0.0).tolist())"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "FLAMBEAU_JIT": jit},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for jit in ("0", "1")
    ]
    assert said[0] == said[1]


def test_no_warning_reaches_the_user():
    import flambeau as torch

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.isinf(torch.ones(3) / torch.zeros(3)).all()
        assert torch.isinf((torch.ones(3) * 100).exp()).all()


LARGE = 2 * GRAIN + 77


@pytest.mark.parametrize("name", ["exp", "mul", "where", "lt", "clamp"])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_large_arrays_do_not_depend_on_the_number_of_threads(functions, name, dtype):
    function, calls = functions[name]
    rng = np.random.default_rng(3)
    arity = FORMULAS[name].arity
    operands = [rng.standard_normal(LARGE).astype(dtype) for _ in range(arity)]
    if name == "where":
        operands[0] = operands[0] > 0
    if name == "clamp":
        operands[1:] = [-0.5, 0.5]
    before, calls[:] = threads.count(), []
    try:
        found = []
        for count in (1, 2, 3):
            threads.set_count(count)
            found.append(function(*operands))
    finally:
        threads.set_count(before)
    assert not calls
    np.testing.assert_allclose(found[0], NUMPY[name](*operands), rtol=3e-7)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_large_arrays_are_written_in_place(functions):
    function, calls = functions["add"]
    calls.clear()
    a, b = np.arange(LARGE, dtype="f4"), np.full(LARGE, 2, "f4")
    assert function(a, b, a) is a and function(b, a, a) is a and function(a, 1, a) is a
    np.testing.assert_array_equal(a, np.arange(LARGE, dtype="f4") + 5)
    assert not calls


def test_other_python_threads_run_meanwhile(functions):
    function, _ = functions["exp"]
    a = np.zeros(4 * LARGE, "f4")

    def work():
        for _ in range(20):
            assert function(a)[-1] == 1

    workers = [threading.Thread(target=work) for _ in range(3)]
    [w.start() for w in workers]
    [w.join(60) for w in workers]
    assert not any(w.is_alive() for w in workers)


@pytest.mark.parametrize("name", ["exp", "gelu_backward", "tanh", "clamp", "softplus"])
def test_loops_stay_in_registers(name):
    text = build.compiled(
        elementwise.module(name, FORMULAS[name]), build.host(), assembly=True
    ).splitlines()
    text = text[: text.index(f"{name}:")]  # what follows looks at arguments
    vectors = [line for line in text if re.search(r"%[yz]mm|\bv\d+\.", line)]
    stored = r"%[yz]mm\d+, -?\w*\((%rsp|%rbp)|st[rp]\s+q\d+.*\[sp"  # a register put away
    spilled = [line for line in vectors if re.search(stored, line)]
    assert vectors and not spilled


GEOMETRIES = {
    "row": lambda x: x[0, 0], "column": lambda x: x[..., :1], "slice": lambda x: x[:, 1:, ::2],
    "turned": lambda x: x.transpose(0, 2, 1), "backward": lambda x: x[::-1], "whole": lambda x: x,
    "spread": lambda x: np.broadcast_to(x[:1], x.shape), "higher": lambda x: x[None],
    "other": lambda x: x[:2, :2, :2],
}  # fmt: skip


@pytest.mark.parametrize("name", ["add", "lt", "relu_backward", "exp", "neg"])
@pytest.mark.parametrize("type", ["f4", "f8", "i8"])
def test_other_geometries(functions, name, type):
    if type == "i8" and name in ("relu_backward", "exp"):
        return
    function, calls = functions[name]
    calls.clear()
    rng = np.random.default_rng(5)
    served = 0
    for one in GEOMETRIES.values():
        for two in GEOMETRIES.values():
            arrays = [how((rng.standard_normal((3, 4, 4)) * 4).astype(type)) for how in (one, two)]
            given = arrays[: FORMULAS[name].arity]
            try:
                want = NUMPY[name](*given)
            except ValueError as error:
                with pytest.raises(builtins.type(error)):
                    function(*given)
                continue
            before = len(calls)
            got = function(*given)
            if before == len(calls):
                served += 1
                want = in_order(want, given)  # as PyTorch lays it
            assert_same(got, want, type)
            assert got.strides == want.strides
    assert served >= 9


@pytest.mark.parametrize("type", ["f4", "f8"])
def test_exp_of_what_is_nothing(functions, type):
    x = np.array([-103.9, -104, -104.1, -745, -746, -747, -9999, -1e4, -1e5, -2e5, -1e30], type)
    with np.errstate(under="ignore"):
        want = np.exp(x)
    np.testing.assert_allclose(
        functions["exp"][0](x), want, 1e-14, 5e-324 if type == "f8" else 2e-45
    )
