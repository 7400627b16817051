"""Forward mode: the tangent of every output for one fixed random tangent of the inputs."""

from __future__ import annotations

from typing import Any

from ..compare import Mismatch
from ..sample import Side, flat


def applies(info: Any, dtype: Any) -> bool:
    """True where PyTorch supports forward-mode differentiation for the dtype."""
    return info.supports_forward_ad and dtype in info.supported_backward_dtypes("cpu")


def _tangents(side: Side, sources: list[Any]) -> list[Any]:
    forward_ad = side.engine.get("autograd.forward_ad")
    args, kwargs, leaves = side.inputs()
    with forward_ad.dual_level():
        dual = {
            id(leaf): forward_ad.make_dual(leaf.detach(), tangent)
            for leaf, tangent in zip(leaves, sources, strict=True)
        }

        def swap(value: Any) -> Any:
            if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
                return type(value)([swap(item) for item in value])
            return dual.get(id(value), value)

        args = tuple(map(swap, args))
        kwargs = {key: swap(item) for key, item in kwargs.items()}
        made = side.call(side.differentiable, args, kwargs)
        return [forward_ad.unpack_dual(t).tangent for t in flat(made, side.engine)]


def check(sample: Any) -> None:
    """Compare the outputs' tangents with torch's."""
    _, _, leaves = sample.oracle.inputs()
    if not leaves:
        return
    sources = sample.cotangents(leaves)
    wanted = sample.expect(lambda: _tangents(sample.oracle, sources))
    ours = _tangents(sample.subject, sample.to_subject(sources))
    for index, (theirs, mine) in enumerate(zip(wanted, ours, strict=True)):
        if (theirs is None) != (mine is None):
            raise Mismatch("grad_none", f"tangent[{index}] is None in only one engine")
        if theirs is not None:
            sample.compare(theirs, mine, f"tangent[{index}]")
