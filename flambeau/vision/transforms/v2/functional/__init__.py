"""Transforms as functions of all that a sample holds; kernels are chosen by the first argument."""

from typing import Any as _Any

from flambeau.vision.transforms.functional import to_tensor as _to_tensor
from flambeau.vision.transforms.modes import InterpolationMode
from flambeau.vision.transforms.v2.functional.color import *
from flambeau.vision.transforms.v2.functional.color import rgb_to_grayscale as to_grayscale
from flambeau.vision.transforms.v2.functional.convert import *
from flambeau.vision.transforms.v2.functional.dispatch import (
    KERNELS as _KERNELS,
)
from flambeau.vision.transforms.v2.functional.dispatch import (
    is_pure_tensor,
    register_kernel,
)
from flambeau.vision.transforms.v2.functional.geometry import *
from flambeau.vision.transforms.v2.functional.geometry import horizontal_flip as hflip
from flambeau.vision.transforms.v2.functional.geometry import vertical_flip as vflip
from flambeau.vision.transforms.v2.functional.meta import *
from flambeau.vision.transforms.v2.functional.meta import (
    get_image_num_channels,
    get_image_size,
)
from flambeau.vision.transforms.v2.functional.places import *
from flambeau.vision.transforms.v2.functional.warp import *

globals().update(_KERNELS)


def to_tensor(inpt: _Any) -> _Any:
    """``to_image`` and ``to_dtype`` in one, as it was called before.

    Warns:
        UserWarning: it is deprecated.
    """
    import warnings

    warnings.warn(
        "The function `to_tensor(...)` is deprecated and will be removed in a future release. "
        "Instead, please use `to_image(...)` followed by `to_dtype(..., dtype=torch.float32, "
        "scale=True)`.",
        stacklevel=2,
    )
    return _to_tensor(inpt)
