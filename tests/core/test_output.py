"""`out=`: what is refused before anything is written."""

from __future__ import annotations

import warnings
from typing import Any

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


CALLS = {
    "add": lambda m, x, out: m.add(x, x, out=out),
    "abs": lambda m, x, out: m.abs(x, out=out),
    "floor": lambda m, x, out: m.floor(x, out=out),
    "exp": lambda m, x, out: m.exp(x, out=out),
    "eq": lambda m, x, out: m.eq(x, x, out=out),
    "signbit": lambda m, x, out: m.signbit(x, out=out),
    "sum": lambda m, x, out: m.sum(x, 0, out=out),
    "prod": lambda m, x, out: m.prod(x, 0, out=out),
    "mean": lambda m, x, out: m.mean(x, 0, out=out),
    "amax": lambda m, x, out: m.amax(x, 0, out=out),
    "cumsum": lambda m, x, out: m.cumsum(x, 0, out=out),
    "all": lambda m, x, out: m.all(x, 0, out=out),
    "mm": lambda m, x, out: m.mm(x, x, out=out),
    "cat": lambda m, x, out: m.cat([x, x], out=out),
    "stack": lambda m, x, out: m.stack([x, x], out=out),
    "where": lambda m, x, out: m.where(x > 0, x, x, out=out),
    "tril": lambda m, x, out: m.tril(x, out=out),
    "softmax": lambda m, x, out: m.softmax(x, 0, out=out),
    "inv": lambda m, x, out: m.linalg.inv(x, out=out),
    "qr": lambda m, x, out: m.linalg.qr(x, out=(out, m.empty_like(out)))[0],
    "rfft": lambda m, x, out: m.fft.rfft(x, out=out),
    "cross": lambda m, x, out: m.linalg.cross(x, x, out=out),
    "polar": lambda m, x, out: m.polar(x, x, out=out),
    "float_power": lambda m, x, out: m.float_power(x, 2, out=out),
    "ones": lambda m, x, out: m.ones(3, 3, out=out),
    "zeros of a dtype": lambda m, x, out: m.zeros(3, 3, dtype=m.float32, out=out),
    "eye on a device": lambda m, x, out: m.eye(3, device="cpu", out=out),
    "arange": lambda m, x, out: m.arange(9.0, out=out),
    "linspace": lambda m, x, out: m.linspace(0, 1, 9, out=out),
    "rand": lambda m, x, out: m.rand(3, 3, out=out),
}
OUTS = {
    "int64": lambda m, x: m.empty(0, dtype=m.int64),
    "float64": lambda m, x: m.empty(0, dtype=m.float64),
    "complex64": lambda m, x: m.empty(0, dtype=m.complex64),
    "another shape": lambda m, x: m.ones(2, 2),
    "as many elements": lambda m, x: m.ones(9, 1),
    "empty": lambda m, x: m.empty(0),
    "a list": lambda m, x: [m.empty(0)],
    "on meta": lambda m, x: m.empty(0, device="meta"),
    "the input": lambda m, x: x,
}
# PyTorch's own answers are accidents of its kernels there.
UNDECIDED = {
    ("amax", "on meta"),
    ("mean", "on meta"),
    ("mean", "the input"),
    ("arange", "complex64"),
}


def written(m, call, given):
    """The shape, strides and dtype of what was written and the resize warnings, or the error."""
    x = m.arange(9, dtype=m.float32).reshape(3, 3) * 0.5 + m.eye(3)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            y = CALLS[call](m, x, OUTS[given](m, x))
        except Exception as error:
            return type(error).__name__
    resized = [each.category.__name__ for each in heard if "resized" in str(each.message)]
    return tuple(y.shape), y.stride(), str(y.dtype), resized


@pytest.mark.parametrize("call", CALLS)
def test_what_is_written_where_is_pytorchs_choice(call, oracle):
    found = {
        given: (written(torch, call, given), written(oracle, call, given))
        for given in OUTS
        if (call, given) not in UNDECIDED
    }
    assert {given: ours for given, (ours, _) in found.items()} == {
        given: theirs for given, (_, theirs) in found.items()
    }


def test_the_memory_that_out_grows_into_counts(oracle):
    for t in (oracle, torch):
        index = t.tensor([2, 1, 0])
        with (
            warnings.catch_warnings(),
            pytest.raises(RuntimeError, match="refer to a single memory"),
        ):
            warnings.simplefilter("ignore")  # PyTorch has resized it by then
            t.gather(index, 0, index[1:], out=index[:1])


INTO_ITSELF = {
    "bmm": lambda of, out: of.bmm(of.ones(2, 2, 2), of.ones(2, 2, 2), out=out(2, 2, 2)),
    "mm": lambda of, out: of.mm(of.ones(2, 2), of.ones(2, 2), out=out(2, 2)),
    "mv": lambda of, out: of.mv(of.ones(2, 2), of.ones(2), out=out(2)),
    "tril": lambda of, out: of.tril(of.ones(2, 2), out=out(2, 2)),
    "ones": lambda of, out: of.ones(2, out=out(2)),
    "full": lambda of, out: of.full((2,), 3.0, out=out(2)),
    "eye": lambda of, out: of.eye(2, out=out(2, 2)),
    "arange": lambda of, out: of.arange(2.0, out=out(2)),
    "add": lambda of, out: of.add(of.ones(2), 1, out=out(2)),
}


@pytest.mark.parametrize("form", INTO_ITSELF)
def test_out_whose_elements_share_memory(oracle: Any, form: str) -> None:
    """What PyTorch writes all the same is written, what it refuses is refused."""

    def run(of: Any) -> Any:
        try:
            return INTO_ITSELF[form](of, lambda *shape: of.zeros(1).expand(*shape)).tolist()
        except Exception as error:
            return type(error).__name__

    assert run(torch) == run(oracle)


RESIZED = {
    "addbmm": lambda of: of.addbmm(
        of.ones(2, 2), of.ones(2, 2, 2), of.ones(2, 2, 2), out=of.ones(3)
    ),
    "addmm": lambda of: of.addmm(of.ones(2, 2), of.ones(2, 2), of.ones(2, 2), out=of.ones(3)),
    "logsigmoid": lambda of: of.nn.functional.logsigmoid(of.ones(2), out=of.ones(3)),
    "orgqr": lambda of: of.orgqr(of.eye(3), of.ones(3), out=of.ones(0)),
    "geqrf": lambda of: of.geqrf(of.eye(3), out=(of.ones(0), of.ones(0)))[0],
}


@pytest.mark.parametrize("form", RESIZED)
def test_a_resized_out_is_laid_and_warned_of_as_in_pytorch(oracle: Any, form: str) -> None:
    def run(of: Any) -> Any:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            made = RESIZED[form](of)
        resizes = [each for each in said if "was resized" in str(each.message)]
        return made.stride(), tuple(made.shape), len(resizes)

    assert run(torch) == run(oracle)
