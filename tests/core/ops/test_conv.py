"""Convolution as an operation: gradients of every order, what it saves, and what its errors say."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau
from flambeau.autograd.backward import grad
from flambeau.autograd.gradcheck import gradcheck, gradgradcheck
from flambeau.core.declare import ops
from flambeau.core.ops import convolving  # noqa: F401  (declares)
from flambeau.core.tensor import wrap

OPTIONS = [
    ((1, 2, 4, 4), (2, 2, 2, 2), (2, 1), (1, 0), (1, 1), False, (0, 0), 1),
    ((1, 2, 5, 4), (2, 1, 2, 2), (1, 1), (1, 1), (2, 1), False, (0, 0), 2),
    ((1, 2, 3, 3), (2, 2, 2, 3), (2, 2), (1, 1), (1, 1), True, (1, 0), 1),
    ((1, 4, 3), (4, 1, 2), (2,), (0,), (2,), True, (1,), 2),
]


def drawn(*shape):
    return wrap(np.random.RandomState(sum(shape)).standard_normal(shape)).requires_grad_()


@pytest.mark.parametrize("case", OPTIONS, ids=lambda case: f"{case[0]}x{case[1]}")
def test_gradients(case):
    shape, kernel, *options = case
    features = kernel[1] * options[-1] if options[3] else kernel[0]
    inputs = (drawn(*shape), drawn(*kernel), drawn(features))
    assert gradcheck(lambda *x: ops.convolution(*x, *options), inputs)
    assert gradgradcheck(lambda *x: ops.convolution(*x, *options), inputs)


def test_backward_gives_what_the_mask_wants():
    x, w = drawn(1, 2, 5, 5), drawn(3, 2, 3, 3)
    options = ([1, 1], [0, 0], [1, 1], False, [0, 0], 1)
    out = ops.convolution(x, w, None, *options)
    g = wrap(np.ones(out.shape))
    found = ops.convolution_backward(g, x, w, [3], *options, [True, False, True])
    assert found[1] is None
    np.testing.assert_allclose(found[0]._array, grad(out, x, g)[0]._array)
    assert found[2].shape == (3,) and float(found[2]._array[0]) == 9


def test_an_overwritten_weight_is_noticed():
    x, w = drawn(1, 1, 4, 4), drawn(1, 1, 2, 2)
    held = w * 1
    out = ops.conv2d(x, held)
    held.mul_(2)
    with pytest.raises(RuntimeError, match="weight|inplace|in place"):
        out.sum().backward()


@pytest.mark.parametrize(
    "shapes, options, words",
    [
        (
            ((1, 3, 8, 8), (4, 1, 3, 3)),
            {},
            r"conv2d.*weight of size \[4, 1, 3, 3\].*3 channels instead",
        ),
        (((8, 8), (4, 1, 3, 3)), {}, r"Expected 3D \(unbatched\) or 4D.*\[8, 8\]"),
        (((1, 1, 2, 2), (4, 1, 3, 3)), {}, r"\(2 x 2\).*\(3 x 3\)"),
        (((1, 1, 8, 8), (4, 1, 3, 3)), {"stride": (1, 2, 3)}, r"stride=\[1, 2, 3\]"),
        (((1, 1, 8, 8), (4, 1, 3, 3)), {"padding": "same", "stride": 2}, "strided"),
    ],
)
def test_errors_name_shapes_and_mend(shapes, options, words):
    with pytest.raises(RuntimeError, match=words):
        ops.conv2d(*(wrap(np.zeros(s)) for s in shapes), **options)


def test_same_padding_with_even_kernels_warns():
    x, w = wrap(np.zeros((1, 1, 4, 4))), wrap(np.zeros((1, 1, 2, 2)))
    with pytest.warns(UserWarning, match="even kernel"):
        assert ops.conv2d(x, w, padding="same").shape == (1, 1, 4, 4)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(
    "kernel", [(8, 16, 3, 3), (8, 16, 1, 1), (16, 1, 3, 3), (16, 4, 3, 3)], ids=str
)
def test_gradients_lie_as_in_pytorch(kernel, transposed, oracle):
    """Channels last where the image or the weight is."""
    groups = 16 // kernel[1]
    channels = kernel[0] if transposed else 16
    name = "conv_transpose2d" if transposed else "conv2d"
    for image_last in (False, True):
        for weight_last in (False, True):
            found = []
            for engine in (oracle, flambeau):
                x, w = engine.ones(2, channels, 6, 5), engine.ones(*kernel)
                if image_last:
                    x = x.to(memory_format=engine.channels_last)
                if weight_last:
                    w = w.to(memory_format=engine.channels_last)
                x.requires_grad_()
                w.requires_grad_()
                out = getattr(engine.nn.functional, name)(x, w, groups=groups)
                grads = engine.autograd.grad(out, (x, w), engine.ones_like(out))
                found.append([out.stride(), *(g.stride() for g in grads)])
            assert found[0] == found[1]
