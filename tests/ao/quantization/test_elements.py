"""Elements of quantised tensors: seen through views, written, and made without numbers."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

import flambeau

pytestmark = pytest.mark.filterwarnings("ignore:.*quantized tensor creation functions")

VIEWS = {
    "select": lambda q: q[1],
    "other": lambda q: q[..., 1],
    "slice": lambda q: q[:, 1:],
    "step": lambda q: q[..., ::2],
    "narrow": lambda q: q.narrow(1, 1, 2),
    "chunk": lambda q: q.chunk(2, 2)[1],
    "unbind": lambda q: q.unbind(0)[1],
    "front": lambda q: q.unsqueeze(0),
    "back": lambda q: q.unsqueeze(3),
    "new": lambda q: q[None, :, 1:],
    "squeeze": lambda q: q[:1].squeeze(0),
    "every": lambda q: q[:, None].squeeze(),
    "like": lambda q: flambeau_or(q).ones_like(q),
    "filled": lambda q: q.clone().fill_(0.5),
    "written": lambda q: put(q.clone(), (1, slice(1, 3)), 0.25),
    "one": lambda q: put(q.clone(), (0, 1, 2), 0.25),
}


def flambeau_or(q: Any) -> Any:
    return flambeau if isinstance(q, flambeau.Tensor) else pytest.importorskip("torch")


def put(q: Any, index: Any, value: Any) -> Any:
    q[index] = value
    return q


def by_channel(torch: ModuleType, axis: int) -> Any:
    values = torch.linspace(-3, 3, 24).reshape(2, 3, 4)
    count = values.shape[axis]
    scales = torch.arange(1, count + 1) / 32
    return torch.quantize_per_channel(values, scales, torch.arange(count), axis, torch.qint8)


def facts(q: Any) -> list[Any]:
    if not str(q.qscheme()).startswith("torch.per_channel"):
        return [q.q_scale(), q.q_zero_point()]
    return [q.q_per_channel_scales().tolist(), q.q_per_channel_zero_points().tolist(),
            q.q_per_channel_axis()]  # fmt: skip


# Of q[..., 1] with the channels elsewhere PyTorch names a dimension too small, and cannot dequantise.
SEEN = [(name, axis) for name in sorted(VIEWS) for axis in range(3) if (name, axis) < ("other", 0)
        or (name, axis) > ("other", 1)]  # fmt: skip


@pytest.mark.parametrize(("name", "axis"), SEEN)
def test_scales_go_with_their_channels(oracle: ModuleType, name: str, axis: int) -> None:
    made = [VIEWS[name](by_channel(torch, axis)) for torch in (flambeau, oracle)]
    ours, theirs = ([q.int_repr().tolist(), q.dequantize().tolist(), *facts(q)] for q in made)
    assert ours == theirs


@pytest.mark.parametrize("axis", [0, 1])
def test_a_view_past_the_channels_keeps_their_numbers(axis: int) -> None:
    q = by_channel(flambeau, axis)
    assert flambeau.equal(q[..., 1].dequantize(), q.dequantize()[..., 1])


@pytest.mark.parametrize("move", ["transpose(0, 1)", "permute(2, 0, 1)", "flip(0)", "resize_(24)",
                                  "expand(5, 2, 3, 4)", "repeat(1, 1, 2)"])  # fmt: skip
def test_what_moves_channels_is_refused(oracle: ModuleType, move: str) -> None:
    for torch in (flambeau, oracle):
        q = by_channel(torch, 0)
        with pytest.raises(RuntimeError):
            eval(f"q.{move}", {"q": q})


def whole(torch: ModuleType) -> Any:
    return torch.quantize_per_tensor(torch.linspace(-3, 3, 6).reshape(2, 3), 0.25, 3, torch.quint8)


WRITES = {
    "number": lambda torch, q: put(q, 0, 1.5),
    "numbers": lambda torch, q: put(q, slice(1, None), torch.tensor([[0.5, 0.75, 1.0]])),
    "wide": lambda torch, q: put(q, 0, torch.tensor(2.0, dtype=torch.float64)),
    "places": lambda torch, q: put(q, (torch.tensor([0, 1]), torch.tensor([2, 0])), 1.0),
    "mask": lambda torch, q: put(q, q.dequantize() > 0, 0.5),
    "same": lambda torch, q: put(q, 0, q[1]),
    "fill": lambda torch, q: q.fill_(2**32),
    "masked": lambda torch, q: q.masked_fill(torch.tensor([True, False, True]), 1.0),
    "masked_": lambda torch, q: q.masked_fill_(torch.tensor(True), -100.0),
    "put": lambda torch, q: q.index_put_((torch.tensor([1]),), torch.tensor([[1.0, 2.0, 3.0]])),
    "copied": lambda torch, q: q.copy_(torch.ones(2, 3)),
    "taken": lambda torch, q: q.copy_(
        torch.quantize_per_tensor(torch.ones(2, 3), 0.5, 7, torch.quint8)
    ),
    "repeated": lambda torch, q: q.repeat(2, 1),
    "full": lambda torch, q: torch.full_like(q, 0.5),
    "resized": lambda torch, q: q.resize_(6),
    "integers": lambda torch, q: torch._make_per_tensor_quantized_tensor(q.int_repr(), 0.5, 1),
    "format": lambda torch, q: q.reshape(1, 2, 1, 3).to(memory_format=torch.channels_last),
}


@pytest.mark.parametrize("name", sorted(WRITES))
def test_numbers_are_written_in_the_scale(oracle: ModuleType, name: str) -> None:
    made = [WRITES[name](torch, whole(torch)) for torch in (flambeau, oracle)]
    ours, theirs = ([q.int_repr().tolist(), list(q.stride()), str(q.dtype), *facts(q)]
                    for q in made)  # fmt: skip
    assert ours == theirs


REFUSED = {
    "item of many": lambda torch, q: q.item(),
    "integers": lambda torch, q: put(q, 0, torch.ones(3, dtype=torch.int32)),
    "another dtype": lambda torch, q: q.copy_(
        torch.quantize_per_tensor(torch.ones(2, 3), 0.5, 7, torch.qint8)
    ),
    "another shape": lambda torch, q: q.copy_(torch.tensor(1.0)),
    "into numbers": lambda torch, q: torch.empty(2, 3).copy_(q),
    "new": lambda torch, q: q.new(3),
    "column": lambda torch, q: put(q, (slice(None), 1), torch.tensor([0.5, 0.75])),
    "new zeros": lambda torch, q: q.new_zeros(3),
    "zeros": lambda torch, q: torch.zeros_like(q),
    "like another": lambda torch, q: torch.empty_like(q, dtype=torch.qint8),
    "empty of floats": lambda torch, q: torch._empty_affine_quantized(
        [2], scale=1.0, zero_point=0, dtype=torch.float32
    ),
    "made of floats": lambda torch, q: torch._make_per_tensor_quantized_tensor(
        torch.ones(2), 1.0, 0
    ),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_refusals_are_of_pytorchs_kind(oracle: ModuleType, name: str) -> None:
    kinds = []
    for torch in (flambeau, oracle):
        with pytest.raises((RuntimeError, ValueError)) as caught:
            REFUSED[name](torch, whole(torch))
        kinds.append(caught.type)
    assert kinds[0] is kinds[1]


def test_items_are_numbers_and_empty_tensors_tell_their_size_once(oracle: ModuleType) -> None:
    def told(torch: ModuleType) -> list[Any]:
        none = torch.quantize_per_tensor(torch.ones(0, 1), 1.0, 2, torch.qint8)
        one = torch._empty_affine_quantized([2], scale=0.5, zero_point=3, dtype=torch.qint8)
        each = torch._empty_per_channel_affine_quantized(
            [2, 1], scales=torch.ones(2), zero_points=torch.zeros(2), axis=0, dtype=torch.quint8
        )
        return [whole(torch)[1, 2].item(), by_channel(torch, 0)[0, 0, 0].item(), repr(none),
                facts(one), facts(each), str(each.q_per_channel_zero_points().dtype)]  # fmt: skip

    assert told(flambeau) == told(oracle)
