"""Transforms of functions: gradients, Jacobians, Hessians, batches; modules called as functions.
Stands on autograd.
"""

from flambeau.func.batching import vmap
from flambeau.func.gradients import grad, grad_and_value, jvp, linearize, vjp
from flambeau.func.jacobians import hessian, jacfwd, jacrev
from flambeau.func.modules import (
    functional_call,
    functionalize,
    replace_all_batch_norm_modules_,
    stack_module_state,
)
from flambeau.func.rearrangement import rearrange

__all__ = [
    "functional_call",
    "functionalize",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "linearize",
    "rearrange",
    "replace_all_batch_norm_modules_",
    "stack_module_state",
    "vjp",
    "vmap",
]
