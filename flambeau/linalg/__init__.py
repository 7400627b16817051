"""`torch.linalg`: solves, factorizations, spectra and norms of (batches of) matrices.

The functions are operations of `core.ops` (areas linalg_*); here they get their public names.
"""

from __future__ import annotations

from flambeau.core.declare import ops as _ops
from flambeau.core.late import operation as _operation
from flambeau.core.ops.linalg_checks import LinAlgError
from flambeau.core.titles import entitle as _entitle

__all__ = [
    "LinAlgError",
    "cholesky",
    "cholesky_ex",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "householder_product",
    "inv",
    "inv_ex",
    "ldl_factor",
    "ldl_factor_ex",
    "ldl_solve",
    "lstsq",
    "lu",
    "lu_factor",
    "lu_factor_ex",
    "lu_solve",
    "matmul",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_ex",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensorinv",
    "tensorsolve",
    "vander",
    "vecdot",
    "vector_norm",
]

for _name in __all__:
    if _name != "LinAlgError":
        if hasattr(_ops, f"linalg_{_name}"):
            globals()[_name] = _operation(f"linalg_{_name}")
            _entitle(globals()[_name], _name, __name__)
        else:
            globals()[_name] = _operation(_name)
