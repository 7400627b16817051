"""Nodes: their public face, and what errors say about them."""

import pytest

import flambeau as torch


def test_names_and_edges():
    x = torch.ones(2, requires_grad=True)
    node = (x * 2).sum().grad_fn
    assert type(node).__name__ == node.name() == "SumBackward0"
    below, number = node.next_functions[0]
    assert type(below).__name__ == "MulBackward0"
    assert number == 0
    assert below.next_functions[0][0].variable is x
    assert below.next_functions[1] == (None, 0)
    assert isinstance(node, torch.autograd.graph.Node)
    assert repr(node).startswith("<SumBackward0 object at 0x")
    node.metadata["mine"] = 3
    assert node.metadata == {"mine": 3}


def test_second_backward_names_both():
    x = torch.ones(2, requires_grad=True)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(
        RuntimeError,
        match=r"second time.*Mul at test_node.py:\d+ \(`y = \(x \* x\).sum\(\)`\).*backward at test_node.py:\d+ \(`y.backward",
    ):
        y.backward()


@pytest.mark.parametrize(
    ("step", "frees"),
    [
        (lambda x: x * 2, True),
        (lambda x: 2 * x, True),
        (lambda x: x / 2, True),
        (lambda x: (x + 1).mul_(2.0), True),
        (lambda x: (x + 1).div_(2.0), True),
        (lambda x: x + 2, False),
        (lambda x: 2 - x, False),
        (lambda x: -x, False),
    ],
)
def test_a_factor_that_is_a_number_is_freed_as_a_tensor_is(step, frees):
    x = torch.ones(2, requires_grad=True)
    y = step(x).sum()
    y.backward()
    if frees:
        with pytest.raises(RuntimeError, match="second time"):
            y.backward()
    else:
        y.backward()
        assert x.grad.abs().tolist() == [2.0, 2.0]


def test_an_overwritten_value_names_saver_and_writer():
    a, b = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    h = a + 1
    c = h * b
    h += 1
    with pytest.raises(
        RuntimeError,
        match=r"modified by an inplace operation: the input of shape \[2\] saved by Mul at test_node.py:\d+ \(`c = h \* b`\) was overwritten by `add_` at test_node.py:\d+ \(`h \+= 1`\)",
    ):
        c.sum().backward()


def test_second_backward_through_a_written_view_names_it():
    x = torch.ones(2, requires_grad=True)
    y = x * 1
    y[0:1].mul_(x[1:2])
    loss = y.sum()
    loss.backward()
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()


def test_shape_errors_name_the_operation_both_shapes_and_the_module():
    class Inner(torch.nn.Module):
        def forward(self, x):
            return x + torch.ones(5)

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = Inner()

        def forward(self, x):
            return self.inner(x)

    with pytest.raises(
        RuntimeError, match=r"add \(Net.inner: Inner, test_node.py:\d+\).*\[2, 3\] and \[5\]"
    ):
        Net()(torch.ones(2, 3))
