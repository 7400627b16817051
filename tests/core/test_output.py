"""`out=`: what is refused before anything is written."""

from __future__ import annotations

import pytest

import flambeau as torch


def places(kind=torch.int64, values=torch.float32):
    return torch.empty(0, dtype=values), torch.empty(0, dtype=kind)


@pytest.mark.parametrize(
    "call",
    [
        lambda x, out: torch.sort(x, out=out),
        lambda x, out: torch.topk(x, 2, out=out),
        lambda x, out: torch.kthvalue(x, 2, out=out),
        lambda x, out: torch.mode(x, out=out),
        lambda x, out: torch.median(x, 0, out=out),
        lambda x, out: torch.nanmedian(x, 0, out=out),
        lambda x, out: torch.max(x, 0, out=out),
        lambda x, out: torch.min(x, 0, out=out),
        lambda x, out: torch.cummax(x, 0, out=out),
    ],
)
def test_values_and_places_keep_their_dtypes(call):
    x = torch.tensor([3.0, 1.0, 2.0])
    with pytest.raises(RuntimeError, match=r"torch\.int64, but got torch\.int32"):
        call(x, places(torch.int32))
    with pytest.raises(RuntimeError, match=r"torch\.float32, but got torch\.float64"):
        call(x, places(values=torch.float64))
    call(x, places())


@pytest.mark.parametrize(
    "call",
    [
        lambda x, out: torch.argmax(x, out=out),
        lambda x, out: torch.argmin(x, out=out),
        lambda x, out: torch.nonzero(x, out=out),
        lambda x, out: torch.multinomial(x, 2, out=out),
    ],
)
def test_places_are_int64(call):
    x = torch.tensor([3.0, 1.0, 2.0])
    with pytest.raises(RuntimeError, match="dtype"):
        call(x, torch.empty(0, dtype=torch.int32))
    out = torch.empty(0, dtype=torch.int64)
    assert call(x, out) is out


def test_kthvalue_refuses_its_input_among_the_outputs():
    x = torch.tensor([3.0, 1.0, 2.0])
    with pytest.raises(RuntimeError, match="single memory location"):
        torch.kthvalue(x, 2, out=(x, torch.empty((), dtype=torch.int64)))
    assert x.tolist() == [3, 1, 2]


@pytest.mark.parametrize("count", [2, 3])
def test_average_pooling_writes_where_it_is_told(count):
    x = torch.randn(1, 1, *[4] * count)
    pool = getattr(torch.nn.functional, f"avg_pool{count}d")
    out = torch.empty(1, 1, *[2] * count)
    assert pool(x, 2, out=out) is out
    assert torch.equal(out, pool(x, 2))
