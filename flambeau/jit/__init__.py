"""``torch.jit``: TorchScript's names over plain Python.

There is no TorchScript here: what `script` and `trace` give runs the Python it was made of, which
is said once. `save` writes it with its source, `load` runs it in another process.
"""

from __future__ import annotations

from flambeau.futures import Future
from flambeau.jit.marks import (
    Attribute,
    Final,
    _overload,
    _overload_method,
    annotate,
    export,
    ignore,
    interface,
    is_scripting,
    is_tracing,
    isinstance,
    strict_fusion,
    unused,
)
from flambeau.jit.modules import (
    RecursiveScriptModule,
    ScriptFunction,
    ScriptModule,
    TopLevelTracedModule,
    TracedModule,
)
from flambeau.jit.saving import load, save
from flambeau.jit.script import (
    Error,
    enable_onednn_fusion,
    fork,
    freeze,
    onednn_fusion_enabled,
    optimize_for_inference,
    optimized_execution,
    script,
    script_if_tracing,
    script_method,
    trace,
    trace_module,
    wait,
)

__all__ = [
    "Attribute",
    "Error",
    "Final",
    "Future",
    "RecursiveScriptModule",
    "ScriptFunction",
    "ScriptModule",
    "TopLevelTracedModule",
    "TracedModule",
    "annotate",
    "enable_onednn_fusion",
    "export",
    "fork",
    "freeze",
    "ignore",
    "interface",
    "is_scripting",
    "is_tracing",
    "isinstance",
    "load",
    "onednn_fusion_enabled",
    "optimize_for_inference",
    "optimized_execution",
    "save",
    "script",
    "script_if_tracing",
    "script_method",
    "strict_fusion",
    "trace",
    "trace_module",
    "unused",
    "wait",
]
