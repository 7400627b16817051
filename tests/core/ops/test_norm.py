"""Normalisation: what it leaves, what it remembers, gradients to second order."""

import numpy as np
import pytest

import flambeau
import flambeau as torch
import flambeau.nn.functional as F
from flambeau.autograd import gradcheck, gradgradcheck


def double(*shape):
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("shape", [(5, 3), (4, 3, 2), (2, 3, 2, 2)])
def test_batch_norm_trains_and_evaluates(shape):
    x, w, b = double(*shape), double(3), double(3)
    mean, var = torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
    out = F.batch_norm(x, mean, var, training=True, momentum=0.5)
    axes = (0, *range(2, len(shape)))
    np.testing.assert_allclose(out.detach().numpy().mean(axes), 0, atol=1e-12)
    np.testing.assert_allclose(mean.numpy(), 0.5 * x.detach().numpy().mean(axes))
    np.testing.assert_allclose(var.numpy(), 0.5 + 0.5 * x.detach().numpy().var(axes, ddof=1))
    for training in (True, False):
        run = lambda x, w, b, t=training: F.batch_norm(x, mean.clone(), var.clone(), w, b, t)
        assert gradcheck(run, (x, w, b))
        assert gradgradcheck(run, (x, w, b))


def test_one_number_a_channel_is_no_batch():
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        F.batch_norm(torch.ones(1, 3), None, None, training=True)
    with pytest.raises(RuntimeError, match="running_mean"):
        F.batch_norm(torch.ones(2, 3), None, None)
    with pytest.raises(RuntimeError, match="3 elements not 5"):
        F.batch_norm(torch.ones(2, 3), torch.zeros(5), torch.ones(5))


def test_layer_norm():
    x, w, b = double(4, 2, 3), double(2, 3), double(2, 3)
    out = F.layer_norm(x, (2, 3)).detach().numpy()
    np.testing.assert_allclose(out.mean((1, 2)), 0, atol=1e-12)
    assert gradcheck(lambda *t: F.layer_norm(t[0], (2, 3), *t[1:]), (x, w, b))
    assert gradgradcheck(lambda *t: F.layer_norm(t[0], (2, 3), *t[1:]), (x, w, b))
    with pytest.raises(RuntimeError, match="expected input with shape"):
        F.layer_norm(x, (4,))


def test_groups_of_one_channel_are_instances():
    x = double(2, 4, 3)
    a, b = F.group_norm(x, 4), F.instance_norm(x)
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), atol=1e-12)
    w = double(4)
    assert gradcheck(lambda t, u: F.group_norm(t, 2, u, u), (x, w))
    assert gradgradcheck(lambda t, u: F.group_norm(t, 2, u, u), (x, w))


def test_rms_and_local_response():
    x, w = double(3, 4), double(4)
    expected = x.detach().numpy() / np.sqrt((x.detach().numpy() ** 2).mean(1, keepdims=True) + 1e-3)
    np.testing.assert_allclose(F.rms_norm(x, (4,), eps=1e-3).detach().numpy(), expected)
    assert gradcheck(lambda t, u: F.rms_norm(t, (4,), u), (x, w))
    y = double(2, 5, 3)
    square = np.pad(y.detach().numpy() ** 2, ((0, 0), (1, 1), (0, 0)))
    around = (square[:, :-2] + square[:, 1:-1] + square[:, 2:]) / 3
    found = F.local_response_norm(y, 3, alpha=0.1).detach().numpy()
    np.testing.assert_allclose(found, y.detach().numpy() / (1 + 0.1 * around) ** 0.75)


def test_normalize_gives_unit_vectors():
    x = double(3, 4)
    np.testing.assert_allclose(F.normalize(x).norm(dim=1).detach().numpy(), 1)
    assert gradcheck(F.normalize, (x,))


def test_batch_norm_refuses_an_eps_that_leaves_zero():
    x, one = torch.ones(4, 3), torch.ones(3)
    for eps in (0.0, -1.0):
        with pytest.raises(ValueError, match="eps must be positive during training"):
            F.batch_norm(x, None, None, training=True, eps=eps)
    with pytest.raises(ValueError, match="eps must be non-negative"):
        F.batch_norm(x, one, one, eps=-1.0)
    assert F.batch_norm(x, one, one, eps=0.0).eq(0).all()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "shape, normalized", [((3, 4), (4,)), ((2, 5, 3, 7), (3, 7)), ((6,), (6,))]
)
def test_rms_norm_and_its_gradients(oracle, weighted, shape, normalized):
    import numpy as np

    rng = np.random.default_rng(0)
    x, up, w = (rng.standard_normal(s) for s in (shape, shape, normalized))
    found = []
    for engine in (oracle, torch):
        leaf = engine.tensor(x, requires_grad=True)
        weight = engine.tensor(w, requires_grad=True) if weighted else None
        y = engine.nn.functional.rms_norm(leaf, normalized, weight, eps=1e-3)
        wanted = [leaf, weight] if weighted else [leaf]
        grads = engine.autograd.grad(y, wanted, engine.tensor(up), create_graph=True)
        again = engine.autograd.grad(sum((g * g).sum() for g in grads), wanted)
        assert type(y.grad_fn).__name__ == "MulBackward0"
        found.append([t.detach().numpy() for t in (y, *grads, *again)])
    for want, got in zip(*found, strict=True):
        np.testing.assert_allclose(got, want, 1e-9, 1e-12)


@pytest.mark.parametrize("shape", [(6, 5), (4, 3, 7, 9), (2, 20, 33)])
@pytest.mark.parametrize("last", [False, True])
def test_running_statistics_are_pytorchs(oracle, shape, last):
    import numpy as np

    x = np.random.default_rng(0).standard_normal(shape).astype("f4") + 1
    found = []
    for engine in (oracle, torch):
        mean, var = engine.zeros(shape[1]), engine.ones(shape[1])
        given = engine.tensor(x)
        if last and len(shape) == 4:
            given = given.contiguous(memory_format=engine.channels_last)
        for momentum in (0.1, 0.3, 1.0):
            y = engine.nn.functional.batch_norm(given, mean, var, None, None, True, momentum)
        found.append([t.numpy() for t in (y, mean, var)])
    for want, got in zip(*found, strict=True):
        np.testing.assert_allclose(got, want, 2e-6, 2e-6)


@pytest.mark.parametrize(
    "make",
    [
        lambda nn: nn.BatchNorm2d(2),
        lambda nn: nn.BatchNorm2d(2).eval(),
        lambda nn: nn.BatchNorm2d(2, affine=False),
        lambda nn: nn.InstanceNorm2d(2, affine=True),
        lambda nn: nn.LayerNorm(3),
        lambda nn: nn.GroupNorm(2, 2),
    ],
    ids="batch evaluated running instance layer group".split(),
)
def test_mixed_dtypes_are_refused(make, oracle):
    """A float64 input to a float32 layer is a mistake; 16-bit inputs have float32 parameters."""
    for torch_ in (oracle, torch):
        x, layer = torch_.ones(2, 2, 3, 3), make(torch_.nn)
        assert layer(x.half()).dtype == torch_.float16
        with pytest.raises(RuntimeError, match="mixed dtype"):
            layer(x.double())
        layer.double()
        for given in (x, x.half()):
            with pytest.raises(RuntimeError, match="mixed dtype"):
                layer(given)


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("shape", [(2, 6, 5, 4), (2, 6, 3, 5, 4)], ids=str)
def test_group_norm_keeps_the_channels_last(shape, dtype, oracle):
    found = []
    for engine in (oracle, flambeau):
        format = engine.channels_last if len(shape) == 4 else engine.channels_last_3d
        x = engine.ones(*shape, dtype=getattr(engine, dtype)).to(memory_format=format)
        out = engine.nn.functional.group_norm(x.requires_grad_(), 3)
        (grad,) = engine.autograd.grad(out, x, engine.ones_like(out))
        found.append((out.stride(), grad.stride()))
    assert found[0] == found[1]


@pytest.mark.parametrize("training", [True, False])
def test_batch_normalisation_is_row_major_unless_channels_come_last(oracle, training):
    found = []
    for engine in (flambeau, oracle):
        base = engine.arange(120.0)
        for x in (
            base.reshape(8, 5, 3).mT, base.reshape(2, 4, 5, 3).permute(0, 3, 1, 2),
            base.reshape(2, 3, 5, 4).mT, base.reshape(40, 3).reshape(3, 40).t(),
        ):  # fmt: skip
            x.requires_grad_()
            count = x.shape[1]
            out = engine.nn.functional.batch_norm(
                x, engine.zeros(count), engine.ones(count), training=training
            )
            (grad,) = engine.autograd.grad(out, x, engine.ones_like(out))
            found.append((out.stride(), grad.stride()))
    assert found[:4] == found[4:]
