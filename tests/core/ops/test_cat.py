"""Joining and cutting: values, shared memory, gradients, what may not be written."""

import sys
from math import prod

import pytest

import flambeau
from flambeau.autograd.gradcheck import gradcheck


def test_cat_promotes_and_skips_empty_vectors():
    a, b = flambeau.ones(2, 2), flambeau.zeros(1, 2, dtype=flambeau.float64)
    joined = flambeau.cat([a, flambeau.empty(0), b])
    assert joined.dtype is flambeau.float64
    assert joined.tolist() == [[1, 1], [1, 1], [0, 0]]


@pytest.mark.parametrize(
    "join",
    [
        flambeau.cat,
        flambeau.stack,
        flambeau.hstack,
        flambeau.vstack,
        flambeau.dstack,
        flambeau.column_stack,
    ],
)
def test_gradients_of_joins(join):
    parts = [flambeau.randn(2, 3, dtype=flambeau.float64, requires_grad=True) for _ in range(3)]
    assert gradcheck(lambda *parts: join(parts), parts)


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: flambeau.cat([]), ValueError, "non-empty list"),
        (
            lambda: flambeau.cat([flambeau.ones(2, 2), flambeau.ones(2, 3)]),
            RuntimeError,
            "Sizes of tensors must match",
        ),
        (lambda: flambeau.cat([flambeau.tensor(1.0)]), RuntimeError, "zero-dimensional"),
        (lambda: flambeau.stack([flambeau.ones(2), flambeau.ones(3)]), RuntimeError, "equal size"),
    ],
)
def test_errors(call, kind, words):
    with pytest.raises(kind, match=words):
        call()


def test_none_is_no_tensor():
    x = flambeau.zeros(2)
    for function in (flambeau.cat, flambeau.stack):
        with pytest.raises(TypeError, match="element 1"):
            function((x, None))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool", "uint8"])
@pytest.mark.parametrize(
    ("join", "shapes", "dim"),
    [
        ("cat", [(2, 3), (1, 3)], 0), ("cat", [(2, 3), (2, 1), (2, 2)], -1), ("cat", [(3,)], 0),
        ("cat", [(2, 1, 3), (2, 4, 3)], 1), ("cat", [(0, 2), (1, 2)], 0), ("cat", [(0,), (2, 2)], 0),
        ("stack", [(2, 3)] * 3, 0), ("stack", [(2, 3)] * 2, 1), ("stack", [(2, 3)] * 2, -1),
        ("stack", [()] * 4, 0), ("stack", [(5,)], 1), ("stack", [(2, 3)] * 2, -3),
    ],
)  # fmt: skip
def test_joins_and_their_gradients_are_pytorchs(oracle, join, shapes, dim, dtype):
    found = []
    for engine in (flambeau, oracle):
        parts = []
        for k, shape in enumerate(shapes):
            part = (
                engine.arange(float(prod(shape))).reshape(shape).add(k).to(getattr(engine, dtype))
            )
            parts.append(part.requires_grad_() if dtype[0] == "f" and k != 1 else part)
        for given in (parts, tuple(parts)):
            y = getattr(engine, join)(given, dim)
            if y.requires_grad:
                (y * engine.arange(float(y.numel())).reshape(y.shape)).sum().backward()
        grads = [None if p.grad is None else p.grad.tolist() for p in parts]
        found.append((y.tolist(), y.stride(), str(y.dtype)[-4:], type(y.grad_fn).__name__, grads))
    assert found[0] == found[1]


def test_what_is_joined_lets_go(oracle):
    del oracle
    x = flambeau.ones(2, 2, requires_grad=True)
    counts = [sys.getrefcount(x), sys.getrefcount(x._array)]
    for _ in range(200):
        flambeau.cat([x, x]), flambeau.stack((x, x), 1), x.chunk(2), x.unbind(), x.max(1)
        with pytest.raises(RuntimeError):
            flambeau.cat([x, flambeau.ones(3, 3)])
    assert [sys.getrefcount(x), sys.getrefcount(x._array)] == counts


@pytest.mark.parametrize("dim", [1, -3, 2])
def test_channels_that_lie_last_are_joined_there(dim, oracle):
    found = []
    for engine in (oracle, flambeau):
        images = [
            (engine.arange(2.0 * 3 * 4 * 5).reshape(2, 3, 4, 5) * k)
            .to(memory_format=engine.channels_last)
            .requires_grad_()
            for k in (1, 2, 3)
        ]
        out = engine.cat(images, dim)
        grads = engine.autograd.grad((out * out).sum(), images)
        found.append((out.stride(), out.tolist(), [(g.stride(), g.tolist()) for g in grads]))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "code",
    [
        "torch.cat([x[:, :1], x[:, 1:]], 1)", "torch.cat([x.T, x.T], -1)", "torch.cat([x[:, 1:], x[:, 1:]])",
        "torch.cat([x.T, x], 1)", "torch.cat([x.T, x.T.double()], 0)", "torch.cat([x[:, ::2], x], 2)",
        "torch.stack([x.T, x.T])", "torch.cat([x[:, ::2], torch.zeros(0)], 1)", "torch.cat([x.T, x[0]])",
        "torch.cat([y[:, :, ::2], y[:, :, 1::2]], 2)", "torch.cat([z.mT, z.mT], 1)", "torch.cat([x.T.long()] * 2)",
        "torch.cat([z.to(memory_format=torch.channels_last)] * 2, 2)", "torch.cat([x.T] * 2, dim=-3)",
    ],
)  # fmt: skip
def test_parts_of_tensors_as_pytorch(oracle, code):
    found = []
    for t in (flambeau, oracle):
        x = t.arange(16.0).view(4, 4).requires_grad_()
        names = {"x": x, "y": t.arange(24.0).view(2, 3, 4), "z": t.arange(24.0).view(1, 2, 3, 4)}
        try:
            made = eval(code, names | {"torch": t})
        except Exception as error:
            found.append(type(error))
            continue
        grad = None
        if made.requires_grad:
            (made * made).sum().backward()
            grad = x.grad.tolist()
        found.append((made.tolist(), made.stride(), str(made.dtype)[-7:], grad))
    assert found[0] == found[1]


def test_tensors_of_no_element_and_one_dimension_join_along_any(oracle):
    for engine in (flambeau, oracle):
        empty = engine.ones(0)
        for dim in (0, 1, -2):
            assert engine.cat([empty, empty], dim).shape == (0,)
