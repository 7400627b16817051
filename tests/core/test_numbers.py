"""Python numbers that a dtype does not hold are refused, as PyTorch refuses them."""

import pytest

import flambeau

NUMBERS = (-1, 256, -300, 2**40, 300.0, -1.0, 255.5, 127.5, True, float("nan"), float("inf"))


def made(t, kind, value):
    like = t.ones(1, dtype=kind)
    for make in (
        lambda: t.full((1,), value, dtype=kind),
        lambda: t.full_like(like, value),
        lambda: like.new_full((1,), value),
        lambda: t.tensor(value, dtype=kind),
        lambda: t.tensor([1, value], dtype=kind),
        lambda: like.fill_(value),
        lambda: like.index_fill(0, t.tensor([0]), value),
        lambda: like.masked_fill(like > -3, value),
    ):
        try:
            yield make().tolist()
        except RuntimeError:
            yield "refused"


@pytest.mark.parametrize("kind", ["uint8", "int8", "int32", "int64"])
def test_numbers_that_do_not_fit(oracle, kind):
    for value in NUMBERS:
        theirs, ours = (list(made(t, getattr(t, kind), value)) for t in (oracle, flambeau))
        assert ours == theirs, value


OPERATIONS = {
    "clamp": lambda t, x, n: x.clamp(max=n),
    "clamp_": lambda t, x, n: x.clamp_(min=n),
    "clamp_min": lambda t, x, n: x.clamp_min(n),
    "alpha": lambda t, x, n: t.add(x, x, alpha=n),
    "addcmul": lambda t, x, n: t.addcmul(x, x, x, value=n),
    "threshold": lambda t, x, n: t.nn.functional.threshold(x, n, 0),
    "pad": lambda t, x, n: t.nn.functional.pad(x, (1, 1), value=n),
    "power": lambda t, x, n: x**n,
    "pow": lambda t, x, n: t.pow(x, n),
    "pow of a tensor": lambda t, x, n: t.pow(x, t.tensor(n)),
    "less": lambda t, x, n: x < n,
    "equal": lambda t, x, n: x == n,
    "add": lambda t, x, n: x + n,
    "mul": lambda t, x, n: x.mul_(n),
    "fill": lambda t, x, n: x.fill_(n),
    "tensor": lambda t, x, n: t.tensor([n], dtype=x.dtype),
}


@pytest.mark.parametrize("kind", ["uint8", "int8", "int16", "int32", "int64"])
def test_numbers_that_do_not_fit_an_operation(oracle, kind):
    def run(t, form, shape, number):
        x = t.full(shape, 3, dtype=getattr(t, kind))
        try:
            return OPERATIONS[form](t, x, number).tolist()
        except Exception as error:
            return type(error).__name__

    for form in OPERATIONS:
        for number in (300, -1, -300, 70000, 2**31, 2**40, 2**63 - 1, 2**64, -(2**63) - 1):
            for shape in ((2,), ()):
                if form == "pad" and (not shape or abs(number) > 2**53):
                    continue  # there it is a double
                theirs, ours = (run(t, form, shape, number) for t in (oracle, flambeau))
                assert ours == theirs, (form, shape, number)


@pytest.mark.parametrize("number", [300, -300, 2**64])
def test_numbers_of_where_must_fit(oracle, number):
    for t in (oracle, flambeau):
        x = t.tensor([1, 2], dtype=t.uint8)
        with pytest.raises((RuntimeError, OverflowError)):
            t.where(x > 1, x, number)
        with pytest.raises((RuntimeError, OverflowError)):
            t.where(x > 1, number, x)
