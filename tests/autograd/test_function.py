"""Functions of the user's own: defaults of `forward`, backwards that are differentiable once."""

import pytest

import flambeau as torch


class Picked(torch.autograd.Function):
    @staticmethod
    def forward(x, at=(2,), scale=1.0):
        return x[at] * scale

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, ctx.at, ctx.scale = inputs
        ctx.shape = x.shape

    @staticmethod
    def backward(ctx, g):
        grad = g.new_zeros(ctx.shape)
        grad[ctx.at] = g * ctx.scale
        return grad, None, None


def test_defaults_are_inputs_of_setup_context():
    x = torch.arange(4.0, requires_grad=True)
    Picked.apply(x).backward()
    Picked.apply(x, (0,), 3.0).backward()
    assert x.grad.tolist() == [3.0, 0.0, 1.0, 0.0]


class Once(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 3 * x**2


def test_a_refusal_is_raised_where_it_is_reached():
    x = torch.ones(1, requires_grad=True)
    g = torch.ones(1, requires_grad=True)
    (first,) = torch.autograd.grad(Once.apply(x), x, g, create_graph=True)
    assert first.requires_grad
    # No way leads through it to what is asked for: nothing is run, as in PyTorch.
    assert torch.autograd.grad(first.sum(), (x, g), allow_unused=True) == (None, None)
    (first,) = torch.autograd.grad(Once.apply(x), x, g, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


NAMES = ("shape", "dtype", "edges", "hooks", "sequence", "code", "function", "run", "op", "outputs")


@pytest.mark.parametrize("name", NAMES)
def test_attributes_of_ctx_are_the_users(name):
    class Noted(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            setattr(ctx, name, "mine")
            return x * 2

        @staticmethod
        def backward(ctx, g):
            assert getattr(ctx, name) == "mine"
            return g * 2

    x = torch.ones(3, requires_grad=True)
    Noted.apply(x).sum().backward()
    assert x.grad.tolist() == [2.0] * 3


def test_grad_fn_tells_what_ctx_was_given():
    class Noted(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.remark = "kept"
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            assert ctx.name() == "NotedBackward"
            return g * 2

    x = torch.ones(3, requires_grad=True)
    y = Noted.apply(x)
    assert y.grad_fn.remark == "kept" and y.grad_fn.needs_input_grad == (True,)
    assert y.grad_fn.saved_tensors[0] is x
    with pytest.raises(AttributeError, match="NotedBackward"):
        y.grad_fn.other
    y.sum().backward()


@pytest.mark.parametrize(
    "returned", ("a", "a.view(4)", "a[0]", "(a * 2)[0]", "(a, b)", "a.clone()")
)
@pytest.mark.parametrize("leaf", (True, False))
def test_a_view_that_a_function_made_is_not_written(returned, leaf, oracle):
    found = []
    for t in (torch, oracle):

        class Returning(t.autograd.Function):
            @staticmethod
            def forward(ctx, a, b):
                return eval(returned, {"a": a, "b": b})

            @staticmethod
            def backward(ctx, *grads):
                return grads[0], grads[-1]

        given = [t.ones(2, 2, requires_grad=True) for _ in range(2)]
        result = Returning.apply(*(x if leaf else x * 1 for x in given))
        written = result[0] if isinstance(result, tuple) else result
        try:
            written += 1
        except RuntimeError as error:
            text = str(error)
            found.append(["multiple views" in text, "inside a custom Function" in text])
        else:
            found.append([written.tolist()])
    assert found[0] == found[1]


def test_a_view_of_its_own_tensor_written_in_forward_keeps_the_node(oracle):
    def seen(lib):
        class Local(lib.autograd.Function):
            @staticmethod
            def forward(ctx, a):
                view = a.clone()[:3]
                view += 2
                return view

            @staticmethod
            def backward(ctx, g):
                return lib.cat([g, g[:2]])

        a = lib.ones(5, requires_grad=True)
        out = Local.apply(a)
        name = type(out.grad_fn).__name__
        (out * 2).sum().backward()
        return name, out.tolist(), a.grad.tolist()

    assert seen(torch) == seen(oracle)


def test_a_result_marked_dirty_is_warned_of(oracle):
    def seen(lib):
        class Marked(lib.autograd.Function):
            @staticmethod
            def forward(ctx, a):
                out = 3 * a
                ctx.mark_dirty(out)
                return out

            @staticmethod
            def backward(ctx, g):
                return 3 * g

        a = lib.ones(2, requires_grad=True)
        with pytest.warns(UserWarning):
            out = Marked.apply(a.clone())
        out.sum().backward()
        return a.grad.tolist()

    assert seen(torch) == seen(oracle)


def test_backward_has_one_name(oracle):
    for lib in (torch, oracle):

        class Two(lib.autograd.Function):
            @staticmethod
            def forward(ctx, a):
                return a.clone()

            @staticmethod
            def backward(ctx, g):
                return g

            @staticmethod
            def vjp(ctx, g):
                return g

        out = Two.apply(lib.ones(1, requires_grad=True))
        with pytest.raises(RuntimeError):
            out.sum().backward()
