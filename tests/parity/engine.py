"""The engine under test: a module that answers PyTorch's names.

The same code converts inputs to torch and to flambeau, so that `--engine torch` runs torch
against itself and shows what the harness alone gets wrong.
"""

from __future__ import annotations

import importlib
from functools import cache
from types import ModuleType
from typing import Any

import torch


def _seed_cpu_alone() -> None:
    """Keep `torch.manual_seed` from queueing a call for each absent device.

    Each queued call formats the whole Python stack; the databases seed before every sample, which
    cost 60 % of a run.
    """
    for device in (torch.cuda, torch.mtia, torch.xpu):
        device.manual_seed_all = lambda seed: None


_seed_cpu_alone()


class Missing(Exception):
    """A public name of PyTorch that the engine under test does not have."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class Engine:
    """A namespace that plays torch's part; `get("nn.functional.relu")` looks a name up."""

    tape: Any = None  # where inputs and results are recorded instead of compared: see itself.py

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self.name = module.__name__

    def __repr__(self) -> str:
        return f"Engine({self.name})"

    def get(self, path: str) -> Any:
        """The object at a dotted path below the namespace; "" is the namespace itself.

        Raises:
            Missing: a part of the path does not exist.
        """
        found: Any = self.module
        walked = self.name
        for part in path.split(".") if path else ():
            walked += "." + part
            try:
                found = getattr(found, part)
            except (AttributeError, ModuleNotFoundError):
                try:
                    found = importlib.import_module(walked)
                except ImportError:
                    raise Missing(path) from None
        return found

    def seed(self, seed: int) -> None:
        """Seed the default generator, where there is one."""
        if hasattr(self.module, "manual_seed"):
            self.module.manual_seed(seed)


@cache
def load(name: str) -> Engine:
    """The engine of that module name, imported once."""
    return Engine(importlib.import_module(name))
