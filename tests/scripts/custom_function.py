"""Custom autograd Functions: saved tensors, context flags, gradcheck, straight-through."""

import torch
from torch.autograd import Function, gradcheck


class Cube(Function):
    @staticmethod
    def forward(ctx, x, scale=1.0):
        ctx.save_for_backward(x)
        ctx.scale = scale
        return scale * x**3

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 3 * ctx.scale * x**2, None


class Round(Function):
    @staticmethod
    def forward(x):
        return x.round()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.mark_non_differentiable()

    @staticmethod
    def backward(ctx, grad):
        print("needs", ctx.needs_input_grad)
        return grad.clamp(-1, 1)


class Both(Function):
    @staticmethod
    def forward(ctx, a, b):
        ctx.set_materialize_grads(False)
        return a * 2, b * 3

    @staticmethod
    def backward(ctx, ga, gb):
        return None if ga is None else ga * 2, None if gb is None else gb * 3


x = torch.tensor([1.0, -2.0, 0.5], dtype=torch.double, requires_grad=True)
print(gradcheck(lambda t: Cube.apply(t, 0.7), (x,)), torch.autograd.gradgradcheck(Cube.apply, (x,)))
y = Cube.apply(x, 2.0)
print(y, y.grad_fn)
y.sum().backward()
print(x.grad)
z = torch.tensor([0.4, 1.6], requires_grad=True)
(Round.apply(z) * 5).sum().backward()
print(z.grad)
a, b = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
u, v = Both.apply(a, b)
u.sum().backward()
print(a.grad, b.grad, u.grad_fn.name())


@torch.no_grad()
def quiet(t):
    return t * 2


print(quiet(a).requires_grad, (a * 2).detach().requires_grad, torch.is_grad_enabled())
with torch.no_grad(), torch.enable_grad():
    print((a + 1).requires_grad)
with torch.set_grad_enabled(False):
    print((a + 1).requires_grad)
