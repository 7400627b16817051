"""What the quantizable layers do once they are made of a float one. Stands on nn."""

from __future__ import annotations

from typing import TypeVar

from flambeau import nn

__all__ = ["observed"]

M = TypeVar("M", bound=nn.Module)


def observed(made: M, training: bool) -> M:
    """The layer with observers (fake quantisation in training), where it has a qconfig."""
    if made.qconfig is None:
        return made
    from flambeau.ao.quantization.prepare import prepare, prepare_qat

    made.train(training)
    return (prepare_qat if training else prepare)(made, inplace=True)  # type: ignore[return-value]
