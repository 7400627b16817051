"""Making tensors from data and from nothing. A theme is a file; random factories stand in
`ops.random`.

Stands on tensor, dtypes, factory_options.
"""

from __future__ import annotations

from flambeau.core.factory import like, ranges
from flambeau.core.factory.data import as_tensor, tensor
from flambeau.core.factory.filled import empty_strided
from flambeau.core.factory.nested import data_array
from flambeau.core.factory.shared import from_dlpack, from_numpy

__all__ = ["as_tensor", "data_array", "empty_strided", "from_dlpack", "from_numpy", "tensor"]
