"""Convolution, pooling, padding and image functions against PyTorch: values, strides, two
gradients.

Every case is a function name, the shapes of its tensors and its options; both engines run it on the
same float64 numbers, differentiate it, and differentiate the gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from flambeau.autograd.backward import grad
from flambeau.core.declare import FUNCTIONS
from flambeau.core.dtypes import DTYPES as DTYPES_HERE
from flambeau.core.ir.abstract import Abstract
from flambeau.core.tensor import wrap
from flambeau.nn.functional import conv, padding, pooling, vision

CASES: list[tuple[str, list[tuple[int, ...]], dict[str, Any]]] = [
    ("conv1d", [(2, 3, 8), (4, 3, 3), (4,)], {}),
    ("conv1d", [(3, 8), (4, 3, 3), (4,)], {"padding": "same"}),
    ("conv1d", [(2, 3, 8), (4, 3, 4)], {"padding": "same"}),
    ("conv2d", [(2, 3, 7, 6), (4, 3, 3, 2), (4,)], {}),
    ("conv2d", [(2, 3, 7, 6), (4, 3, 3, 2), (4,)], {"stride": 2, "padding": (1, 1), "dilation": 2}),
    ("conv2d", [(2, 4, 7, 6), (6, 2, 3, 3), (6,)], {"groups": 2, "stride": (2, 1), "padding": 1}),
    ("conv2d", [(2, 4, 7, 6), (4, 1, 3, 3), (4,)], {"groups": 4, "padding": 1}),
    ("conv2d", [(2, 4, 7, 6), (8, 1, 3, 3)], {"groups": 4, "stride": 2}),
    ("conv2d", [(2, 20, 5, 5), (3, 20, 3, 3), (3,)], {"padding": 1}),
    ("conv2d", [(2, 20, 5, 5), (3, 20, 3, 3), (3,)], {"padding": 1, "stride": 2}),
    ("conv2d", [(2, 4, 5, 5), (3, 4, 1, 1), (3,)], {}),
    ("conv2d", [(4, 5, 5), (3, 4, 1, 1), (3,)], {"stride": 2}),
    ("conv2d", [(2, 4, 5, 5), (3, 4, 3, 3), (3,)], {"padding": "valid"}),
    ("conv2d", [(0, 4, 5, 5), (3, 4, 3, 3), (3,)], {}),
    ("conv3d", [(2, 2, 4, 5, 4), (3, 2, 2, 3, 2), (3,)], {"stride": (1, 2, 1), "padding": 1}),
    ("conv_transpose1d", [(2, 3, 5), (3, 4, 3), (4,)], {"stride": 2, "output_padding": 1}),
    ("conv_transpose2d", [(2, 3, 5, 4), (3, 4, 3, 2), (4,)], {}),
    ("conv_transpose2d", [(2, 4, 5, 4), (4, 3, 3, 3), (6,)], {"groups": 2, "stride": 2, "padding": 1, "output_padding": 1}),
    ("conv_transpose2d", [(3, 5, 4), (3, 4, 3, 2)], {"dilation": 2, "output_padding": 1}),
    ("conv_transpose3d", [(1, 2, 3, 3, 3), (2, 2, 2, 2, 2), (2,)], {"stride": 2}),
    ("conv_tbc", [(5, 2, 3), (3, 3, 4), (4,)], {"pad": 1}),
    ("max_pool1d", [(2, 3, 9)], {"kernel_size": 3, "stride": 2, "padding": 1}),
    ("max_pool2d", [(2, 3, 8, 8)], {"kernel_size": 2}),
    ("max_pool2d", [(3, 7, 9)], {"kernel_size": (2, 3)}),
    ("max_pool2d", [(2, 3, 8, 8)], {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
    ("max_pool2d", [(2, 3, 8, 8)], {"kernel_size": 3, "stride": 1, "dilation": 2}),
    ("max_pool3d", [(2, 2, 4, 6, 4)], {"kernel_size": 2}),
    ("avg_pool1d", [(2, 3, 9)], {"kernel_size": 3, "stride": 2, "padding": 1}),
    ("avg_pool2d", [(2, 3, 8, 8)], {"kernel_size": 2}),
    ("avg_pool2d", [(2, 3, 8, 7)], {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True, "count_include_pad": False}),
    ("avg_pool2d", [(3, 8, 7)], {"kernel_size": 3, "divisor_override": 5}),
    ("avg_pool3d", [(2, 2, 4, 6, 4)], {"kernel_size": 2, "stride": 1}),
    ("adaptive_avg_pool1d", [(2, 3, 8)], {"output_size": 3}),
    ("adaptive_avg_pool2d", [(2, 3, 8, 6)], {"output_size": 2}),
    ("adaptive_avg_pool2d", [(3, 7, 6)], {"output_size": (3, None)}),
    ("adaptive_avg_pool2d", [(2, 3, 7, 6)], {"output_size": 1}),
    ("adaptive_avg_pool3d", [(2, 2, 5, 4, 3)], {"output_size": (2, 3, 1)}),
    ("adaptive_max_pool1d", [(2, 3, 8)], {"output_size": 3}),
    ("adaptive_max_pool2d", [(2, 3, 8, 7)], {"output_size": (2, 3)}),
    ("adaptive_max_pool3d", [(2, 5, 4, 3)], {"output_size": (2, 3, 1)}),
    ("lp_pool1d", [(2, 3, 8)], {"norm_type": 2, "kernel_size": 3}),
    ("lp_pool2d", [(2, 3, 8, 7)], {"norm_type": 2.0, "kernel_size": 2, "ceil_mode": True}),
    ("unfold", [(2, 3, 6, 5)], {"kernel_size": 2, "stride": 2, "padding": 1}),
    ("unfold", [(3, 6, 5)], {"kernel_size": (2, 3), "dilation": 2}),
    ("fold", [(2, 12, 20)], {"output_size": (5, 6), "kernel_size": 2}),
    ("fold", [(12, 12)], {"output_size": (5, 6), "kernel_size": 2, "stride": 2, "padding": 1}),
    ("pad", [(2, 3, 5)], {"pad": (1, 2)}),
    ("pad", [(2, 3, 5, 4)], {"pad": (1, -2, 0, 3), "value": 1.5}),
    ("pad", [(2, 5)], {"pad": (3, 1), "mode": "reflect"}),
    ("pad", [(2, 3, 5, 4)], {"pad": (1, 2, 3, 0), "mode": "reflect"}),
    ("pad", [(2, 3, 5, 4)], {"pad": (1, 6, 3, 0), "mode": "replicate"}),
    ("pad", [(2, 3, 5, 4)], {"pad": (4, 1, -1, 2), "mode": "circular"}),
    ("pad", [(1, 2, 3, 4, 3)], {"pad": (1, 1, 2, 0, 1, 2), "mode": "reflect"}),
    ("interpolate", [(2, 3, 5)], {"scale_factor": 2}),
    ("interpolate", [(2, 3, 5)], {"size": 8, "mode": "linear"}),
    ("interpolate", [(2, 3, 5, 4)], {"size": (3, 9)}),
    ("interpolate", [(2, 3, 5, 4)], {"scale_factor": 1.7, "mode": "nearest-exact"}),
    ("interpolate", [(2, 3, 5, 4)], {"scale_factor": (1.7, 0.6), "mode": "bilinear"}),
    ("interpolate", [(2, 3, 5, 4)], {"scale_factor": 1.7, "mode": "bilinear", "recompute_scale_factor": True}),
    ("interpolate", [(2, 3, 5, 4)], {"size": 8, "mode": "bilinear", "align_corners": True}),
    ("interpolate", [(2, 3, 5, 4)], {"size": 8, "mode": "bicubic"}),
    ("interpolate", [(2, 3, 9, 8)], {"size": (4, 3), "mode": "bilinear", "antialias": True}),
    ("interpolate", [(2, 3, 9, 8)], {"size": (4, 3), "mode": "bicubic", "antialias": True}),
    ("interpolate", [(2, 3, 9, 8)], {"size": (4, 3), "mode": "area"}),
    ("interpolate", [(1, 2, 3, 4, 3)], {"scale_factor": 2.0, "mode": "trilinear"}),
    ("pixel_shuffle", [(2, 8, 3, 2)], {"upscale_factor": 2}),
    ("pixel_unshuffle", [(2, 2, 6, 4)], {"downscale_factor": 2}),
    ("channel_shuffle", [(2, 6, 3, 2)], {"groups": 3}),
    ("affine_grid", [(2, 2, 3)], {"size": (2, 1, 3, 4), "align_corners": False}),
    ("affine_grid", [(1, 3, 4)], {"size": (1, 1, 3, 2, 4), "align_corners": True}),
    *(
        ("grid_sample", [(2, 2, 5, 4), (2, 3, 3, 2)], {"mode": mode, "padding_mode": border, "align_corners": align})
        for mode in ("bilinear", "nearest", "bicubic")
        for border in ("zeros", "border", "reflection")
        for align in (False, True)
    ),
    ("grid_sample", [(1, 2, 4, 3, 3), (1, 2, 2, 2, 3)], {"align_corners": False}),
]  # fmt: skip


def ours(name: str) -> Any:
    """The function under its public name."""
    for room in (conv, pooling, padding, vision):
        if name in room.__all__:
            return getattr(room, name)
    return FUNCTIONS[name]


def label(case: tuple[Any, ...]) -> str:
    name, shapes, options = case
    return f"{name}-{shapes[0]}-{'-'.join(f'{k}={v}' for k, v in options.items())}"


def same(mine: Any, theirs: Any, what: str, strides: bool = False) -> None:
    if theirs is None:
        assert mine is None or not np.any(mine._array), what
        return
    if mine is None:
        assert not theirs.detach().numpy().any(), what
        return
    expected = theirs.detach().numpy()
    found = mine._array
    assert found.shape == expected.shape, (what, found.shape, expected.shape)
    assert found.dtype == expected.dtype, what
    np.testing.assert_allclose(found, expected, 1e-8, 1e-8, err_msg=what)
    if strides and expected.size:
        assert tuple(s // found.itemsize for s in found.strides) == theirs.stride(), what


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", CASES, ids=label)
@pytest.mark.parametrize("last", [False, True], ids=["contiguous", "channels_last"])
def test_values_and_two_gradients(oracle: Any, case: tuple[Any, ...], last: bool) -> None:
    name, shapes, options = case
    if last and len(shapes[0]) != 4:
        return
    draw = np.random.RandomState(0)
    arrays = [draw.uniform(-0.9, 0.9, shape) for shape in shapes]
    if last:
        arrays[0] = np.ascontiguousarray(arrays[0].transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    reference = getattr(oracle.nn.functional, name)
    theirs = [oracle.from_numpy(a).requires_grad_() for a in arrays]
    mine = [wrap(a).requires_grad_() for a in arrays]
    expected, found = reference(*theirs, **options), ours(name)(*mine, **options)
    same(found, expected, "value", strides=True)
    flow = draw.standard_normal(expected.shape)
    their_flow = oracle.from_numpy(flow).requires_grad_()
    my_flow = wrap(flow).requires_grad_()
    plain = grad(found, mine, my_flow, retain_graph=True)
    first = oracle.autograd.grad(expected, theirs, their_flow, create_graph=True)
    second = grad(found, mine, my_flow, create_graph=True)
    for k, (a, b, c) in enumerate(zip(plain, second, first, strict=True)):
        same(a, c, f"gradient {k}")
        same(b, c, f"gradient {k} with a graph")
    if not any(g.requires_grad for g in first):
        return
    pairs = [(b, c) for b, c in zip(second, first, strict=True) if c.requires_grad]
    noise = [draw.standard_normal(c.shape) for _, c in pairs]
    expected = oracle.autograd.grad(
        [c for _, c in pairs],
        [*theirs, their_flow],
        [oracle.from_numpy(n) for n in noise],
        allow_unused=True,
    )
    found = grad(
        [b for b, _ in pairs], [*mine, my_flow], [wrap(n) for n in noise], allow_unused=True
    )
    for k, (a, b) in enumerate(zip(found, expected, strict=True)):
        same(a, b, f"second gradient {k}")


DTYPES = ["uint8", "int16", "int64", "bool", "float16", "bfloat16", "float32", "complex64"]
TYPED: list[tuple[str, list[tuple[int, ...]], dict[str, Any]]] = [
    ("conv1d", [(1, 2, 6), (3, 2, 3)], {}),
    ("conv2d", [(1, 2, 5, 5), (2, 2, 3, 3)], {}),
    ("conv2d", [(1, 2, 5, 5), (2, 2, 3, 3)], {"dilation": 2}),
    ("conv2d", [(1, 2, 5, 5), (4, 1, 3, 3), (4,)], {"groups": 2, "padding": 1}),
    ("conv_transpose2d", [(1, 2, 5, 5), (2, 3, 3, 3), (3,)], {"stride": 2}),
    ("conv_transpose3d", [(1, 2, 3, 3, 3), (2, 2, 3, 3, 3)], {}),
    ("max_pool1d", [(2, 3, 6)], {"kernel_size": 2}),
    ("max_pool2d", [(1, 2, 6, 6)], {"kernel_size": 3, "padding": 1}),
    ("max_pool3d", [(1, 2, 4, 4, 4)], {"kernel_size": 2}),
    ("avg_pool1d", [(2, 3, 6)], {"kernel_size": 2}),
    ("avg_pool2d", [(1, 2, 5, 5)], {"kernel_size": 2}),
    ("avg_pool3d", [(1, 2, 4, 4, 4)], {"kernel_size": 2}),
    ("adaptive_avg_pool2d", [(1, 2, 5, 5)], {"output_size": 2}),
    ("adaptive_max_pool2d", [(1, 2, 5, 5)], {"output_size": 2}),
    ("unfold", [(1, 2, 5, 5)], {"kernel_size": 2}),
    ("interpolate", [(1, 2, 5, 5)], {"scale_factor": 2}),
    ("interpolate", [(1, 2, 5, 5)], {"scale_factor": 2, "mode": "bilinear"}),
    ("pad", [(1, 2, 5, 5)], {"pad": (1, 2, 0, 1)}),
    ("pad", [(1, 2, 5, 5)], {"pad": (1, 2, 0, 1), "mode": "reflect"}),
    ("pad", [(1, 2, 5, 5)], {"pad": (1, 2, 0, 1), "mode": "circular"}),
    ("pixel_shuffle", [(1, 4, 2, 3)], {"upscale_factor": 2}),
    ("channel_shuffle", [(1, 4, 2, 3)], {"groups": 2}),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", TYPED, ids=label)
@pytest.mark.parametrize("kind", DTYPES)
def test_dtypes(oracle: Any, case: tuple[Any, ...], kind: str) -> None:
    name, shapes, options = case
    draw = np.random.RandomState(0)
    arrays = [draw.randint(0, 3, shape).astype(np.float32) for shape in shapes]
    theirs = [oracle.from_numpy(a).to(getattr(oracle, kind)) for a in arrays]
    mine = [wrap(a.astype(DTYPES_HERE[kind].numpy)) for a in arrays]
    reference = getattr(oracle.nn.functional, name)
    try:
        expected = reference(*theirs, **options)
    except (RuntimeError, NotImplementedError) as error:
        with pytest.raises(type(error)):
            ours(name)(*mine, **options)
        return
    found = ours(name)(*mine, **options)
    assert str(found.dtype) == str(expected.dtype)
    wide = oracle.complex64 if expected.is_complex() else oracle.float32
    tolerance = {"float16": 2e-3, "bfloat16": 1e-2}.get(kind, 1e-5)
    np.testing.assert_allclose(
        found._array.astype(str(wide)[6:]), expected.to(wide).numpy(), tolerance, tolerance
    )


INDEXED: list[tuple[str, tuple[int, ...], dict[str, Any]]] = [
    ("max_pool1d", (2, 3, 9), {"kernel_size": 2}),
    ("max_pool2d", (2, 3, 8, 6), {"kernel_size": 2}),
    ("max_pool2d", (3, 8, 6), {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
    ("max_pool2d", (2, 3, 8, 6), {"kernel_size": 2, "dilation": 2, "stride": 1}),
    ("max_pool3d", (1, 2, 4, 4, 4), {"kernel_size": 2}),
    ("adaptive_max_pool1d", (2, 3, 9), {"output_size": 4}),
    ("adaptive_max_pool2d", (2, 3, 7, 6), {"output_size": (3, 2)}),
    ("adaptive_max_pool3d", (1, 2, 5, 4, 4), {"output_size": 3}),
]


@pytest.mark.parametrize("case", INDEXED, ids=label)
@pytest.mark.parametrize("special", ["numbers", "nan", "-inf", "ties"])
def test_indices(oracle: Any, case: tuple[Any, ...], special: str) -> None:
    name, shape, options = case
    draw = np.random.RandomState(0)
    x = draw.standard_normal(shape)
    if special == "ties":
        x = np.rint(x)
    elif special != "numbers":
        x[draw.uniform(size=shape) < 0.5] = float(special)
    expected = getattr(oracle.nn.functional, name)(
        oracle.from_numpy(x), **options, return_indices=True
    )
    found = ours(name)(wrap(x), **options, return_indices=True)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a._array, b.numpy())


@pytest.mark.parametrize("count", [2, 3])
def test_unpool_and_fractional(oracle: Any, count: int) -> None:
    draw = np.random.RandomState(0)
    functional = oracle.nn.functional
    x = draw.standard_normal((2, 3, 7, 6, 5)[: count + 2])
    name = f"max_pool{count}d"
    a, i = getattr(functional, name)(oracle.from_numpy(x), 2, return_indices=True)
    b, j = ours(name)(wrap(x), 2, return_indices=True)
    for size in (None, x.shape) if count == 2 else (x.shape,):
        expected = getattr(functional, f"max_unpool{count}d")(
            a, i, 2, output_size=size and list(size)
        )
        found = ours(f"max_unpool{count}d")(b, j, 2, output_size=size)
        np.testing.assert_array_equal(found._array, expected.numpy())
    samples = draw.uniform(size=(2, 3, count))
    name = f"fractional_max_pool{count}d"
    options = {"kernel_size": 2, "output_size": (4, 3, 3)[:count], "return_indices": True}
    expected = getattr(functional, name)(
        oracle.from_numpy(x), _random_samples=oracle.from_numpy(samples), **options
    )
    found = ours(name)(wrap(x), _random_samples=wrap(samples), **options)
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(mine._array, theirs.numpy())


WRONG: list[tuple[str, list[tuple[int, ...]], dict[str, Any]]] = [
    ("conv2d", [(2, 3, 7), (4, 4, 3, 3)], {}),
    ("conv2d", [(2, 3, 7, 7, 7), (4, 3, 3, 3)], {}),
    ("conv2d", [(2, 3, 7, 7), (4, 4, 3, 3)], {}),
    ("conv2d", [(2, 3, 7, 7), (4, 3, 3)], {}),
    ("conv2d", [(2, 3, 7, 7), (4, 3, 9, 9)], {}),
    ("conv2d", [(2, 3, 7, 7), (4, 3, 3, 3), (5,)], {}),
    ("conv2d", [(2, 3, 7, 7), (4, 3, 3, 3)], {"groups": 2}),
    ("conv2d", [(2, 4, 7, 7), (3, 2, 3, 3)], {"groups": 2}),
    ("conv2d", [(2, 3, 7, 7), (4, 3, 3, 3)], {"groups": 0}),
    ("conv2d", [(2, 3, 7, 7), (4, 3, 3, 3)], {"stride": 0}),
    ("conv2d", [(2, 3, 7, 7), (4, 3, 3, 3)], {"stride": (1, 2, 3)}),
    ("conv2d", [(2, 3, 7, 7), (4, 3, 3, 3)], {"stride": 1.5}),
    ("conv2d", [(2, 3, 7, 7), (4, 3, 3, 3)], {"padding": -1}),
    ("conv2d", [(2, 3, 7, 7), (4, 3, 3, 3)], {"padding": "same", "stride": 2}),
    ("conv2d", [(2, 3, 7, 7), (4, 3, 3, 3)], {"padding": "other"}),
    ("conv2d", [(2, 3, 7, 7), (4, 3, 3, 3)], {"dilation": 0}),
    ("conv_transpose2d", [(2, 3, 7, 7), (4, 3, 3, 3)], {}),
    ("conv_transpose2d", [(2, 3, 7, 7), (3, 4, 3, 3)], {"output_padding": 2}),
    ("conv_transpose2d", [(2, 3, 1, 1), (3, 4, 3, 3)], {"padding": 3}),
    ("max_pool2d", [(2, 3)], {"kernel_size": 2}),
    ("max_pool2d", [(2, 3, 4, 4)], {"kernel_size": 5}),
    ("max_pool2d", [(2, 3, 4, 4)], {"kernel_size": 2, "padding": 2}),
    ("max_pool2d", [(2, 3, 4, 4)], {"kernel_size": 2, "stride": 0}),
    ("max_pool2d", [(2, 3, 4, 4)], {"kernel_size": (2, 2, 2)}),
    ("max_pool2d", [(2, 0, 4, 4)], {"kernel_size": 2}),
    ("avg_pool2d", [(2, 3, 4, 4)], {"kernel_size": 2, "divisor_override": 0}),
    ("avg_pool2d", [(2, 3, 4, 4)], {"kernel_size": 0}),
    ("avg_pool3d", [(2, 3)], {"kernel_size": 2}),
    ("adaptive_avg_pool2d", [(2, 3)], {"output_size": 2}),
    ("adaptive_avg_pool2d", [(2, 3, 4, 4)], {"output_size": (1, 2, 3)}),
    ("adaptive_max_pool2d", [(2, 0, 4, 4)], {"output_size": 2}),
    ("fractional_max_pool2d", [(2, 3, 4, 4)], {"kernel_size": 2}),
    ("fractional_max_pool2d", [(2, 3, 4, 4)], {"kernel_size": 2, "output_size": 5}),
    ("unfold", [(2, 3)], {"kernel_size": 2}),
    ("unfold", [(2, 3, 4, 4)], {"kernel_size": 6}),
    ("unfold", [(2, 3, 4, 4)], {"kernel_size": 0}),
    ("fold", [(2, 7, 4)], {"output_size": 3, "kernel_size": 2}),
    ("fold", [(2, 8, 5)], {"output_size": 3, "kernel_size": 2}),
    ("pad", [(2, 3)], {"pad": (1, 2, 3)}),
    ("pad", [(2, 3)], {"pad": (1, 1, 1, 1, 1, 1)}),
    ("pad", [(2, 3)], {"pad": (-2, -2)}),
    ("pad", [(2, 3, 4)], {"pad": (4, 1), "mode": "reflect"}),
    ("pad", [(2, 3, 4)], {"pad": (5, 1), "mode": "circular"}),
    ("pad", [(2, 3, 4)], {"pad": (1, 1), "mode": "mirror"}),
    ("pad", [(2, 3, 4)], {"pad": (1, 1), "mode": "reflect", "value": 2.0}),
    ("pad", [(2, 3, 4, 5)], {"pad": (1, 1), "mode": "reflect"}),
    ("interpolate", [(2, 3, 4)], {}),
    ("interpolate", [(2, 3, 4)], {"size": 2, "scale_factor": 2}),
    ("interpolate", [(2, 3, 4)], {"size": 2, "mode": "bilinear"}),
    ("interpolate", [(2, 3, 4)], {"size": (2, 2)}),
    ("interpolate", [(2, 3, 4)], {"size": 2.5}),
    ("interpolate", [(2, 3, 4)], {"size": 2, "align_corners": True}),
    ("interpolate", [(2, 3, 4)], {"size": 2, "mode": "linear", "antialias": True}),
    ("interpolate", [(2, 3, 4)], {"size": 2, "recompute_scale_factor": True}),
    ("interpolate", [(2, 3, 4, 4)], {"scale_factor": 0.1}),
    ("interpolate", [(2, 3)], {"scale_factor": 2}),
    ("pixel_shuffle", [(1, 3, 2, 2)], {"upscale_factor": 2}),
    ("pixel_shuffle", [(2, 2)], {"upscale_factor": 2}),
    ("pixel_unshuffle", [(1, 3, 3, 2)], {"downscale_factor": 2}),
    ("channel_shuffle", [(1, 3, 2, 2)], {"groups": 2}),
    ("grid_sample", [(1, 2, 3, 3), (1, 2, 2, 3)], {"align_corners": False}),
    ("grid_sample", [(1, 2, 3, 3), (2, 2, 2, 2)], {"align_corners": False}),
    ("grid_sample", [(1, 2, 3, 3), (1, 2, 2, 2)], {"align_corners": False, "mode": "cubic"}),
    ("grid_sample", [(1, 2, 3, 3), (1, 2, 2, 2)], {"align_corners": False, "padding_mode": "wrap"}),
    ("grid_sample", [(1, 2, 3, 3, 3), (1, 2, 2, 2, 3)], {"align_corners": False, "mode": "bicubic"}),
    ("affine_grid", [(2, 2, 2)], {"size": (2, 1, 3, 3), "align_corners": False}),
    ("affine_grid", [(2, 2, 3)], {"size": (2, 1, 3), "align_corners": False}),
    ("max_unpool2d", [(1, 1, 2, 2), (1, 1, 2, 2)], {"kernel_size": 2}),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", WRONG, ids=label)
def test_errors_have_pytorch_types(oracle: Any, case: tuple[Any, ...]) -> None:
    name, shapes, options = case
    arrays = [np.zeros(shape, np.float32) for shape in shapes]
    reference = getattr(oracle.nn.functional, name)
    with pytest.raises(Exception) as expected:
        reference(*map(oracle.from_numpy, arrays), **options)
    with pytest.raises(expected.type) as found:
        ours(name)(*map(wrap, arrays), **options)
    words = str(found.value)
    assert ": " in words and len(words) > 40, words


def test_dtypes_must_agree(oracle: Any) -> None:
    x, w = np.zeros((1, 1, 3, 3), np.float32), np.zeros((1, 1, 2, 2), np.float64)
    with pytest.raises(RuntimeError):
        oracle.nn.functional.conv2d(oracle.from_numpy(x), oracle.from_numpy(w))
    with pytest.raises(RuntimeError, match="conv2d.*float32.*weight.*float64"):
        ours("conv2d")(wrap(x), wrap(w))


@pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d"])
def test_complex_convolution(oracle: Any, name: str) -> None:
    draw = np.random.RandomState(0)

    def numbers(*shape: int) -> np.ndarray:
        return draw.standard_normal(shape) + 1j * draw.standard_normal(shape)

    arrays = [numbers(2, 3, 5, 4), numbers(3, 3, 3, 2), numbers(3)]
    theirs = [oracle.from_numpy(a).requires_grad_() for a in arrays]
    mine = [wrap(a).requires_grad_() for a in arrays]
    options = {"stride": 2, "padding": 1}
    expected = getattr(oracle.nn.functional, name)(*theirs, **options)
    found = ours(name)(*mine, **options)
    same(found, expected, "value")
    flow = numbers(*expected.shape)
    their_flow = oracle.from_numpy(flow).requires_grad_()
    my_flow = wrap(flow).requires_grad_()
    first = oracle.autograd.grad(expected, theirs, their_flow, create_graph=True)
    second = grad(found, mine, my_flow, create_graph=True)
    for k, (a, b) in enumerate(zip(second, first, strict=True)):
        same(a, b, f"gradient {k}")
    noise = [numbers(*g.shape) for g in first]
    expected = oracle.autograd.grad(
        first, [*theirs[:2], their_flow], list(map(oracle.from_numpy, noise))
    )
    found = grad(second, [*mine[:2], my_flow], list(map(wrap, noise)))
    for k, (a, b) in enumerate(zip(found, expected, strict=True)):
        same(a, b, f"second gradient {k}")


def test_node_names(oracle: Any) -> None:
    x = np.random.RandomState(0).standard_normal((1, 2, 6, 6))
    calls = [
        ("conv2d", (np.ones((2, 2, 2, 2)),), {}),
        ("conv_transpose2d", (np.ones((2, 2, 2, 2)),), {}),
        ("max_pool2d", (2,), {}),
        ("avg_pool2d", (2,), {}),
        ("adaptive_avg_pool2d", (2,), {}),
        ("adaptive_max_pool2d", (2,), {}),
        ("fractional_max_pool2d", (2, 3), {"_random_samples": np.full((1, 2, 2), 0.5)}),
        ("interpolate", (), {"scale_factor": 2}),
        ("interpolate", (), {"scale_factor": 2, "mode": "bilinear"}),
        ("interpolate", (), {"scale_factor": 2, "mode": "bicubic"}),
        ("pad", ((1, 1),), {}),
        ("pad", ((1, 1, 1, 1),), {"mode": "reflect"}),
        ("pad", ((1, 1, 1, 1),), {"mode": "replicate"}),
        ("unfold", (2,), {}),
        ("pixel_unshuffle", (2,), {}),
        ("channel_shuffle", (2,), {}),
        ("grid_sample", (np.zeros((1, 2, 2, 2)),), {"align_corners": False}),
    ]

    def given(value: Any, make: Any) -> Any:
        return make(value) if isinstance(value, np.ndarray) else value

    for name, args, options in calls:
        theirs = getattr(oracle.nn.functional, name)(
            oracle.from_numpy(x).requires_grad_(),
            *(given(a, oracle.from_numpy) for a in args),
            **{k: given(v, oracle.from_numpy) for k, v in options.items()},
        )
        mine = ours(name)(
            wrap(x).requires_grad_(),
            *(given(a, wrap) for a in args),
            **{k: given(v, wrap) for k, v in options.items()},
        )
        assert mine.grad_fn.name() == theirs.grad_fn.name(), name


META = [
    case
    for case in CASES
    if case[0] not in ("affine_grid", "lp_pool1d", "lp_pool2d") and 0 not in case[1][0]
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", META, ids=label)
def test_shapes_without_numbers(case: tuple[Any, ...]) -> None:
    name, shapes, options = case
    real = ours(name)(*(wrap(np.zeros(shape)) for shape in shapes), **options)
    shape = ours(name)(*(wrap(Abstract(shape, np.float64)) for shape in shapes), **options).shape
    assert tuple(shape) == tuple(real.shape)
