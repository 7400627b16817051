"""``torch.utils._dtype_abbrs``: dtypes by their short names, which loggers of operations print.

Stands on core.dtypes.
"""

from flambeau.core import dtypes

__all__ = ["dtype_abbrs"]

dtype_abbrs = {kind: kind.abbr for kind in vars(dtypes).values() if isinstance(kind, dtypes.dtype)}
