"""``torch.jit``: TorchScript's names over plain Python.

There is no TorchScript here: `script` and `trace` hand back what they were given, with one warning,
so that scripts run; saving and loading compiled programs raises. Speed is ``torch.compile``'s.
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
from flambeau.jit.script import (
    Error,
    ScriptFunction,
    ScriptModule,
    enable_onednn_fusion,
    fork,
    freeze,
    load,
    onednn_fusion_enabled,
    optimize_for_inference,
    optimized_execution,
    save,
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
    "ScriptFunction",
    "ScriptModule",
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
