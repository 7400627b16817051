"""custom_op: gradient, fake, schema, namespaces."""

import numpy as np
import pytest

import flambeau as torch
from flambeau import Tensor


@torch.library.custom_op("testing_ops::sine", mutates_args=())
def sine(x: Tensor, scale: float = 1.0) -> Tensor:
    return torch.from_numpy(np.sin(x.numpy())) * scale


sine.register_autograd(
    lambda ctx, g: (g * ctx.saved_tensors[0].cos() * ctx.scale, None),
    setup_context=lambda ctx, inputs, output: (
        ctx.save_for_backward(inputs[0]),
        setattr(ctx, "scale", inputs[1]),
    ),
)
sine.register_fake(lambda x, scale=1.0: torch.empty_like(x))


def test_values_gradient_and_meta():
    x = torch.tensor([0.3, 0.6], dtype=torch.float64, requires_grad=True)
    y = sine(x, 2.0)
    assert y.grad_fn.name() == "GeneratedBackwardFor_testing_ops_sine_defaultBackward"
    assert torch.autograd.gradcheck(lambda x: sine(x, 2.0), (x,))
    assert torch.equal(torch.ops.testing_ops.sine(x), sine(x))
    assert sine(torch.empty(3, device="meta")).shape == (3,)
    assert (
        str(torch.ops.testing_ops.sine.default._schema)
        == "testing_ops::sine(Tensor x, float scale=1.) -> Tensor"
    )
    assert set(torch.library.opcheck(sine, (torch.ones(2),)).values()) == {"SUCCESS"}


def test_writing_its_argument():
    @torch.library.custom_op("testing_ops::bump", mutates_args={"x"})
    def bump(x: Tensor) -> None:
        x.numpy()[...] += 1

    z = torch.zeros(2)
    assert bump(z) is None and z.tolist() == [1, 1] and z._version == 1


def test_what_it_refuses():
    with pytest.raises(ValueError, match="namespace::name"):
        torch.library.custom_op("bad", lambda x: x, mutates_args=())
    with pytest.raises(ValueError, match="type annotation"):
        torch.library.custom_op("a::b", lambda x: x, mutates_args=())

    @torch.library.custom_op("testing_ops::same", mutates_args=())
    def same(x: Tensor) -> Tensor:
        return x

    with pytest.raises(RuntimeError, match="alias"):
        same(torch.ones(2))
    with pytest.raises(AttributeError, match="nope"):
        torch.ops.testing_ops.nope


def test_library_by_text():
    lib = torch.library.Library("testing_text", "DEF")
    lib.define("twice(Tensor x) -> Tensor")

    @torch.library.impl(lib, "twice", "CPU")
    def twice(x):
        return x * 2

    assert torch.ops.testing_text.twice(torch.ones(2)).tolist() == [2, 2]


def test_vmap_runs_sample_by_sample_and_by_the_registered_rule():
    seen = []

    @torch.library.custom_op("testing_ops::halves", mutates_args=())
    def halves(x: Tensor, n: int) -> tuple[Tensor, Tensor]:
        seen.append(tuple(x.shape))
        return torch.from_numpy(x.numpy()[:n].copy()), torch.from_numpy(x.numpy()[n:].copy())

    x = torch.arange(6.0).view(3, 2)
    first, second = torch.vmap(halves, in_dims=(1, None), out_dims=(0, 1))(x, 1)
    assert first.tolist() == [[0.0], [1.0]] and second.tolist() == [[2.0, 3.0], [4.0, 5.0]]
    assert seen == [(3,), (3,)]
    y = x.view(1, 3, 2)
    assert torch.vmap(torch.vmap(sine))(y).equal(sine(y))
    w = torch.ones(2, 2, requires_grad=True)
    torch.vmap(sine)(w).sum().backward()
    assert torch.allclose(w.grad, torch.ones(2, 2).cos())

    @halves.register_vmap
    def _(info, in_dims, x, n):
        assert in_dims[1] is None
        return (x[:, :n] * info.batch_size, x[:, n:]), (0, 0)

    assert torch.vmap(halves, in_dims=(1, None))(x, 1)[0].tolist() == [[0.0], [2.0]]
    assert len(seen) == 2
