"""Choosing by a condition: where, masked_*, nonzero."""

import pytest

import flambeau
from flambeau.autograd.gradcheck import gradcheck

MASK = flambeau.tensor([True, False, True])


def test_where_promotes_and_broadcasts():
    x = flambeau.ones(2, 3, dtype=flambeau.int64)
    chosen = flambeau.where(MASK, x, 0.5)
    assert chosen.dtype is flambeau.float32
    assert chosen.tolist() == [[1, 0.5, 1]] * 2
    assert [k.tolist() for k in flambeau.where(MASK)] == [[0, 2]]


def test_gradients():
    x, y = (flambeau.randn(2, 3, dtype=flambeau.float64, requires_grad=True) for _ in range(2))
    assert gradcheck(lambda x, y: flambeau.where(MASK, x, y), (x, y))
    assert gradcheck(lambda x: flambeau.where(MASK, x, 1.0), (x,))
    assert gradcheck(lambda x: x.masked_fill(MASK, 3), (x,))
    assert gradcheck(lambda x: x.masked_select(MASK), (x,))
    assert gradcheck(lambda x, y: x.masked_scatter(MASK, y), (x, y))


def test_masked_fill_in_place_counts_as_a_write():
    x = flambeau.zeros(2, 3)
    x.masked_fill_(MASK, 2)
    assert x.tolist() == [[2, 0, 2]] * 2
    assert x._version == 1


def test_nonzero():
    x = flambeau.tensor([[0, 1], [2, 0]])
    assert x.nonzero().tolist() == [[0, 1], [1, 0]]
    assert [k.tolist() for k in x.nonzero(as_tuple=True)] == [[0, 1], [1, 0]]
    assert flambeau.nonzero_static(x, size=3).tolist() == [[0, 1], [1, 0], [-1, -1]]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: flambeau.where(x, x, x), "boolean tensor"),
        (lambda x: x.masked_fill(x, 1), "boolean masks"),
        (lambda x: x.masked_scatter(MASK, x[:1]), "Number of elements of source"),
        (lambda x: x.masked_fill(MASK, x), "0-dimensional value"),
    ],
)
def test_errors(call, words):
    with pytest.raises(RuntimeError, match=words):
        call(flambeau.ones(3))


@pytest.mark.parametrize(
    "form",
    [
        "t.where(m, f, k)", "t.where(m, k, 0)", "t.where(m, 1, 0)", "t.where(m, 1.0, 0)",
        "t.where(m, m, m)", "t.where(m, m, 1)", "t.where(m, k, 0.5)", "t.where(m, f, d)",
        "t.where(m, u, 3)", "t.where(m, 0.0, k)", "t.where(m, f, f.new_tensor(2))",
        "t.where(m, f[:1], k[:, :1])", "t.where(m, True, m)", "t.where(m, d, 1)",
        "f.masked_fill(m, 2)", "(f * 1).masked_fill_(m, 2)", "k.masked_fill(m, 2)",
        "k.clone().masked_fill_(m, 7)", "k.masked_fill(m, 2.5)", "f.masked_fill(m[:1], 2)",
        "(f * 1).masked_fill_(m[:, :1], 2)", "f[:1].masked_fill(m, 2)",

        "t.where(m, f, k, out=t.empty(2, 2))", "t.where(m, f, d[0], out=t.zeros(2, 2))",
    ],
)  # fmt: skip
@pytest.mark.parametrize("grad", [False, True])
def test_any_dtypes(form, grad, oracle):
    found = []
    for t in (flambeau, oracle):
        f = t.tensor([[1.0, -2.0], [3.0, 4.0]], requires_grad=grad)
        names = {
            "t": t, "f": f, "k": t.tensor([[5, 6], [7, 8]]), "d": f.detach().double() + 0.5,
            "m": t.tensor([[True, False], [False, True]]), "u": t.tensor([[1, 2], [3, 4]], dtype=t.uint8),
        }  # fmt: skip
        try:
            y = eval(form, names)
        except Exception as problem:
            found.append(type(problem).__name__)
            continue
        if y.requires_grad:
            (y * y).sum().backward()
        node = None if y.grad_fn is None else y.grad_fn.name()
        found.append((y.tolist(), str(y.dtype), node, f.grad is not None and f.grad.tolist()))
    assert found[0] == found[1]


def test_masked_fill_is_row_major_however_its_input_lies(oracle):
    for order in ((1, 0, 2), (0, 2, 1), (2, 0, 1)):
        found = []
        for engine in (flambeau, oracle):
            x = engine.arange(24.0).reshape(2, 3, 4).permute(order)
            for mask in (x > 3, (x > 3).contiguous(), (x > 3)[:1]):
                out = x.masked_fill(mask, 0.5)
                found.append((out.stride(), out.view(-1).tolist()))
        assert found[:3] == found[3:]
