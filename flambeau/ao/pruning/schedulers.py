"""Schedules of a sparsifier's ``sparsity_level``. Stands on sparsifier."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from flambeau.ao.pruning.sparsifier import BaseSparsifier

__all__ = ["BaseScheduler", "CubicSL", "LambdaSL"]


class BaseScheduler:
    """Sets the level of each group by the epoch: a subclass's `get_sl` says it.

    Args:
        sparsifier: whose groups. last_epoch: the epoch it goes on from; -1: it begins.
        verbose: print each level.

    Raises:
        TypeError: `sparsifier` is none.
    """

    def __init__(
        self, sparsifier: BaseSparsifier, last_epoch: int = -1, verbose: bool = False
    ) -> None:
        if not isinstance(sparsifier, BaseSparsifier):
            raise TypeError(f"{type(sparsifier).__name__} is not an instance of BaseSparsifier.")
        self.sparsifier: Any = sparsifier
        self.base_sl = [group["sparsity_level"] for group in sparsifier.groups]
        self.last_epoch = last_epoch
        self._count_steps()
        self._step_count = 0
        self.verbose = verbose
        self._get_sl_called_within_step = False
        self.step()

    def _count_steps(self) -> None:
        """Let the sparsifier count its steps, to see that they come first."""
        sparsifier = self.sparsifier
        sparsifier._step_count = 0
        if hasattr(sparsifier.step, "_counted"):
            return
        step = sparsifier.step

        @functools.wraps(step)
        def counted(*args: Any, **kwargs: Any) -> Any:
            sparsifier._step_count += 1
            return step(*args, **kwargs)

        counted._counted = True  # type: ignore[attr-defined]
        sparsifier.step = counted

    def state_dict(self) -> dict[str, Any]:
        """All but the sparsifier."""
        return {key: value for key, value in self.__dict__.items() if key != "sparsifier"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take another schedule's state."""
        self.__dict__.update(state_dict)

    def get_last_sl(self) -> list[float]:
        """The levels set last."""
        return self._last_sl

    def get_sl(self) -> list[float]:
        """The levels of this epoch.

        Raises:
            NotImplementedError: the subclass has none.
        """
        raise NotImplementedError

    def _within_step(self) -> None:
        if not self._get_sl_called_within_step:
            warnings.warn(
                "To get the last sparsity level computed by the scheduler, please use "
                "`get_last_sl()`.",
                stacklevel=3,
            )

    def print_sl(self, is_verbose: bool, group: Any, sl: float, epoch: int | None = None) -> None:
        """Print a level, where that is wanted."""
        if is_verbose:
            at = "" if epoch is None else f"Epoch {epoch:5d}: "
            print(f"{at}Adjusting sparsity level of group {group} to {sl:.4e}.")

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__} (\nSparsifier {self.sparsifier}\n    base_sl: {self.base_sl}\n)"
        )

    def step(self, epoch: int | None = None) -> None:
        """Set the levels of the next epoch; after the sparsifier's step."""
        if self._step_count == 1 and self.sparsifier._step_count < 1:
            warnings.warn(
                "Detected call of `scheduler.step()` before `sparsifier.step()`. You have to make "
                "sure you run the sparsifier.step() BEFORE any calls to the scheduler.step().",
                UserWarning,
                stacklevel=2,
            )
        self._step_count += 1
        self._get_sl_called_within_step = True
        try:
            self.last_epoch += 1
            values = self.get_sl()
        finally:
            self._get_sl_called_within_step = False
        for k, (group, value) in enumerate(zip(self.sparsifier.groups, values, strict=False)):
            group["sparsity_level"] = value
            self.print_sl(self.verbose, k, value, epoch)
        self._last_sl = [group["sparsity_level"] for group in self.sparsifier.groups]
        self.sparsifier.enable_mask_update = True

    def _make_sure_a_list(self, var: Any) -> list[Any]:
        """One value for each group.

        Raises:
            ValueError: there are more or fewer.
        """
        count = len(self.sparsifier.groups)
        if not isinstance(var, (list, tuple)):
            return [var] * count
        if len(var) != count:
            raise ValueError(f"Expected variable of length {count}, but got {len(var)}")
        return list(var)


class LambdaSL(BaseScheduler):
    """The level at the start times a function of the epoch.

    Args:
        sl_lambda: the function, or one for each group.

    Raises:
        ValueError: there are more or fewer functions than groups.
    """

    def __init__(
        self,
        sparsifier: BaseSparsifier,
        sl_lambda: Callable[[int], float] | list[Callable[[int], float]],
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        count = len(sparsifier.groups)
        if not isinstance(sl_lambda, (list, tuple)):
            sl_lambda = [sl_lambda] * count
        if len(sl_lambda) != count:
            raise ValueError(f"Expected {count} lr_lambdas, but got {len(sl_lambda)}")
        self.sl_lambdas = list(sl_lambda)
        super().__init__(sparsifier, last_epoch, verbose)

    def get_sl(self) -> list[float]:
        """The levels of this epoch."""
        self._within_step()
        pairs = zip(self.base_sl, self.sl_lambdas, strict=True)
        return [base * function(self.last_epoch) for base, function in pairs]


class CubicSL(BaseScheduler):
    """From ``init_sl`` to the sparsifier's level: ``sl + (init_sl - sl) (1 - t / T)^3``.

    Args:
        init_sl: the level at the start. init_t: the epoch it starts at.
        delta_t, total_t: T is their product. initially_zero: 0 before the start, else `init_sl`.

    Reference:
        M. Zhu, S. Gupta: To prune, or not to prune: exploring the efficacy of pruning for model
        compression, 2017, arXiv:1710.01878.
    """

    def __init__(
        self,
        sparsifier: BaseSparsifier,
        init_sl: Any = 0.0,
        init_t: Any = 0,
        delta_t: Any = 10,
        total_t: Any = 100,
        initially_zero: Any = False,
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        self.sparsifier = sparsifier
        self.init_sl = self._make_sure_a_list(init_sl)
        self.init_t = self._make_sure_a_list(init_t)
        self.delta_t = self._make_sure_a_list(delta_t)
        self.total_t = self._make_sure_a_list(total_t)
        self.initially_zero = self._make_sure_a_list(initially_zero)
        super().__init__(sparsifier, last_epoch, verbose)

    def get_sl(self) -> list[float]:
        """The levels of this epoch."""
        self._within_step()
        rows = zip(
            self.base_sl, self.init_sl, self.init_t, self.delta_t, self.total_t,
            self.initially_zero, strict=True,
        )  # fmt: skip
        found: list[float] = []
        for last, first, start, delta, total, zero in rows:
            if zero and self.last_epoch < start:
                found.append(0)
                continue
            part = min(max((self.last_epoch - start) / (delta * total), 0.0), 1.0)
            level = last + (first - last) * (1 - part) ** 3
            found.append(max(first, min(last, level)))  # never past either by rounding
        return found
