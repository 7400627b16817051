"""What training scripts take from torchvision's own helpers, under its name there."""

from __future__ import annotations

from collections.abc import Sequence

from flambeau import nn

__all__ = ["split_normalization_params"]

NORMS = (
    nn.modules.batchnorm._BatchNorm, nn.modules.instancenorm._InstanceNorm, nn.LayerNorm,
    nn.GroupNorm, nn.LocalResponseNorm,
)  # fmt: skip


def split_normalization_params(
    model: nn.Module, norm_classes: Sequence[type] | None = None
) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Parameters that are trained, those of normalisations apart: (norms', others').

    Args:
        norm_classes: what counts as one; default: batch, instance, layer and group norms.

    Raises:
        ValueError: a class of them is no module's.
    """
    classes = tuple(norm_classes or NORMS)
    for each in classes:
        if not issubclass(each, nn.Module):
            raise ValueError(
                f"split_normalization_params: expected subclasses of nn.Module, got {each}."
            )
    norms: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for module in model.modules():
        kind = norms if isinstance(module, classes) and not any(module.children()) else others
        kind.extend(p for p in module.parameters(recurse=False) if p.requires_grad)
    return norms, others
