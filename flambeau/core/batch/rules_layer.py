"""Batching rules of layers and losses: convolution, normalisation, embedding, classes, pairs.

Shared weights: the samples are one larger batch. A weight for each sample: the samples are groups
of channels. Stands on kernels.loss.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.kernels import loss as losses

__all__ = ["RULES"]


def refused(text: str) -> RuntimeError:
    """The error of what no way of batching may do."""
    error = RuntimeError(text)
    error.final = True  # type: ignore[attr-defined]
    return error


def _together(array: Any) -> Any:
    """(B, N, ...) as (B N, ...)."""
    return array.reshape(array.shape[0] * array.shape[1], *array.shape[2:])


def _as_groups(array: Any, many: Any, size: int) -> Any:
    """(B, N, C, ...) as (N, B C, ...): every sample's channels side by side."""
    if not many:
        array = np.broadcast_to(array, (size, *array.shape))
    turned = array.swapaxes(0, 1)
    return turned.reshape(turned.shape[0], size * turned.shape[2], *turned.shape[3:])


def _from_groups(array: Any, size: int) -> Any:
    """(N, B C, ...) as (B, N, C, ...)."""
    parts = array.reshape(array.shape[0], size, array.shape[1] // size, *array.shape[2:])
    return np.ascontiguousarray(parts.swapaxes(0, 1))


def convolved(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    input, weight, bias, *rest = args
    many_input, many_weight, many_bias = map(bool, which[:3])
    own = bias if not many_bias else None
    if not many_weight and many_input:
        found = op.kernel(_together(input), weight, own, *rest)
        found = found.reshape(size, input.shape[1], *found.shape[1:])
    elif many_weight:
        groups = rest[-1]
        if not many_input and groups == 1 and not rest[3]:
            found = op.kernel(input, _together(weight), None, *rest)
        else:
            grouped = _as_groups(input, many_input, size)
            found = op.kernel(grouped, _together(weight), None, *rest[:-1], groups * size)
        found = _from_groups(found, size)
        if own is not None:
            found += own.reshape(-1, *(1,) * (found.ndim - 3))
    else:
        found = op.kernel(input, weight, None, *rest)
        found = np.broadcast_to(found, (size, *found.shape)).copy()
    if many_bias:
        found += bias.reshape(size, 1, -1, *(1,) * (found.ndim - 3))
    return found


def convolution_input_gradient(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    grad, weight, *rest = args
    if not which[1]:
        found = op.kernel(_together(grad), weight, *rest)
        return found.reshape(size, grad.shape[1], *found.shape[1:])
    grouped = _as_groups(grad, which[0], size)
    return _from_groups(op.kernel(grouped, _together(weight), *rest[:-1], rest[-1] * size), size)


def convolution_weight_gradient(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    grad, input, *rest = args
    found = op.kernel(
        _as_groups(grad, which[0], size),
        _as_groups(input, which[1], size),
        *rest[:-1],
        rest[-1] * size,
    )
    return found.reshape(size, found.shape[0] // size, *found.shape[1:])


def convolution_bias_gradient(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    grad = args[0]
    if grad.dtype.kind != "f" or grad.itemsize < 4 or not grad.size:
        return None
    flat = grad.reshape(*grad.shape[:3], -1)  # (B, N, K, O)
    return flat.sum(axis=(1, 3))


def _scaled(found: Any, weight: Any, bias: Any, shape: Any) -> Any:
    """What a layer's own numbers for every sample do to its normal output."""
    if weight is not None:
        found = found * weight.reshape(shape)
    if bias is not None:
        found = found + bias.reshape(shape)
    return found


def layer_norm(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    input, shape, weight, bias, eps = args
    if not which[2] and not which[3]:
        return op.kernel(*args)
    if not which[0]:
        input = np.broadcast_to(input, (size, *input.shape))
    for value, many in ((weight, which[2]), (bias, which[3])):
        if value is not None and value.shape[bool(many) :] != tuple(shape):
            return None
    found, mean, rstd = op.kernel(input, shape, None, None, eps)
    missing = (1,) * (input.ndim - 1 - len(shape))
    for value, many, scale in ((weight, which[2], True), (bias, which[3], False)):
        if value is not None:
            wide = value.reshape(size, *missing, *shape) if many else value
            found = found * wide if scale else found + wide
    return found.astype(input.dtype, copy=False), mean, rstd


def group_norm(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    input, groups, weight, bias, eps = args
    if not which[0]:
        input = np.broadcast_to(input, (size, *input.shape))
    own = which[2] or which[3]
    count, channels = input.shape[1:3]
    for value, many in ((weight, which[2]), (bias, which[3])):
        if value is not None and value.shape[bool(many) :] != (channels,):
            return None
    given = (None, None) if own else (weight, bias)
    found, mean, rstd = op.kernel(_together(input), groups, *given, eps)
    found = found.reshape(input.shape)
    if own:
        spatial = (1,) * (input.ndim - 3)
        for value, many, scale in ((weight, which[2], True), (bias, which[3], False)):
            if value is not None:
                wide = value.reshape(size if many else 1, 1, channels, *spatial)
                found = found * wide if scale else found + wide
        found = found.astype(input.dtype, copy=False)
    return (
        found,
        mean.reshape(size, count, *mean.shape[1:]),
        rstd.reshape(size, count, *rstd.shape[1:]),
    )


def batch_norm(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    """Every sample's channels side by side, each with its own statistics."""
    input, weight, bias, mean, variance, training, momentum, eps = args
    if training:
        for name, running, many in (
            ("running_mean", mean, which[3]),
            ("running_var", variance, which[4]),
        ):
            if running is not None and not many and which[0]:
                raise refused(
                    f"Batch norm got a batched tensor as input while the {name}, which will be "
                    "updated in place, was not batched. Please make the running statistics an "
                    "input of the function that vmap maps, or use track_running_stats=False (or "
                    "torch.func.replace_all_batch_norm_modules_)."
                )
    channels = input.shape[2 if which[0] else 1]
    given: list[Any] = []
    for value, many in zip((weight, bias, mean, variance), which[1:5], strict=True):
        if value is None:
            given.append(None)
        elif value.shape[bool(many) :] != (channels,):
            return None
        else:
            given.append(value.reshape(-1).copy() if many else np.tile(value, size))
    found, own_mean, own_rate = op.kernel(
        _as_groups(input, which[0], size), *given, training, momentum, eps
    )
    if training:
        for running, many, new in ((mean, which[3], given[2]), (variance, which[4], given[3])):
            if running is not None and many:
                running[...] = new.reshape(running.shape)
    return _from_groups(found, size), own_mean.reshape(size, -1), own_rate.reshape(size, -1)


def embedding(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    weight, indices, *rest = args
    if not which[0]:
        return op.kernel(*args)
    if weight.ndim != 3 or indices.dtype.kind != "i":
        return None
    rows = weight.shape[1]
    if indices.size and (int(indices.min()) < 0 or int(indices.max()) >= rows):
        return None
    if not which[1]:
        return weight.take(indices, axis=1)
    first = np.arange(size).reshape(size, *(1,) * (indices.ndim - 1)) * rows
    return weight.reshape(size * rows, -1).take(indices + first, axis=0)


def _reduced(found: Any, size: int, reduction: int) -> Any:
    if not reduction:
        return found
    flat = found.reshape(size, -1)
    if not flat.shape[1]:
        return None
    wide = flat.astype("f4") if flat.itemsize == 2 else flat
    total = wide.mean(1) if reduction == 1 else wide.sum(1)
    return total.astype(found.dtype, copy=False)


def pair_loss(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    """A loss of corresponding elements: none is reduced by the kernel, all by sample here."""
    places = [i for i, _ in op.tensors if args[i] is not None]
    rank = max(args[i].ndim - bool(which[i]) for i in places)
    given = list(args)
    for i in places:
        if which[i]:
            missing = rank + 1 - args[i].ndim
            given[i] = args[i].reshape(size, *(1,) * missing, *args[i].shape[1:])
        else:
            given[i] = np.broadcast_to(
                args[i], (size, *(1,) * (rank - args[i].ndim), *args[i].shape)
            )
    place = op.names.index("reduction")
    given[place] = 0
    return _reduced(np.asarray(op.kernel(*given)), size, args[place])


def _classes(input: Any, target: Any, which: list[Any], size: int) -> Any:
    """Scores and classes of all samples as one batch; None where their shapes are unusual."""
    if not which[0]:
        input = np.broadcast_to(input, (size, *input.shape))
    if not which[1]:
        target = np.broadcast_to(target, (size, *target.shape))
    if input.ndim == 2:  # one sample is a vector of scores and a class
        if target.ndim == 2 and target.shape[1] == 1:
            target = target[:, 0]
        return (input, target, ()) if target.ndim == 1 else None
    if target.ndim != input.ndim - 1 or input.shape[1] != target.shape[1]:
        return None
    return _together(input), _together(target), (input.shape[1],)


def _class_loss(found: Any, target: Any, weight: Any, ignore: int, reduction: int) -> Any:
    """(B, *) losses reduced by sample; the mean counts what is not ignored, by its weight."""
    size = found.shape[0]
    if not reduction:
        return found
    total = found.reshape(size, -1).sum(1)
    if reduction == 1:
        counted = target.reshape(size, -1) != ignore
        if weight is not None:
            labels = np.where(counted, target.reshape(size, -1), 0)
            total = total / (weight[labels] * counted).sum(1)
        else:
            total = total / counted.sum(1).astype(found.dtype)
    return total.astype(found.dtype, copy=False)


def nll_loss(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    input, target, weight, reduction, ignore = args
    if which[2]:
        return None
    given = _classes(input, target, which, size)
    if given is None or input.dtype.itemsize == 2:
        return None
    scores, labels, lead = given
    found = op.kernel(scores, labels, weight, losses.NONE, ignore)
    found = found.reshape(size, *lead, *found.shape[1:])
    return _class_loss(found, labels.reshape(found.shape), weight, ignore, reduction)


def cross_entropy(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    input, target, reduction, ignore = args
    given = _classes(input, target, which, size)
    if given is None or input.dtype.itemsize == 2:
        return None
    scores, labels, lead = given
    found, logs = op.kernel(scores, labels, losses.NONE, ignore)
    found = found.reshape(size, *lead, *found.shape[1:])
    logs = logs.reshape(size, *lead, *logs.shape[1:])
    return _class_loss(found, labels.reshape(found.shape), None, ignore, reduction), logs


def class_shares(op: Any, args: list[Any], which: list[Any], size: int) -> Any:
    """What every score of every sample counts."""
    target, weight, shape, reduction, ignore = args
    if which[1]:
        return None
    rank = len(shape) - 1
    if target.ndim - 1 == rank + 1 and not rank and target.shape[1] == 1:
        target = target[:, 0]
    if target.ndim - 1 != rank:
        return None
    labels = _together(target) if rank else target
    whole = (size * shape[0], *shape[1:]) if rank else (size, *shape)
    found = op.kernel(labels, weight, whole, losses.NONE, ignore).reshape(size, *shape)
    if reduction == 1:
        total = (
            found.reshape(size, -1).sum(1)
            if weight is not None
            else -((target != ignore).reshape(size, -1).sum(1))
        )
        found = found / -total.reshape(size, *(1,) * len(shape))
    return found


RULES = {
    "_class_shares": class_shares,
    "_bce_with_logits": pair_loss,
    "_cross_entropy": cross_entropy,
    "_embedding": embedding,
    "_huber_loss": pair_loss,
    "_native_batch_norm": batch_norm,
    "_native_group_norm": group_norm,
    "_native_layer_norm": layer_norm,
    "_nll_loss": nll_loss,
    "_smooth_l1_loss": pair_loss,
    "binary_cross_entropy": pair_loss,
    "convolution_bias_gradient": convolution_bias_gradient,
    "convolution_input_gradient": convolution_input_gradient,
    "convolution_weight_gradient": convolution_weight_gradient,
    "convolved": convolved,
    "mse_loss": pair_loss,
    "soft_margin_loss": pair_loss,
}
