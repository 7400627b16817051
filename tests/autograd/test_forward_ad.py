"""Dual tensors: what a write, a user's Function and a text make of a tangent, beside PyTorch's."""

from __future__ import annotations

import pytest

import flambeau

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")

WRITES = (
    "x.normal_()", "x.bernoulli_()", "x.uniform_()", "x.exponential_()", "x.cauchy_()",
    "x.geometric_(0.5)", "x.log_normal_()", "x.random_()", "x.zero_()", "x.fill_(2.0)",
    "x.mul_(2.0)", "x.copy_(torch.zeros(3))", "x.narrow(0, 0, 1).mul_(3)", "x[1:].zero_()",
)  # fmt: skip


@pytest.mark.parametrize("text", WRITES)
def test_a_dual_that_is_written_has_the_tangent_of_what_was_written(oracle, text):
    def tangent(torch):
        with torch.autograd.forward_ad.dual_level():
            x = torch.autograd.forward_ad.make_dual(torch.ones(3), torch.arange(1.0, 4.0))
            eval(text, {"torch": torch, "x": x})
            return torch.autograd.forward_ad.unpack_dual(x).tangent.tolist()

    assert tangent(flambeau) == tangent(oracle)


def test_the_text_of_a_dual_tells_its_tangent(oracle):
    def texts(torch):
        forward = torch.autograd.forward_ad
        with forward.dual_level():
            x = forward.make_dual(torch.ones(2), torch.zeros(2))
            return [repr(each) for each in (x, x * 2, torch.ones(2), forward.unpack_dual(x))]

    assert texts(flambeau) == texts(oracle)


def test_a_dual_is_no_tangent(oracle):
    for torch in (flambeau, oracle):
        forward = torch.autograd.forward_ad
        with forward.dual_level():
            x = forward.make_dual(torch.ones(2), torch.zeros(2))
            with pytest.raises(RuntimeError):
                forward.make_dual(torch.ones(2), x)


def functions(torch):
    """Functions with a `jvp` that is not the transpose of their backward."""

    class Two(torch.autograd.Function):
        @staticmethod
        def forward(ctx, scale, x, y):
            ctx.scale = scale
            ctx.save_for_forward(x, y)
            ctx.save_for_backward(x)
            return x * y * scale, x + y

        @staticmethod
        def jvp(ctx, _, a, b):
            x, y = ctx.saved_tensors
            return ctx.scale * (a * y + x * b) * 10, a + b

    class Doubled(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x.mul_(2)

        @staticmethod
        def jvp(ctx, a):
            return a.mul_(20)

    class Apart(torch.autograd.Function):
        @staticmethod
        def forward(x):
            return x * x

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_forward(*inputs)

        @staticmethod
        def jvp(ctx, a):
            return ctx.saved_tensors[0] * a * 20

        @staticmethod
        def backward(ctx, g):
            return g * 3

    return Two.apply, Doubled.apply, Apart.apply


def test_a_function_moves_tangents_by_its_own_jvp(oracle):
    def seen(torch):
        forward = torch.autograd.forward_ad
        two, doubled, apart = functions(torch)
        point, step = torch.tensor([2.0]), torch.tensor([1.0])
        with forward.dual_level():
            x = forward.make_dual(point, step)
            product, total = two(4, x, torch.tensor([3.0]))
            found = [product, total, product * total, doubled(x.clone()), apart(x).exp()]
            pairs = [tuple(t.tolist() for t in forward.unpack_dual(each)) for each in found]
        moved = torch.func.jvp(lambda z: apart(z).sin(), (point,), (step,))
        kept = torch.func.grad(lambda z: apart(z).sum())(point)
        return pairs, [t.tolist() for t in moved], kept.tolist(), step.tolist()

    assert repr(seen(flambeau)) == repr(seen(oracle))


@pytest.mark.parametrize("found", ["None", "(a, a)", "a[:1]", "a * 2"])
def test_a_jvp_gives_a_tangent_as_the_output_is(oracle, found):
    def kind(torch):
        class Wrong(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.mark_dirty(x)
                return x.mul_(2)

            @staticmethod
            def jvp(ctx, a):
                return eval(found, {"a": a})

        forward = torch.autograd.forward_ad
        with forward.dual_level():
            x = forward.make_dual(torch.ones(2), torch.ones(2))
            try:
                forward.unpack_dual(Wrong.apply(x.clone()))
            except RuntimeError as error:
                return type(error)

    assert kind(flambeau) is kind(oracle)


def test_gradcheck_takes_a_jvp_alone(oracle):
    for torch in (flambeau, oracle):

        class Cube(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x, right):
                ctx.right = right
                ctx.save_for_forward(x)
                return x**3

            @staticmethod
            def jvp(ctx, a, _):
                return 3 * ctx.saved_tensors[0] ** 2 * a * (1 if ctx.right else 1.1)

        x = torch.linspace(1, 2, 3, dtype=torch.float64).requires_grad_()
        options = {"check_backward_ad": False, "check_forward_ad": True, "check_batched_grad": False,
                   "check_undefined_grad": False}  # fmt: skip
        assert torch.autograd.gradcheck(Cube.apply, (x, True), **options)
        assert not torch.autograd.gradcheck(
            Cube.apply, (x, False), raise_exception=False, **options
        )
