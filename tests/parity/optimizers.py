"""`optim_db`: every optimizer, every setting, some steps on a small model under both engines.

`steps` compares parameters after every step and the whole state dict at the end, with a
state_dict round trip into a new optimizer in the middle; `flags` does the same for `foreach`,
`fused` and `differentiable` where PyTorch supports them; `errors` compares exceptions.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch

from . import exceptions
from .compare import TORCH, Comparer
from .convert import Converter
from .engine import Engine
from .limit import limit
from .result import Result, died
from .sample import SEED, OracleRaises
from .tolerance import overrides

NAME = "optim_db"
DEFAULT = (("float32", ("steps", "flags")),)
FULL = (("float32", ("steps", "flags", "errors")), ("float64", ("steps", "flags")))
STEPS = 6
SHAPES = {"Muon": ((5, 4), (3, 5))}


@lru_cache(maxsize=1)
def entries() -> dict[str, Any]:
    """`Adam` -> OptimizerInfo."""
    from torch.testing._internal.common_optimizers import optim_db

    return {info.name: info for info in optim_db}


def names() -> list[str]:
    """Every optimizer of the database."""
    return list(entries())


def out() -> dict[str, str]:
    """All entries of the database are public."""
    return {}


class Training:
    """One engine's optimizer over the small model `w2 @ tanh(w1 @ x + b)`."""

    def __init__(self, engine: Engine, info: Any, kwargs: Any, dtype: torch.dtype) -> None:
        self.engine = engine
        self.info = info
        self.kwargs = kwargs
        self.differentiable = bool(kwargs.get("differentiable"))
        generator = torch.Generator().manual_seed(SEED)
        shapes = SHAPES.get(info.name, ((5, 4), (3, 5), (5, 1)))
        sources = [
            torch.randn(s, dtype=dtype, generator=generator) for s in (*shapes, (4, 7), (3, 7))
        ]
        convert = Converter(engine)
        *weights, self.x, self.y = [convert(source) for source in sources]
        self.sparse = info.only_supports_sparse_grads
        self.adopt(weights)

    def adopt(self, values: list[Any]) -> None:
        """New parameters with these values, and a new optimizer for them."""
        parameter = self.engine.get("nn.Parameter")
        self.parameters = [parameter(value.detach().clone()) for value in values]
        if self.differentiable:
            self.parameters = [p.clone() for p in self.parameters]
        convert = Converter(self.engine)
        kwargs = {key: convert(value) for key, value in self.kwargs.items()}
        self.optimizer = self.engine.get(f"optim.{self.info.name}")(self.parameters, **kwargs)

    def loss(self, parameters: list[Any]) -> Any:
        """Mean squared error of the model on fixed data."""
        hidden = parameters[0] @ self.x
        if len(parameters) > 2:
            hidden = hidden + parameters[2]
        return ((parameters[1] @ hidden.tanh() - self.y) ** 2).mean()

    def closure(self) -> Any:
        """Loss and gradients at the current parameters; sparse ones for SparseAdam."""
        self.optimizer.zero_grad()
        leaves = [p.detach().requires_grad_() for p in self.parameters]
        loss = self.loss(leaves)
        grads = self.engine.get("autograd").grad(loss, leaves)
        for p, grad in zip(self.parameters, grads, strict=True):
            p.grad = grad.to_sparse(1) if self.sparse else grad
        return loss

    def step(self) -> None:
        """One step, with a closure where the optimizer wants one."""
        if self.info.step_requires_closure:
            self.optimizer.step(self.closure)
        else:
            self.closure()
            self.optimizer.step()

    def resume(self) -> None:
        """Continue with new parameters and a new optimizer that loaded the old one's state."""
        state = self.optimizer.state_dict()
        self.adopt(self.parameters)
        self.optimizer.load_state_dict(state)


def _check(engine: Engine, info: Any, kwargs: Any, dtype: torch.dtype) -> None:
    compare = Comparer(engine, overrides(info))
    try:
        torch.manual_seed(SEED)
        oracle = Training(TORCH, info, kwargs, dtype)
        track = []
        for index in range(STEPS):
            if index == STEPS // 2:
                oracle.resume()
            oracle.step()
            track.append([p.detach().clone() for p in oracle.parameters])
    except Exception as error:
        raise OracleRaises(str(error)) from error
    subject = Training(engine, info, kwargs, dtype)
    for index, expected in enumerate(track):
        if index == STEPS // 2:
            subject.resume()
        subject.step()
        compare(expected, [p.detach() for p in subject.parameters], f"step {index} parameter")
    compare(oracle.optimizer.state_dict(), subject.optimizer.state_dict(), "state_dict")


def _check_error(engine: Engine, info: Any, given: Any) -> None:
    from torch.testing._internal.common_optimizers import OptimizerErrorEnum

    def build(side: Engine) -> None:
        convert = Converter(side)
        kwargs = {key: convert(value) for key, value in given.optimizer_error_input.kwargs.items()}
        params = given.optimizer_error_input.params
        params = [torch.nn.Parameter(torch.ones(1, 1))] if params is None else params
        params = convert(params)
        made = side.get(f"optim.{info.name}")(params, **kwargs)
        if given.error_on == OptimizerErrorEnum.STEP_ERROR:
            for p in params:
                p.grad = p.detach().clone()
            made.step()

    theirs = exceptions.raised(lambda: build(TORCH))
    exceptions.compare(theirs, exceptions.raised(lambda: build(engine)))


def _settings(info: Any, aspect: str) -> list[Any]:
    if aspect == "errors":
        return info.optim_error_inputs_func("cpu", torch.float32)
    settings = [(given.desc, given.kwargs) for given in info.optim_inputs_func("cpu")]
    if aspect == "steps":
        return settings
    flags = [f for f in info.supported_impls if f != "fused" or "cpu" in info.supports_fused_on]
    return [
        (f"{d} {flag}", {**k, flag: on})
        for d, k in settings
        for flag in flags
        for on in (True, False)
    ]


def plan(info: Any, wanted: Any) -> list[tuple[str, str]]:
    """The (dtype, aspect) pairs that exist for this optimizer."""
    return [
        (dtype, aspect)
        for dtype, aspects in wanted
        for aspect in aspects
        if (aspect != "errors" or info.optim_error_inputs_func is not None)
        and (aspect != "flags" or info.supported_impls)
    ]


def run(
    name: str, engine: Engine, wanted: Any = DEFAULT, seconds: int = 60, only: Any = None
) -> list[Result]:
    """Run one optimizer; every (dtype, aspect) ends at its first failing setting."""
    info = entries()[name]
    results = [Result(NAME, name, dtype, aspect) for dtype, aspect in plan(info, wanted)]
    with limit(seconds, results):
        for result in results:
            _run_aspect(result, info, engine, only)
    return results


def _run_aspect(result: Result, info: Any, engine: Engine, only: Any) -> None:
    settings = _settings(info, result.aspect)
    picked = only(result.aspect, len(settings)) if only else None
    for index, given in enumerate(settings):
        if picked is not None and index not in picked:
            continue
        try:
            if result.aspect == "errors":
                _check_error(engine, info, given)
            else:
                _check(engine, info, given[1], getattr(torch, result.dtype))
            result.samples += 1
        except OracleRaises:
            result.skipped += 1
        except Exception as error:
            label = str(given) if result.aspect == "errors" else f"{given[0]} {given[1]}"
            result.fail(error, engine.name, label)
            return
    result.close()


def lost(name: str, wanted: Any, why: str) -> list[Result]:
    """The results of a job whose process died."""
    return died(NAME, name, plan(entries()[name], wanted), why)
