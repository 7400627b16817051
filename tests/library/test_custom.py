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


def test_lists_of_tensors_go_in_and_come_out():
    @torch.library.custom_op("testing_ops::joined", mutates_args=())
    def joined(parts: list[Tensor], dim: int) -> Tensor:
        return torch.from_numpy(np.concatenate([x.numpy() for x in parts], dim))

    @torch.library.custom_op("testing_ops::parted", mutates_args=())
    def parted(x: Tensor, sizes: list[int], dim: int) -> list[Tensor]:
        return [part.clone() for part in x.split(sizes, dim)]

    seen = []

    def keep(ctx, inputs, output):
        parts, dim = inputs
        seen.append(ctx.needs_input_grad)
        ctx.sizes, ctx.dim = [x.size(dim) for x in parts], dim

    joined.register_autograd(
        lambda ctx, g: (parted(g, ctx.sizes, ctx.dim), None), setup_context=keep
    )
    parted.register_autograd(
        lambda ctx, grads: (joined(grads, ctx.dim), None, None),
        setup_context=lambda ctx, inputs, output: setattr(ctx, "dim", inputs[2]),
    )
    a, b = torch.ones(2, 3, requires_grad=True), torch.ones(1, 3)
    out = joined([a, b], 0)
    (grad,) = torch.autograd.grad((out**2).sum(), a, create_graph=True)
    assert grad.tolist() == [[2.0] * 3] * 2
    assert torch.autograd.grad(grad.sum(), a)[0].tolist() == [[2.0] * 3] * 2
    assert seen == [([True, False], False)] * len(seen)
    x = torch.arange(6.0, requires_grad=True)
    first, second = parted(x, [2, 4], 0)
    (first.sum() + (second * 3).sum()).backward()
    assert x.grad.tolist() == [1.0, 1.0, 3.0, 3.0, 3.0, 3.0]


def test_arguments_by_keyword_alone_are_told_apart():
    @torch.library.custom_op("testing_ops::scaled", mutates_args=())
    def scaled(x: Tensor, *, by: float) -> Tensor:
        return x * by

    def setup(ctx, inputs, keyword_only_inputs, output):
        assert len(inputs) == 1
        ctx.by = keyword_only_inputs["by"]

    scaled.register_autograd(lambda ctx, g: g * ctx.by, setup_context=setup)
    scaled.register_vmap(lambda info, in_dims, x, *, by: (x * by, in_dims[0]))
    x = torch.ones(3, requires_grad=True)
    scaled(x, by=2.5).sum().backward()
    assert x.grad.tolist() == [2.5] * 3
    assert torch.vmap(lambda row: scaled(row, by=2.0))(torch.ones(2, 3)).tolist() == [[2.0] * 3] * 2


def test_a_backward_of_another_number_of_gradients_is_refused():
    @torch.library.custom_op("testing_ops::doubled", mutates_args=())
    def doubled(x: Tensor, y: int) -> Tensor:
        return x * 2

    doubled.register_autograd(lambda ctx, g: g * 2)
    with pytest.raises(RuntimeError, match="expected 2"):
        doubled(torch.ones(2, requires_grad=True), 1).sum().backward()
