"""`PassManager`: passes in an order that keeps their constraints, some times over.

Stands on pass_base.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from flambeau.fx.graph_module import GraphModule
from flambeau.fx.passes.infra.pass_base import PassResult
from flambeau.nn import Module

__all__ = ["PassManager", "pass_result_wrapper", "this_before_that_pass_constraint"]


def pass_result_wrapper(fn: Callable[..., Any]) -> Callable[..., PassResult]:
    """A pass that changes the module it gets and gives nothing, as one that gives a result."""

    @functools.wraps(fn)
    def wrapped(graph_module: GraphModule) -> PassResult:
        result = fn(graph_module)
        if result is None:
            return PassResult(graph_module, True)
        return result if isinstance(result, PassResult) else PassResult(result, True)

    if not hasattr(wrapped, "__name__"):
        wrapped.__name__ = type(fn).__name__
    return wrapped


def this_before_that_pass_constraint(
    this: Callable[..., Any], that: Callable[..., Any]
) -> Callable[..., bool]:
    """A constraint: `this` comes before `that`."""
    return lambda a, b: not (a == that and b == this)


def _checked(result: Any, name: str) -> Any:
    if not isinstance(result, PassResult) and not hasattr(result, "graph_module"):
        raise TypeError(
            f"The result of the pass {name} should be type PassResult. Please wrap it with "
            "pass_result_wrapper()"
        )
    return result


class PassManager:
    """Runs passes over a module.

    Args:
        passes: called with the module; each gives a PassResult. constraints: (pass, later pass) ->
            whether they may stand so. steps: how often all run, at most; they stop when none
            changed anything.
        run_checks_after_each_pass: check the module after each. suppress_check_failures: go on
            when a check fails.
    """

    def __init__(
        self,
        passes: list[Callable[..., Any]] | None = None,
        constraints: list[Callable[..., bool]] | None = None,
        steps: int | None = None,
        run_checks_after_each_pass: bool = False,
        suppress_check_failures: bool = False,
    ) -> None:
        self.passes = passes or []
        self.constraints = constraints or []
        self.steps = steps or 1
        self.run_checks_after_each_pass = run_checks_after_each_pass
        self.suppress_check_failures = suppress_check_failures
        self._validated = False

    def add_pass(self, _pass: Callable[..., Any]) -> None:
        """Run one more pass, last."""
        self.passes.append(_pass)
        self._validated = False

    def add_constraint(self, constraint: Callable[..., bool]) -> None:
        """Keep one more constraint."""
        self.constraints.append(constraint)
        self._validated = False

    def validate_constraints(self) -> None:
        """Check the order.

        Raises:
            RuntimeError: a constraint does not hold.
        """
        for constraint in self.constraints:
            for k, first in enumerate(self.passes):
                for later in self.passes[k + 1 :]:
                    if not constraint(first, later):
                        raise RuntimeError(
                            f"pass schedule constraint violated. Expected {first} before {later} "
                            f"but found {first} at index {k} and {later} at index "
                            f"{self.passes.index(later)} in pass list."
                        )
        self._validated = True

    def solve_constraints(self) -> None:
        """Put the passes into an order that keeps the constraints.

        Raises:
            RuntimeError: there is none.
        """
        waiting, order = list(self.passes), []
        while waiting:
            free = next(
                (
                    p
                    for p in waiting
                    if all(c(p, q) for c in self.constraints for q in waiting if q is not p)
                ),
                None,
            )
            if free is None:
                raise RuntimeError(f"Circular dependency detected within the passes: {waiting}")
            waiting.remove(free)
            order.append(free)
        self.passes = order
        self._validated = True

    def check(self, module: Module) -> None:
        """What subclasses check of the module."""

    def __call__(self, module: Module) -> PassResult:
        if not self._validated:
            self.solve_constraints()
        self.check(module)
        changed = False
        for _ in range(self.steps):
            now = False
            for k, each in enumerate(self.passes):
                name = getattr(each, "__name__", type(each).__name__)
                try:
                    result = _checked(each(module), name)
                except Exception as problem:
                    before = [getattr(p, "__name__", type(p).__name__) for p in self.passes[:k]]
                    raise Exception(
                        f"An error occurred when running the '{name}' pass after the following "
                        f"passes: {before}"
                    ) from problem
                module, now = result.graph_module, now or result.modified
                if isinstance(module, GraphModule):
                    module.recompile()
                if self.run_checks_after_each_pass:
                    self.check(module)
            changed = changed or now
            if not now:
                break
        return PassResult(module, changed)  # type: ignore[arg-type]
