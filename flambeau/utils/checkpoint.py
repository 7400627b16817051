"""Activation checkpointing: what a block saved is dropped after its forward and computed again when
backward asks.

Two ways: without reentrance (saved-tensor hooks, works with everything) and reentrant (a Function
    whose backward runs a
forward and a backward of its own). Stands on autograd.
"""

from __future__ import annotations

import contextlib
import enum
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Any

from flambeau.amp import (
    autocast,
    get_autocast_dtype,
    is_autocast_cache_enabled,
    is_autocast_enabled,
)
from flambeau.autograd import (
    Function,
    backward,
    enable_grad,
    is_grad_enabled,
    no_grad,
    saved_tensors_hooks,
)
from flambeau.autograd.backward import PARTIAL
from flambeau.core.context import assign, reset
from flambeau.core.errors import fail
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor
from flambeau.random import fork_rng, get_rng_state, set_rng_state

__all__ = [
    "CheckpointError",
    "CheckpointFunction",
    "CheckpointPolicy",
    "DefaultDeviceType",
    "SelectiveCheckpointContext",
    "check_backward_validity",
    "checkpoint",
    "checkpoint_sequential",
    "create_selective_checkpoint_contexts",
    "detach_variable",
    "get_device_states",
    "noop_context_fn",
    "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
    "set_device_states",
]


class CheckpointError(RuntimeError):
    """The recomputation saved other tensors than the forward."""


class _Enough(Exception):
    """Everything that was saved is there again: the rest of the block need not run."""


_EARLY: ContextVar[bool | None] = ContextVar("flambeau_checkpoint_early_stop", default=None)


class DefaultDeviceType:
    """The device whose random state is kept: there is only the cpu's."""

    _device = "cpu"

    @staticmethod
    def set_device_type(device: str = "cuda") -> None:
        """Note the accelerator's name."""
        DefaultDeviceType._device = device

    @staticmethod
    def get_device_type() -> str:
        """The accelerator's name."""
        return DefaultDeviceType._device


class CheckpointPolicy(enum.Enum):
    """What selective checkpointing may say of an operation's result."""

    MUST_SAVE = 0
    PREFER_SAVE = 1
    MUST_RECOMPUTE = 2
    PREFER_RECOMPUTE = 3
    MUST_CPU_OFFLOAD = 4


class SelectiveCheckpointContext:
    """What a policy function is told: whether this is the recomputation, and the result of the
    operation where it is known.
    """

    def __init__(self, *, is_recompute: bool, op_output: Any = None) -> None:
        self.is_recompute = is_recompute
        self.op_output = op_output


def noop_context_fn() -> tuple[Any, Any]:
    """No contexts around forward and recomputation."""
    return contextlib.nullcontext(), contextlib.nullcontext()


def create_selective_checkpoint_contexts(
    policy_fn_or_list: Any, allow_cache_entry_mutation: bool = False
) -> tuple[Any, Any]:
    """Contexts for `checkpoint(context_fn=...)`. The policy concerns memory alone; here everything
    is computed again.

    Raises:
        TypeError: neither a list of operations nor a function.
    """
    if not isinstance(policy_fn_or_list, list) and not callable(policy_fn_or_list):
        raise fail(
            TypeError,
            "create_selective_checkpoint_contexts",
            "policy_fn_or_list must be either a function or a list of ops.",
        )
    return noop_context_fn()


@contextlib.contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Whether checkpoints made in this block stop recomputing once they have what they need."""
    token = assign(_EARLY, enable)
    try:
        yield
    finally:
        reset(_EARLY, token)


@contextlib.contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """Accepted: a mismatch always names the tensors."""
    yield


def detach_variable(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The tensors among the inputs as leaves of their own.

    Raises:
        RuntimeError: `inputs` is no tuple.
    """
    if not isinstance(inputs, tuple):
        raise fail(
            RuntimeError,
            "detach_variable",
            f"Only tuple of tensors is supported. Got Unsupported input type: "
            f"{type(inputs).__name__}",
        )
    found = []
    for value in inputs:
        if isinstance(value, Tensor):
            fresh = value.detach()
            if value.requires_grad:
                fresh.requires_grad_()
            value = fresh
        found.append(value)
    return tuple(found)


def check_backward_validity(inputs: Iterable[Any]) -> None:
    """Warn where no input needs a gradient: a reentrant checkpoint then gives none to the block's
    parameters either.
    """
    if not any(t.requires_grad for t in inputs if isinstance(t, Tensor)):
        warnings.warn(
            "None of the inputs have requires_grad=True. Gradients will be None",
            UserWarning,
            stacklevel=stack_level(),
        )


def get_device_states(*args: Any) -> tuple[list[int], list[Tensor]]:
    """The random states of the accelerators the arguments lie on: none."""
    return [], []


def set_device_states(
    devices: list[int], states: list[Tensor], *, device_type: str | None = None
) -> None:
    """Give the accelerators their random states back: none."""


def _casting() -> autocast:
    """The autocast of now, to be entered where a block runs again: backward has another."""
    dtype, enabled = get_autocast_dtype("cpu"), is_autocast_enabled("cpu")
    return autocast("cpu", dtype, enabled, is_autocast_cache_enabled())


class CheckpointFunction(Function):
    """The reentrant way."""

    @staticmethod
    def forward(
        ctx: Any, run_function: Callable[..., Any], preserve_rng_state: bool, *args: Any
    ) -> Any:
        check_backward_validity(args)
        ctx.run_function = run_function
        ctx.rng = get_rng_state() if preserve_rng_state else None
        ctx.casting = _casting()
        ctx.inputs = [None if isinstance(a, Tensor) else a for a in args]
        ctx.places = [k for k, a in enumerate(args) if isinstance(a, Tensor)]
        ctx.save_for_backward(*[args[k] for k in ctx.places])
        with no_grad():
            return run_function(*args)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        if PARTIAL.get():
            raise fail(
                RuntimeError,
                "checkpoint",
                "When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad() or "
                "passing an `inputs` parameter "
                "to .backward(). Set use_reentrant=False, or call .backward() without the "
                "`inputs` argument.",
            )
        inputs = list(ctx.inputs)
        for k, tensor in zip(ctx.places, ctx.saved_tensors, strict=True):
            inputs[k] = tensor
        detached = detach_variable(tuple(inputs))
        with fork_rng(devices=[], enabled=ctx.rng is not None):
            if ctx.rng is not None:
                set_rng_state(ctx.rng)
            with enable_grad(), ctx.casting:
                outputs = ctx.run_function(*detached)
        outputs = (outputs,) if isinstance(outputs, Tensor) else outputs
        pairs = [
            (o, g)
            for o, g in zip(outputs, grads, strict=True)
            if isinstance(o, Tensor) and o.requires_grad
        ]
        if not pairs:
            raise fail(
                RuntimeError,
                "checkpoint",
                "none of output has requires_grad=True, this checkpoint() is not necessary",
            )
        backward([o for o, _ in pairs], [g for _, g in pairs])
        return (None, None, *(d.grad if isinstance(d, Tensor) else None for d in detached))


class _Holder:
    """Stands in the graph for a tensor that was not kept."""

    __slots__ = ("__weakref__", "meta", "value")

    def __init__(self, tensor: Tensor) -> None:
        self.meta = _meta(tensor)
        self.value: Tensor | None = None


def _meta(tensor: Tensor) -> dict[str, Any]:
    return {"shape": tensor.shape, "dtype": tensor.dtype, "device": tensor.device}


class _Block:
    """A checkpointed call: what it takes to run it again."""

    def __init__(
        self, run: Callable[[], Any], check: Callable[[Any], Any] | None, early: bool
    ) -> None:
        self.run = run
        self.check = check
        self.early = early
        self.holders: list[weakref.ref[_Holder]] = []

    def pack(self, tensor: Tensor) -> _Holder:
        holder = _Holder(tensor)
        self.holders.append(weakref.ref(holder))
        return holder

    def unpack(self, holder: _Holder) -> Tensor:
        if holder.value is None:
            self.again()
        value, holder.value = holder.value, None
        if value is None:
            raise fail(
                CheckpointError,
                "checkpoint",
                "a tensor saved in the forward was not saved again in the recomputation",
            )
        return value

    def again(self) -> None:
        """Run the block again, with hooks that catch what it saves."""
        count = 0
        wanted = len(self.holders)

        def keep(tensor: Tensor) -> Tensor:
            nonlocal count
            position, count = count, count + 1
            holder = self.holders[position]() if position < wanted else None
            if holder is not None:
                if self.check is not None and self.check(tensor) != holder.meta:
                    raise fail(
                        CheckpointError,
                        "checkpoint",
                        "Recomputed values for the following tensors have different metadata than "
                        "during the forward pass: tensor "
                        f"at position {position}: saved metadata {holder.meta}, recomputed "
                        f"metadata {self.check(tensor)}. The "
                        "block must do the same both times.",
                    )
                holder.value = tensor.detach()
            if self.early and count == wanted:
                raise _Enough
            return tensor.detach()

        with (
            contextlib.suppress(_Enough),
            enable_grad(),
            saved_tensors_hooks(keep, lambda tensor: tensor),
        ):
            self.run()
        if count != wanted:
            raise fail(
                CheckpointError,
                "checkpoint",
                "A different number of tensors was saved during the original forward and "
                "recomputation: "
                f"{wanted} in the forward, {count} in the recomputation. The block must do the "
                f"same both times.",
            )


CHECKS: dict[str, Callable[[Any], Any] | None] = {"default": _meta, "none": None}


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[Any, Any]] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """Call ``function(*args, **kwargs)`` without keeping what it saves; backward calls it again.

    Args:
        function: the block. It must do the same both times; random numbers are drawn again as they
            were.
        use_reentrant: False is the better way: it takes keyword arguments, nested structures,
            `autograd.grad` and blocks whose inputs need no gradient. None warns and means True.
        preserve_rng_state: (keyword) draw the same random numbers again; default True.
        context_fn: returns the contexts around the forward and the recomputation.
        determinism_check: "default" compares shapes and dtypes, "none" nothing.
        early_stop: stop recomputing once everything is there.

    Raises:
        ValueError: keyword arguments with the reentrant way. CheckpointError: the recomputation
            differs.
    """
    if use_reentrant is None:
        warnings.warn(
            "torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly. "
            "use_reentrant=False is recommended; "
            "what happens now is use_reentrant=True.",
            UserWarning,
            stacklevel=stack_level(),
        )
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs and use_reentrant:
        raise fail(
            ValueError,
            "checkpoint",
            "Unexpected keyword arguments: " + ",".join(kwargs) + ". Pass use_reentrant=False.",
        )
    if determinism_check not in CHECKS:
        raise fail(
            ValueError,
            "checkpoint",
            f"determinism_check should be one of {list(CHECKS)} but got {determinism_check}",
        )
    if use_reentrant:
        if context_fn is not noop_context_fn or debug is not False:
            raise fail(
                ValueError,
                "checkpoint",
                "Passing `context_fn` or `debug` is only supported when use_reentrant=False.",
            )
        return CheckpointFunction.apply(function, preserve, *args)
    around, around_again = context_fn()
    if not is_grad_enabled():
        with around:
            return function(*args, **kwargs)
    rng = get_rng_state() if preserve else None
    chosen = _EARLY.get()
    casting = _casting()

    def run() -> None:
        with fork_rng(devices=[], enabled=rng is not None), casting, around_again:
            if rng is not None:
                set_rng_state(rng)
            function(*args, **kwargs)

    block = _Block(run, CHECKS[determinism_check], early_stop if chosen is None else chosen)
    with saved_tensors_hooks(block.pack, block.unpack), around:
        return function(*args, **kwargs)


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """Run a sequence of modules in `segments` checkpointed parts; the last part is not
    checkpointed.

    Args:
        functions: a `Sequential` or an iterable of functions.
        segments: how many parts.
    """
    if use_reentrant is None:
        warnings.warn(
            "torch.utils.checkpoint.checkpoint_sequential: the use_reentrant parameter should be "
            "passed explicitly.",
            UserWarning,
            stacklevel=stack_level(),
        )
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise fail(
            ValueError, "checkpoint_sequential", "Unexpected keyword arguments: " + ",".join(kwargs)
        )
    parts = list(functions.children()) if hasattr(functions, "children") else list(functions)

    def part(start: int, end: int) -> Callable[[Any], Any]:
        def forward(value: Any) -> Any:
            for each in parts[start : end + 1]:
                value = each(value)
            return value

        return forward

    size = len(parts) // segments
    end = -1
    for start in range(0, size * (segments - 1), size):
        end = start + size - 1
        input = checkpoint(
            part(start, end), input, use_reentrant=use_reentrant, preserve_rng_state=preserve
        )
    return part(end + 1, len(parts) - 1)(input)
