"""Everything of ``torch.nn.functional``: the layers' computations as functions. A family is a
file."""

from flambeau.core.tensor import Tensor
from flambeau.nn import _reduction as _Reduction
from flambeau.nn import grad as grad
from flambeau.nn.functional.activation import *
from flambeau.nn.functional.activation import _implicit_dim as _implicit_dim
from flambeau.nn.functional.attention import *
from flambeau.nn.functional.attention import _canonical_mask as _canonical_mask
from flambeau.nn.functional.attention import _in_projection as _in_projection
from flambeau.nn.functional.attention import _in_projection_packed as _in_projection_packed
from flambeau.nn.functional.attention import _mha_shape_check as _mha_shape_check
from flambeau.nn.functional.attention import _none_or_dtype as _none_or_dtype
from flambeau.nn.functional.conv import *
from flambeau.nn.functional.distance import *
from flambeau.nn.functional.dropout import *
from flambeau.nn.functional.embedding import *
from flambeau.nn.functional.grouped import *
from flambeau.nn.functional.linear import *
from flambeau.nn.functional.loss import *
from flambeau.nn.functional.marginloss import *
from flambeau.nn.functional.norm import *
from flambeau.nn.functional.padding import *
from flambeau.nn.functional.pooling import *
from flambeau.nn.functional.vision import *
from flambeau.nn.functional.vision import channel_shuffle

native_channel_shuffle = channel_shuffle
"""PyTorch's second name for it."""


def __getattr__(name: str) -> object:
    """No such name.

    Raises:
        AttributeError: always; the nearest name is suggested.
    """
    from flambeau.shim.suggest import missing

    raise missing("torch.nn.functional", name, globals())
