"""The torch and torchvision aliases: scripts that nobody changed run on flambeau.

``install()`` makes ``import torch`` give flambeau in this process and, through the environment,
in the Python processes it starts; ``uninstall()`` takes both back. ``python -m flambeau`` does
the same for a whole program (``runner``). Without either, nothing is touched.
"""

from __future__ import annotations

from flambeau.shim import children
from flambeau.shim.alias import install_finder, uninstall_finder
from flambeau.shim.alias import installed as _finder

__all__ = ["install", "installed", "uninstall"]


def install(*, children_too: bool = True) -> None:
    """Make ``import torch`` and ``import torchvision`` give flambeau's own modules.

    Args:
        children_too: also put the alias into the environment, so that processes started from
            here (``multiprocessing`` spawn and forkserver, ``subprocess`` of this Python) have it.

    Raises:
        RuntimeError: PyTorch itself was imported before.
    """
    install_finder()
    if children_too:
        children.enter()


def uninstall() -> None:
    """Take the alias away from this process and from those it starts; idempotent."""
    uninstall_finder()
    children.leave()


def installed() -> bool:
    """Whether ``import torch`` gives flambeau in this process."""
    return _finder() is not None
