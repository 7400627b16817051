"""`module_db`: every layer, built by both engines with the same arguments.

`init` compares freshly made weights for one seed, `state` the names, shapes and dtypes of the
state dict, `train` and `eval` the outputs after torch's weights were loaded (strictly), `grad` the
gradients of inputs and parameters in both modes, `errors` the exceptions for bad input.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch

from . import exceptions
from .aspects.errors import modes
from .compare import TORCH, Comparer, Mismatch
from .convert import Converter, dtype_name
from .engine import Engine
from .limit import limit
from .resolve import path_of
from .result import Result, died
from .sample import SEED, OracleRaises, cotangents, flat
from .tolerance import overrides

NAME = "module_db"
ASPECTS = ("init", "state", "train", "eval", "grad")
DEFAULT = (("float32", ASPECTS),)
DAILY = (("float32", (*ASPECTS, "errors")),)
FULL = (("float32", (*ASPECTS, "errors")), ("float64", ASPECTS))


@lru_cache(maxsize=1)
def entries() -> dict[str, Any]:
    """`nn.Linear` -> ModuleInfo."""
    from torch.testing._internal.common_modules import module_db

    return {info.name: info for info in module_db}


def names() -> list[str]:
    """Every layer of the database."""
    return list(entries())


def out() -> dict[str, str]:
    """All entries of the database are public."""
    return {}


class Built:
    """One engine's module for one sample, and what it computes."""

    def __init__(self, engine: Engine, info: Any, given: Any, dtype: torch.dtype) -> None:
        self.engine = engine
        self.given = given
        convert = Converter(engine)
        path = path_of(info.module_cls) or info.name
        args = [convert(item) for item in given.constructor_input.args]
        kwargs = {key: convert(item) for key, item in given.constructor_input.kwargs.items()}
        make = engine.get(path)
        engine.seed(SEED)
        self.module = make(*args, **kwargs).to(convert(dtype))
        if info.is_lazy and given.forward_input is not None:
            self.module(*self.inputs()[0], **self.inputs()[1])

    def inputs(self) -> tuple[tuple[Any, ...], dict[str, Any], list[Any]]:
        """Forward arguments and their differentiable leaves."""
        convert = Converter(self.engine)
        given = self.given.forward_input
        args = tuple(convert(item) for item in given.args)
        kwargs = {key: convert(item) for key, item in given.kwargs.items()}
        if getattr(self.module, "inplace", False):
            tensor_type = self.engine.get("Tensor")
            args = tuple(a.clone() if isinstance(a, tensor_type) else a for a in args)
        return args, kwargs, convert.leaves

    def forward(self, training: bool) -> tuple[Any, list[Any]]:
        """The output in that mode, and the input leaves."""
        self.module.train(training)
        args, kwargs, leaves = self.inputs()
        self.engine.seed(SEED)
        return self.module(*args, **kwargs), leaves

    def state(self) -> dict[str, Any]:
        """The state dict."""
        return dict(self.module.state_dict())


class Pair:
    """Both engines' modules for one sample."""

    def __init__(self, engine: Engine, info: Any, given: Any, dtype: torch.dtype) -> None:
        self.engine = engine
        self.compare = Comparer(engine, overrides(info))
        self.has_forward = given.forward_input is not None
        try:
            self.oracle = Built(TORCH, info, given, dtype)
        except Exception as error:
            raise OracleRaises(str(error)) from error
        self.subject = Built(engine, info, given, dtype)

    def check_state(self) -> None:
        """Names in order, shapes, dtypes; parameters and buffers apart."""
        theirs, ours = self.oracle.state(), self.subject.state()
        if list(theirs) != list(ours):
            raise Mismatch("state", f"state dict has {list(ours)}, torch has {list(theirs)}")
        for name in theirs:
            self.compare(theirs[name], ours[name], name, values=False)
        wanted = [name for name, _ in self.oracle.module.named_parameters()]
        have = [name for name, _ in self.subject.module.named_parameters()]
        if wanted != have:
            raise Mismatch("state", f"parameters are {have}, torch has {wanted}")

    def check_init(self) -> None:
        """Fresh weights after the same `manual_seed`."""
        theirs, ours = self.oracle.state(), self.subject.state()
        for name in theirs:
            if name not in ours:
                raise Mismatch("state", f"no {name} in the state dict")
            self.compare(theirs[name], ours[name], name)

    def load(self) -> None:
        """Torch's weights into the engine's module, strictly."""
        convert = Converter(self.engine)
        state = {name: convert(value) for name, value in self.oracle.state().items()}
        self.subject.module.load_state_dict(state, strict=True)

    def _forward(self, training: bool) -> tuple[Any, Any]:
        try:
            expected = self.oracle.forward(training)
        except Exception as error:
            raise OracleRaises(str(error)) from error
        return expected, self.subject.forward(training)

    def check_output(self, training: bool) -> None:
        """Output, and the buffers that the forward changed."""
        if not self.has_forward:
            return
        self.load()
        (expected, _), (actual, _) = self._forward(training)
        self.compare(expected, actual)
        for name, value in self.oracle.module.named_buffers():
            self.compare(value, dict(self.subject.module.named_buffers())[name], name)

    def check_grad(self) -> None:
        """Gradients of inputs and parameters, in train and in eval mode."""
        if not self.has_forward:
            return
        for training in (True, False):
            self.load()
            (expected, leaves), (actual, ours) = self._forward(training)
            outputs = [t for t in flat(expected, TORCH) if t.requires_grad]
            mine = [t for t in flat(actual, self.engine) if t.requires_grad]
            if len(outputs) != len(mine):
                text = f"{len(mine)} outputs require grad, in torch {len(outputs)}"
                raise Mismatch("requires_grad", text)
            if not outputs:
                continue
            weights = cotangents(outputs)
            wanted = _backward(TORCH, outputs, leaves, self.oracle.module, weights)
            convert = Converter(self.engine)
            weights = [convert(weight) for weight in weights]
            grads = _backward(self.engine, mine, ours, self.subject.module, weights)
            for (name, theirs), (_, other) in zip(wanted, grads, strict=True):
                if (theirs is None) != (other is None):
                    raise Mismatch("grad_none", f"grad of {name} is None in only one engine")
                if theirs is not None:
                    self.compare(theirs, other, f"grad of {name}")


def _backward(
    engine: Engine, outputs: list[Any], leaves: list[Any], module: Any, weights: list[Any]
) -> list[tuple[str, Any]]:
    named = [(f"input {i}", leaf) for i, leaf in enumerate(leaves)]
    named += [(n, p) for n, p in module.named_parameters() if p.requires_grad]
    if not named:
        return []
    grads = engine.get("autograd").grad(
        outputs, [leaf for _, leaf in named], weights, allow_unused=True
    )
    return [(name, grad) for (name, _), grad in zip(named, grads, strict=True)]


CHECKS: dict[str, Callable[[Pair], None]] = {
    "init": Pair.check_init,
    "state": Pair.check_state,
    "train": lambda pair: pair.check_output(True),
    "eval": lambda pair: pair.check_output(False),
    "grad": Pair.check_grad,
}


def _samples(info: Any, dtype: torch.dtype, training: bool) -> list[Any]:
    torch.manual_seed(SEED)
    return info.module_inputs_func(
        info, device="cpu", dtype=dtype, requires_grad=True, training=training
    )


def _error_samples(info: Any, dtype: torch.dtype) -> list[Any]:
    torch.manual_seed(SEED)
    given = info.module_error_inputs_func(
        info, device="cpu", dtype=dtype, requires_grad=True, training=True
    )
    return [error.module_error_input for error in given]


def _check_error(engine: Engine, info: Any, given: Any, dtype: torch.dtype) -> None:
    def build(side: Engine) -> None:
        made = Built(side, info, given, dtype)
        if given.forward_input is not None:
            made.forward(True)

    theirs = exceptions.raised(lambda: build(TORCH))
    for mode in modes(engine):
        with mode:
            ours = exceptions.raised(lambda: build(engine))
        exceptions.compare(theirs, ours)


def plan(info: Any, wanted: Any) -> list[tuple[str, str]]:
    """The (dtype, aspect) pairs that exist for this layer."""
    return [
        (dtype, aspect)
        for dtype, aspects in wanted
        for aspect in aspects
        if getattr(torch, dtype) in info.supported_dtypes("cpu")
        and (aspect != "errors" or info.module_error_inputs_func is not None)
    ]


def run(
    name: str, engine: Engine, wanted: Any = DEFAULT, seconds: int = 60, only: Any = None
) -> list[Result]:
    """Run one layer; every (dtype, aspect) ends at its first failing sample."""
    info = entries()[name]
    results = [Result(NAME, name, dtype, aspect) for dtype, aspect in plan(info, wanted)]
    with limit(seconds, results):
        for result in results:
            _run_aspect(result, info, engine, only)
    return results


def _run_aspect(result: Result, info: Any, engine: Engine, only: Any) -> None:
    dtype = getattr(torch, result.dtype)
    if result.aspect == "errors":
        samples = _error_samples(info, dtype)
    else:
        samples = _samples(info, dtype, training=result.aspect != "eval")
    picked = only(result.aspect, len(samples)) if only else None
    for index, given in enumerate(samples):
        if picked is not None and index not in picked:
            continue
        try:
            if result.aspect == "errors":
                _check_error(engine, info, given, dtype)
            else:
                CHECKS[result.aspect](Pair(engine, info, given, dtype))
            result.samples += 1
        except OracleRaises:
            result.skipped += 1
        except Exception as error:
            result.fail(error, engine.name, _describe(given))
            return
    result.close()


def _describe(given: Any) -> str:
    def short(value: Any) -> str:
        if isinstance(value, torch.Tensor):
            return f"{dtype_name(value)}{list(value.shape)}"
        return repr(value)[:60]

    made = given.constructor_input
    parts = [*map(short, made.args), *(f"{k}={short(v)}" for k, v in made.kwargs.items())]
    return f"{given.desc}({', '.join(parts)})"


def lost(name: str, wanted: Any, why: str) -> list[Result]:
    """The results of a job whose process died."""
    return died(NAME, name, plan(entries()[name], wanted), why)
