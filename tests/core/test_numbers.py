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
