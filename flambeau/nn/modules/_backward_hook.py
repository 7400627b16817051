"""How a module's backward hooks see its gradients.

``BackwardHook`` (full hooks) puts an identity node before and one after the module's forward and
hangs the user's hooks on those two nodes. ``attach_last_node_hooks`` is the older generation:
the hook sits on the node that made the first output, and sees that node's gradients only.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor

_identity: Any = None


def _identity_function() -> Any:
    """The identity autograd.Function, made at first use: autograd loads after this room."""
    global _identity
    if _identity is None:

        class BackwardHookFunction(flambeau.autograd.Function):
            """Pass tensors through; the node is where gradients are caught."""

            @staticmethod
            def forward(ctx: Any, *args: Tensor) -> tuple[Tensor, ...]:
                ctx.mark_non_differentiable(*[arg for arg in args if not arg.requires_grad])
                return args

            @staticmethod
            def backward(ctx: Any, *args: Tensor) -> tuple[Tensor, ...]:
                return args

        _identity = BackwardHookFunction
    return _identity


class BackwardHook:
    """One call's pair of identity nodes, and what they know of each other.

    Args:
        module: passed to the user's hooks.
        user_hooks: called with (module, grad_input, grad_output) when both are known.
        user_pre_hooks: called with (module, grad_output) first; may replace it.
    """

    def __init__(
        self, module: Any, user_hooks: Sequence[Callable], user_pre_hooks: Sequence[Callable]
    ) -> None:
        self.module = module
        self.user_hooks = user_hooks
        self.user_pre_hooks = user_pre_hooks
        self.grad_outputs: tuple[Any, ...] | None = None
        self.n_inputs = self.n_outputs = -1
        self.input_positions: list[int] | None = None
        self.output_positions: list[int] | None = None

    def setup_input_hook(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Pass the module's arguments through an identity node that runs the user's hooks."""
        args, self.input_positions = self._through_identity(args, self._on_input_gradients)
        self.n_inputs = len(args)
        return args

    def setup_output_hook(self, args: Any) -> Any:
        """Pass the module's outputs through an identity node that notes their gradients."""
        alone = not isinstance(args, tuple)
        outputs = (args,) if alone else args
        outputs, self.output_positions = self._through_identity(outputs, self._on_output_gradients)
        self.n_outputs = len(outputs)
        return outputs[0] if alone else outputs

    @staticmethod
    def _through_identity(values: tuple[Any, ...], hook: Callable) -> tuple[Any, list[int] | None]:
        """The values with tensors passed through the identity, and where tensors are."""
        positions = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
        needed = any(values[i].requires_grad for i in positions)
        if not (needed and flambeau.is_grad_enabled()):
            return values, None
        passed = _identity_function().apply(*[values[i] for i in positions])
        next(t.grad_fn for t in passed if t.grad_fn is not None).register_hook(hook)
        replaced = list(values)
        for i, tensor in zip(positions, passed, strict=True):
            replaced[i] = tensor
        kind = type(values)
        return (tuple(replaced) if kind is tuple else kind(*replaced)), positions

    def _on_input_gradients(self, grad_input: Any, _: Any) -> tuple[Any, ...] | None:
        if self.grad_outputs is None:
            # The gradient reached the input without passing the output (double backward).
            return None
        gradients = _spread(self.input_positions, grad_input, self.n_inputs)
        for hook in self.user_hooks:
            replaced = hook(self.module, gradients, self.grad_outputs)
            if replaced is None:
                continue
            if len(replaced) != len(gradients):
                raise fail(
                    RuntimeError,
                    "register_full_backward_hook",
                    "Backward hook returned an invalid number of grad_input, got "
                    f"{len(replaced)}, but expected {len(gradients)}. Return one entry per "
                    "argument of the module, None where it is no tensor.",
                )
            gradients = replaced
        self.grad_outputs = None
        return tuple(gradients[i] for i in self.input_positions or ())

    def _on_output_gradients(self, _: Any, grad_output: Any) -> tuple[Any, ...] | None:
        self.grad_outputs = _spread(self.output_positions, grad_output, self.n_outputs)
        for pre_hook in self.user_pre_hooks:
            replaced = pre_hook(self.module, self.grad_outputs)
            if replaced is None:
                continue
            if len(replaced) != len(self.grad_outputs):
                raise fail(
                    RuntimeError,
                    "register_full_backward_pre_hook",
                    "Backward pre hook returned an invalid number of grad_output, got "
                    f"{len(replaced)}, but expected {len(self.grad_outputs)}.",
                )
            self.grad_outputs = replaced
        gradients = self.grad_outputs
        if self.input_positions is None:
            self._run_without_inputs()
        return tuple(gradients[i] for i in self.output_positions or ())

    def _run_without_inputs(self) -> None:
        """No input requires grad, so no second node will run: call the hooks from here."""
        warnings.warn(
            "Full backward hook is firing when gradients are computed with respect to module "
            "outputs since no inputs require gradients.",
            stacklevel=stack_level(),
        )
        nothing = (None,) * self.n_inputs
        for hook in self.user_hooks:
            replaced = hook(self.module, nothing, self.grad_outputs)
            if replaced is not None and not (
                isinstance(replaced, tuple) and all(entry is None for entry in replaced)
            ):
                raise fail(
                    RuntimeError,
                    "register_full_backward_hook",
                    "Backward hook for Modules where no input requires gradient should always "
                    "return None or None for all gradients.",
                )
        self.grad_outputs = None


def _spread(positions: list[int] | None, gradients: Any, size: int) -> tuple[Any, ...]:
    """Gradients at their positions among ``size`` values, None elsewhere."""
    spread: list[Any] = [None] * size
    for i, gradient in zip(positions or (), gradients, strict=True):
        spread[i] = gradient
    return tuple(spread)


def attach_last_node_hooks(module: Any, hooks: Sequence[Callable], args: Any, result: Any) -> None:
    """Hang the older backward hooks on the node that made the first output tensor."""
    first = result
    while not isinstance(first, Tensor):
        if isinstance(first, dict):
            first = next(value for value in first.values() if isinstance(value, Tensor))
        else:
            first = first[0]
    node = first.grad_fn
    if node is None:
        return
    for hook in hooks:
        node.register_hook(_with_module(hook, module))
    problem = _what_last_node_misses(args, result, node)
    if problem:
        warnings.warn(
            f"Using {problem} Please use register_full_backward_hook to get the documented "
            "behavior.",
            FutureWarning,
            stacklevel=stack_level(),
        )


def _with_module(hook: Callable, module: Any) -> Callable:
    def call(grad_input: Any, grad_output: Any) -> Any:
        return hook(module, grad_input, grad_output)

    return call


def _what_last_node_misses(inputs: Any, result: Any, node: Any) -> str | None:
    """Why a hook on ``node`` does not see the whole module's gradients; None if it does."""
    removal = "is deprecated and will be removed in future versions. This hook will be missing"
    results = _tensors_only(result)
    if results is None:
        return (
            "non-full backward hooks on a Module that does not return a single Tensor or a tuple "
            f"of Tensors {removal} some of the grad_output."
        )
    arguments = _tensors_only(inputs)
    if arguments is None:
        return (
            "non-full backward hooks on a Module that does not take as input a single Tensor or a "
            f"tuple of Tensors {removal} some of the grad_input."
        )
    makers = {tensor.grad_fn for tensor in results if tensor.grad_fn is not None}
    if not makers or (len(makers) == 1 and node not in makers):
        return (
            "a non-full backward hook when outputs are nested in python data structure "
            f"{removal} some grad_output."
        )
    if len(makers) > 1:
        return (
            "a non-full backward hook when outputs are generated by different autograd Nodes "
            f"{removal} some grad_output."
        )
    before = {tensor.grad_fn for tensor in arguments if tensor.grad_fn is not None}
    if before != {edge[0] for edge in node.next_functions}:
        return (
            "a non-full backward hook when the forward contains multiple autograd Nodes "
            f"{removal} some grad_input."
        )
    return None


def _tensors_only(values: Any) -> tuple[Tensor, ...] | None:
    """A tensor or a tuple of tensors as a tuple; None for anything else."""
    if isinstance(values, Tensor):
        return (values,)
    if isinstance(values, tuple) and all(isinstance(value, Tensor) for value in values):
        return values
    return None
