"""Which kernel a functional runs for its first argument's type.

A functional is made of its kernels: one for images (videos and plain tensors take it too), and as
there are any for Pillow images, masks, boxes and key points. Boxes' and points' kernels are given
what they ask for by name: ``format``, ``canvas_size``, ``clamping_mode``.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from flambeau.core.tensor import Tensor
from flambeau.vision import tv_tensors
from flambeau.vision.pillow import is_pillow
from flambeau.vision.tv_tensors import TVTensor

__all__ = [
    "FUNCTIONALS",
    "KERNELS",
    "functional",
    "is_pure_tensor",
    "kernel_of",
    "over_frames",
    "register_kernel",
]

PICTURE = "PIL.Image.Image"
FUNCTIONALS: dict[Callable, dict[Any, Callable]] = {}
"""Of each functional the kernels by type; ``PICTURE`` stands for Pillow's, which may not load."""
KERNELS: dict[str, Callable] = {}
"""The kernels of plain tensors under torchvision's names for them, as ``resize_mask``."""


def is_pure_tensor(inpt: Any) -> bool:
    """A tensor that says nothing of its meaning."""
    return isinstance(inpt, Tensor) and not isinstance(inpt, TVTensor)


def over_frames(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel of (N, C, H, W) for any number of leading dimensions, none of them needed."""

    @functools.wraps(kernel)
    def wrapped(image: Tensor, *args: Any, **kwargs: Any) -> Any:
        if image.ndim <= 4:
            return kernel(image, *args, **kwargs)
        out = kernel(image.flatten(0, -4), *args, **kwargs)
        return out.reshape(image.shape[:-3] + out.shape[-3:])

    return wrapped


def _plain(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel of plain tensors for those of a meaning, which the results keep."""

    @functools.wraps(kernel)
    def wrapped(inpt: Any, *args: Any, **kwargs: Any) -> Any:
        out = kernel(inpt.as_subclass(Tensor), *args, **kwargs)
        if isinstance(out, tuple):
            return tuple(tv_tensors.wrap(each, like=inpt) for each in out)
        return tv_tensors.wrap(out, like=inpt) if isinstance(out, Tensor) else out

    return wrapped


def _told(kernel: Callable[..., Any], common: inspect.Signature) -> Callable[..., Any]:
    """A kernel that is given its arguments by name, and what it asks of the tensor's meaning."""
    names = list(inspect.signature(kernel).parameters)[1:]
    known = [n for n in names if n in ("format", "canvas_size", "clamping_mode")]

    @functools.wraps(kernel)
    def wrapped(inpt: Any, *args: Any, **kwargs: Any) -> Any:
        given = common.bind(inpt, *args, **kwargs).arguments
        given = {n: given[n] for n in names if n in given} | {n: getattr(inpt, n) for n in known}
        out = kernel(inpt.as_subclass(Tensor), **given)
        changed = {}
        if not isinstance(out, (Tensor, tuple)):
            return out
        if isinstance(out, tuple):
            out, changed["canvas_size"] = out
        return tv_tensors.wrap(out, like=inpt, **changed)

    return wrapped


def functional(
    name: str,
    image: Callable[..., Any],
    *,
    picture: Callable[..., Any] | None = None,
    mask: Callable[..., Any] | None = None,
    boxes: Callable[..., Any] | None = None,
    points: Callable[..., Any] | None = None,
    video: bool = True,
) -> Callable[..., Any]:
    """The function ``name``, which runs the kernel of its first argument's type.

    Args:
        video: whether the image's kernel takes videos too.
    """
    signature = inspect.signature(image)
    first, *others = signature.parameters.values()
    signature = signature.replace(parameters=[first.replace(name="inpt"), *others])

    def run(inpt: Any, *args: Any, **kwargs: Any) -> Any:
        return kernel_of(run, inpt)(inpt, *args, **kwargs)

    run.__name__ = run.__qualname__ = name
    run.__doc__ = image.__doc__
    run.__module__ = image.__module__
    run.__signature__ = signature  # type: ignore[attr-defined]
    table: dict[Any, Callable] = {Tensor: image, tv_tensors.Image: _plain(image)}
    if picture is not None:
        table[PICTURE] = picture
    if video:
        table[tv_tensors.Video] = _plain(image)
        KERNELS[f"{name}_video"] = image
    if image.__name__.endswith("_image"):
        KERNELS[image.__name__] = image
    for kind, suffix, kernel in (
        (tv_tensors.Mask, "mask", mask),
        (tv_tensors.BoundingBoxes, "bounding_boxes", boxes),
        (tv_tensors.KeyPoints, "keypoints", points),
    ):
        if kernel is not None:
            table[kind] = _told(kernel, signature)
            KERNELS[f"{name}_{suffix}"] = kernel
    FUNCTIONALS[run] = table
    return run


def kernel_of(
    function: Callable[..., Any], inpt: Any, *, passes: bool = False
) -> Callable[..., Any]:
    """The kernel that ``function`` runs on ``inpt``.

    Args:
        passes: hand back what there is no kernel for, as transforms do.

    Raises:
        ValueError: no functional of this room.
        TypeError: there is no kernel for the type.
    """
    table = FUNCTIONALS.get(function)
    if table is None:
        raise ValueError(f"No kernel registered for functional {_name(function)}.")
    if is_pillow(inpt):
        if PICTURE in table:
            return table[PICTURE]
    for kind in type(inpt).__mro__:
        if kind in table:
            return table[kind]
        if kind is TVTensor:
            if passes:
                return lambda inpt, *args, **kwargs: inpt
            break
    known = [each if isinstance(each, str) else each.__name__ for each in table]
    raise TypeError(
        f"{_name(function)}: expected {', '.join(known)}, got {type(inpt).__name__}. "
        "register_kernel adds a type."
    )


def register_kernel(function: Callable[..., Any], tv_tensor_cls: type) -> Callable[..., Any]:
    """A decorator: the kernel of a type of the user's own for ``function``.

    Raises:
        ValueError: not a functional, or the type is one of torchvision's own or known already.
    """
    if function not in FUNCTIONALS:
        raise ValueError(f"register_kernel: {_name(function)} is no functional of transforms.v2.")
    if not (isinstance(tv_tensor_cls, type) and issubclass(tv_tensor_cls, TVTensor)):
        raise ValueError(
            "register_kernel: Kernels can only be registered for subclasses of TVTensor, got "
            f"{tv_tensor_cls}."
        )
    own = tv_tensor_cls.__module__.startswith(TVTensor.__module__.rpartition(".")[0])
    if own:
        raise ValueError(
            f"register_kernel: Kernels cannot be registered for the builtin {tv_tensor_cls}."
        )
    if tv_tensor_cls in FUNCTIONALS[function]:
        raise ValueError(
            f"register_kernel: {_name(function)} already has a kernel registered for "
            f"{tv_tensor_cls}."
        )

    def add(kernel: Callable[..., Any]) -> Callable[..., Any]:
        FUNCTIONALS[function][tv_tensor_cls] = kernel
        return kernel

    return add


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", repr(function))
