"""L-BFGS: quasi-Newton steps from the last gradients, optionally with a strong Wolfe line search.

Reference: J. Nocedal, Updating Quasi-Newton Matrices with Limited Storage, Math. Comp. 35, 1980;
the search: J. Nocedal, S. Wright, Numerical Optimization, 2006, algorithms 3.5 and 3.6. Stands on
`optimizer` and `line_search`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.optim.elementwise import check_lr, scalar
from flambeau.optim.line_search import strong_wolfe
from flambeau.optim.optimizer import Optimizer, ParamsT

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """Limited-memory BFGS. Needs memory for ``history_size + 1`` times the parameters; one group
    only.

    Args:
        params: the parameters.
        lr: length of the step along the direction; a one-element tensor is allowed.
        max_iter: iterations in one `step`.
        max_eval: evaluations of the closure in one `step` (default: ``max_iter * 5 // 4``).
        tolerance_grad: stop when the largest gradient is at most this.
        tolerance_change: stop when step or loss change less than this.
        history_size: how many gradients are remembered.
        line_search_fn: "strong_wolfe" or None.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_lr(type(self).__name__, lr)
        super().__init__(
            params,
            {
                "lr": lr,
                "max_iter": max_iter,
                "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                "tolerance_grad": tolerance_grad,
                "tolerance_change": tolerance_change,
                "history_size": history_size,
                "line_search_fn": line_search_fn,
            },
        )
        if len(self.param_groups) != 1:
            raise fail(
                ValueError,
                "LBFGS",
                "LBFGS doesn't support per-parameter options (parameter groups), give one group",
            )
        self._params = self.param_groups[0]["params"]

    def _gather_flat_grad(self) -> Tensor:
        """All gradients as one vector; complex ones as their parts, missing ones as zeros."""
        views = []
        for p in self._params:
            if p.grad is None:
                view = flambeau.zeros(p.numel(), dtype=p.dtype)
            else:
                view = (p.grad.to_dense() if p.grad.is_sparse else p.grad).reshape(-1)
            views.append(flambeau.view_as_real(view).reshape(-1) if view.is_complex() else view)
        return flambeau.cat(views, 0)

    def _add_grad(self, step_size: Any, update: Tensor) -> None:
        """``p += step_size * update``, cut into the parameters."""
        start = 0
        for parameter in self._params:
            p = flambeau.view_as_real(parameter) if parameter.is_complex() else parameter
            size = p.numel()
            piece = update[start : start + size].view_as(p)
            p.add_(piece, alpha=step_size.item() if isinstance(step_size, Tensor) else step_size)
            start += size

    def _evaluate(
        self, closure: Callable[[], Any], start: list[Tensor], t: Any, d: Tensor
    ) -> tuple[float, Tensor]:
        """Loss and gradient at ``start + t * d``; the parameters are put back."""
        self._add_grad(t, d)
        loss = float(closure())
        grad = self._gather_flat_grad()
        for p, value in zip(self._params, start, strict=True):
            p.copy_(value)
        return loss, grad

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Run up to `max_iter` iterations.

        Args:
            closure: clears the gradients, computes the loss, calls `backward`, returns the loss.

        Returns:
            The loss before the first iteration.
        """
        if closure is None:
            raise fail(
                TypeError,
                "LBFGS.step",
                "step() missing 1 required positional argument: 'closure', "
                "a function that clears the gradients, computes the loss, calls backward and "
                "returns it",
            )
        with flambeau.no_grad():
            return self._iterate(flambeau.enable_grad()(closure))

    def _iterate(self, closure: Callable[[], Any]) -> Any:
        group = self.param_groups[0]
        lr, search = scalar(group["lr"]), group["line_search_fn"]
        smallest = group["tolerance_change"]
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first_loss = closure()
        loss = float(first_loss)
        evals = 1
        state["func_evals"] += 1
        grad = self._gather_flat_grad()
        optimal = grad.abs().max() <= group["tolerance_grad"]
        if optimal:
            return first_loss
        d, t = state.get("d"), state.get("t")
        memory = {name: state.get(name) for name in ("old_dirs", "old_stps", "ro", "H_diag")}
        previous_grad, previous_loss = state.get("prev_flat_grad"), state.get("prev_loss")
        iteration = 0
        while iteration < group["max_iter"]:
            iteration += 1
            state["n_iter"] += 1
            if state["n_iter"] == 1:
                d = grad.neg()
                memory = {"old_dirs": [], "old_stps": [], "ro": [], "H_diag": 1}
            else:
                _remember(memory, grad.sub(previous_grad), d.mul(t), group["history_size"])
                d = _direction(memory, grad, state.setdefault("al", [None] * group["history_size"]))
            if previous_grad is None:
                previous_grad = grad.clone()
            else:
                previous_grad.copy_(grad)
            previous_loss = loss
            t = min(1.0, 1.0 / grad.abs().sum()) * lr if state["n_iter"] == 1 else lr
            slope = grad.dot(d)
            if slope > -smallest:
                break
            used = 0
            if search is not None:
                if search != "strong_wolfe":
                    raise fail(
                        RuntimeError,
                        "LBFGS.step",
                        f"only 'strong_wolfe' is supported as line_search_fn, given {search!r}",
                    )
                start = [p.clone() for p in self._params]
                loss, grad, t, used = strong_wolfe(
                    lambda t, d, start=start: self._evaluate(closure, start, t, d),
                    t, d, loss, grad, slope, max_ls=group["max_eval"] - evals,
                )  # fmt: skip
                self._add_grad(t, d)
                optimal = grad.abs().max() <= group["tolerance_grad"]
            else:
                self._add_grad(t, d)
                if (
                    iteration != group["max_iter"]
                ):  # after the last one nothing looks at the loss any more
                    loss = float(closure())
                    grad = self._gather_flat_grad()
                    optimal = grad.abs().max() <= group["tolerance_grad"]
                    used = 1
            evals += used
            state["func_evals"] += used
            if iteration == group["max_iter"] or evals >= group["max_eval"] or optimal:
                break
            if d.mul(t).abs().max() <= smallest or abs(loss - previous_loss) < smallest:
                break
        state.update(d=d, t=t, **memory, prev_flat_grad=previous_grad, prev_loss=previous_loss)
        return first_loss


def _remember(memory: dict[str, Any], y: Tensor, s: Tensor, limit: int) -> None:
    """Keep the change of gradient and the step it followed, unless the curvature is too small."""
    ys = y.dot(s)
    if not ys > 1e-10:
        return
    if len(memory["old_dirs"]) == limit:
        for name in ("old_dirs", "old_stps", "ro"):
            memory[name].pop(0)
    memory["old_dirs"].append(y)
    memory["old_stps"].append(s)
    memory["ro"].append(1.0 / ys)
    memory["H_diag"] = ys / y.dot(y)


def _direction(memory: dict[str, Any], grad: Tensor, al: list[Any]) -> Tensor:
    """The two-loop recursion: the inverse Hessian's approximation times ``-grad``."""
    dirs, steps, ro = memory["old_dirs"], memory["old_stps"], memory["ro"]
    q = grad.neg()
    for i in reversed(range(len(dirs))):
        al[i] = steps[i].dot(q) * ro[i]
        q.add_(dirs[i], alpha=-al[i].item())
    r = q * memory["H_diag"]
    for i in range(len(dirs)):
        be = dirs[i].dot(r) * ro[i]
        r.add_(steps[i], alpha=(al[i] - be).item())
    return r
