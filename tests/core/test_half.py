"""16-bit floats are rounded where PyTorch rounds them: the same numbers, not only close ones.

The order of a float32 sum may turn the last digit of one element in a hundred; a rounding at
another place turns more.
"""

from __future__ import annotations

from typing import Any

import pytest

import flambeau

DTYPES = ("bfloat16", "float16")


def drawn(engine: Any, dtype: str, *shape: int) -> Any:
    engine.manual_seed(3)
    return (engine.rand(*shape) * 4 - 2).to(getattr(engine, dtype))


def apart(ours: Any, theirs: Any) -> float:
    """The share of elements that are not the same number."""
    pairs = list(zip(ours.flatten().tolist(), theirs.flatten().tolist(), strict=True))
    return sum(a != b for a, b in pairs) / len(pairs)


def log_softmax(engine: Any, dtype: str) -> Any:
    return drawn(engine, dtype, 20, 5).log_softmax(1)


def addbmm(engine: Any, dtype: str) -> Any:
    args = [drawn(engine, dtype, *shape) for shape in ((5, 9), (6, 5, 4), (6, 4, 9))]
    return engine.addbmm(*args, beta=0.5, alpha=0.25)


def linspace(engine: Any, dtype: str) -> Any:
    return engine.linspace(-2.1, 1, 1000, dtype=getattr(engine, dtype))


def logspace(engine: Any, dtype: str) -> Any:
    return engine.logspace(4.3, -3, 100, dtype=getattr(engine, dtype))


def adaptive_avg_pool3d(engine: Any, dtype: str) -> Any:
    x = drawn(engine, dtype, 2, 3, 7, 8, 5)
    return engine.nn.functional.adaptive_avg_pool3d(x, (3, 5, 4))


def linear(engine: Any, dtype: str) -> Any:
    x = drawn(engine, dtype, 2, 3, 7)
    return engine.nn.functional.interpolate(x, size=11, mode="linear")


def trilinear(engine: Any, dtype: str) -> Any:
    x = drawn(engine, dtype, 2, 3, 4, 3, 5)
    return engine.nn.functional.interpolate(x, size=(3, 5, 7), mode="trilinear")


def bicubic(engine: Any, dtype: str) -> Any:
    x = drawn(engine, dtype, 2, 3, 4, 5)
    return engine.nn.functional.interpolate(x, size=(5, 7), mode="bicubic")


def conv_transpose2d(engine: Any, dtype: str) -> Any:
    x, w, b = (drawn(engine, dtype, *shape) for shape in ((2, 4, 4, 5), (4, 2, 3, 4), (4,)))
    options: Any = {"stride": (3, 2), "padding": 1, "output_padding": (2, 3), "dilation": 4}
    return engine.nn.functional.conv_transpose2d(x, w, b, groups=2, **options)


def grids(mode: str, padding: str) -> Any:
    def grid_sample(engine: Any, dtype: str) -> Any:
        x, grid = drawn(engine, dtype, 2, 3, 5, 6), drawn(engine, dtype, 2, 7, 4, 2) * 0.5
        return engine.nn.functional.grid_sample(x, grid, mode, padding, align_corners=False)

    return grid_sample


def nll_loss(engine: Any, dtype: str) -> Any:
    x, target = drawn(engine, dtype, 1000, 3), engine.arange(1000) % 3
    return engine.nn.functional.nll_loss(x * x, target)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "function",
    [
        nll_loss,
        conv_transpose2d,
        grids("bilinear", "zeros"),
        grids("bilinear", "border"),
        grids("bilinear", "reflection"),
        grids("bicubic", "zeros"),
        log_softmax,
        addbmm,
        linspace,
        logspace,
        adaptive_avg_pool3d,
        linear,
        trilinear,
        bicubic,
    ],
)
def test_digits(function: Any, dtype: str, oracle: Any) -> None:
    assert apart(function(flambeau, dtype), function(oracle, dtype)) <= 0.01


def by_a_number(engine: Any, dtype: str) -> Any:
    """Every operator with a number (or a float32 tensor without dimensions) on either side."""
    x = drawn(engine, dtype, 400)
    p, one = x.abs(), engine.tensor(1.1)
    found = [x * 1.1, 1.1 * x, x / 1.1, 1.1 / x, x * 301, x * one, one * x, x / one, x + one]
    found += [x + 1.1, 1.1 - x, x // 1.1, x % 0.3, 1.1 % x, p**1.1, 1.1**x, p**one]
    found += [x.clone().mul_(1.1), x.clone().div_(1.1), x.clone().add_(1.1), x * 70000.0 * 1e-4]
    found += [engine.div(x, 0.1, rounding_mode="trunc"), engine.div(x, 1.1, rounding_mode="floor")]
    found += [engine.div(x, p, rounding_mode="trunc"), engine.fmod(x, 0.3)]
    found += [engine.xlogy(x, 0.3), engine.xlogy(0.3, p), engine.special.xlog1py(x, p)]
    found += [x.sigmoid().logit(0.001), x.sigmoid().logit()]
    return engine.cat(found)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_number_keeps_its_digits_where_pytorch_keeps_them(dtype: str, oracle: Any) -> None:
    ours, theirs = (by_a_number(engine, dtype) for engine in (flambeau, oracle))
    assert apart(ours.nan_to_num(7.0), theirs.nan_to_num(7.0)) <= 0.001


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("parameters", ["none", "half", "single"])
def test_batch_statistics(parameters: str, dtype: str, oracle: Any) -> None:
    found = []
    for engine in (flambeau, oracle):
        weight = None
        if parameters != "none":
            weight = engine.ones(
                9, dtype=getattr(engine, dtype if parameters == "half" else "float")
            )
        x = drawn(engine, dtype, 5, 9, 16)
        out = engine.native_batch_norm(x, weight, weight, None, None, True, 0.1, 1e-5)
        found.append(([str(each.dtype).partition(".")[2] for each in out], out[0]))
    assert found[0][0] == found[1][0]
    assert apart(found[0][1], found[1][1]) <= 0.01


@pytest.mark.parametrize("dtype", DTYPES)
def test_attention_with_dropout_is_rounded_once(dtype: str, oracle: Any) -> None:
    found = []
    for engine in (flambeau, oracle):
        q, k, v = (drawn(engine, dtype, 2, n, 8) for n in (5, 6, 6))
        attend = engine.nn.functional.scaled_dot_product_attention
        found.append(attend(q, k, v, dropout_p=0.5).float())
    assert apart(*found) <= 0.02  # one of 80 elements may lie halfway between two
