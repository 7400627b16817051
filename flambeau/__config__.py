"""``torch.__config__``: what computes here, as text for bug reports."""

from __future__ import annotations

import platform

import numpy as np

__all__ = ["parallel_info", "show"]


def show() -> str:
    """The versions and the linear algebra library this process computes with."""
    import flambeau

    found = np.show_config(mode="dicts")
    blas = (found or {}).get("Build Dependencies", {}).get("blas", {})
    rows = (
        f"flambeau {flambeau.__version__}",
        f"Python {platform.python_version()} on {platform.machine()}",
        f"NumPy {np.__version__}",
        f"BLAS: {blas.get('name', 'unknown')} {blas.get('version', '')}".rstrip(),
    )
    return "PyTorch's programming model by:\n" + "".join(f"  - {row}\n" for row in rows)


def parallel_info() -> str:
    """How many threads operations may use."""
    import flambeau

    return (
        f"threads: {flambeau.get_num_threads()}\n"
        f"threads between operations: {flambeau.get_num_interop_threads()}\n"
    )
