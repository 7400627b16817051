"""Exported programs in files. The file is this library's own (nodes by name, tensors as `save`
writes them), not PyTorch's .pt2, and is read without executing anything it holds.
"""

from __future__ import annotations

import operator
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.export import graph_signature as signatures
from flambeau.export.exported_program import ExportedProgram
from flambeau.fx import Graph, GraphModule, Node
from flambeau.utils._pytree import tree_flatten

__all__ = ["load", "save"]

MARK = "flambeau.export 1"


def _written(node: Node) -> dict[str, Any]:
    target = node.target
    if node.op == "call_function":
        target = "getitem" if target is operator.getitem else target.name()
    return {
        "op": node.op,
        "name": node.name,
        "target": target,
        "args": _plain(node.args),
        "kwargs": _plain(node.kwargs),
    }


def _plain(value: Any) -> Any:
    """Arguments as what a checkpoint may hold: a node by its name."""
    if isinstance(value, Node):
        return {"node": value.name}
    if isinstance(value, (list, tuple)):
        return {"list" if isinstance(value, list) else "tuple": [_plain(each) for each in value]}
    if isinstance(value, slice):
        return {"slice": [_plain(value.start), _plain(value.stop), _plain(value.step)]}
    if isinstance(value, dict):
        return {"dict": {name: _plain(each) for name, each in value.items()}}
    return value


def _read(value: Any, nodes: dict[str, Node]) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, held),) = value.items()
    if kind == "node":
        return nodes[held]
    if kind == "dict":
        return {name: _read(each, nodes) for name, each in held.items()}
    parts = [_read(each, nodes) for each in held]
    return parts if kind == "list" else tuple(parts) if kind == "tuple" else slice(*parts)


def _function(name: str) -> Any:
    if name == "getitem":
        return operator.getitem
    space, _, rest = name.partition("::")
    packet, _, overload = rest.partition(".")
    found = getattr(getattr(flambeau.ops, space), packet)
    return getattr(found, overload or "default")


def save(ep: ExportedProgram, f: Any, **options: Any) -> None:
    """Write an exported program.

    Args:
        ep: the program. f: a path or a file, usually ``.pt2``.
    """
    if not isinstance(ep, ExportedProgram):
        raise TypeError(
            f"The 'ep' parameter must be an instance of 'ExportedProgram', got "
            f"'{type(ep).__name__}' instead."
        )
    signature = ep.graph_signature
    flambeau.save(
        {
            "mark": MARK,
            "nodes": [_written(node) for node in ep.graph.nodes],
            "inputs": [_spec(s) for s in signature.input_specs],
            "outputs": [_spec(s) for s in signature.output_specs],
            "state_dict": ep.state_dict,
            "constants": ep.constants,
            "example_inputs": ep.example_inputs,
            "trees": [tree.unflatten(range(tree.num_leaves)) for tree in ep._trees],
            "fixed": ep._fixed,
        },
        f,
    )


def _spec(spec: Any) -> dict[str, Any]:
    value = {"value": spec.arg.value} if isinstance(spec.arg, signatures.ConstantArgument) else {}
    return {
        "kind": spec.kind.name, "name": spec.arg.name, "target": spec.target, **value,
        "persistent": getattr(spec, "persistent", None),
    }  # fmt: skip


def _arg(spec: dict[str, Any]) -> Any:
    if "value" in spec:
        return signatures.ConstantArgument(spec["name"], spec["value"])
    return signatures.TensorArgument(spec["name"])


def load(f: Any, **options: Any) -> ExportedProgram:
    """An exported program from a file.

    Raises:
        RuntimeError: the file is not one that `save` wrote: PyTorch's .pt2 files are not read.
    """
    try:
        held = flambeau.load(f, weights_only=True)
    except Exception as error:
        raise _foreign() from error
    if not isinstance(held, dict) or held.get("mark") != MARK:
        raise _foreign()
    graph = Graph()
    nodes: dict[str, Node] = {}
    for entry in held["nodes"]:
        target = entry["target"]
        nodes[entry["name"]] = graph.create_node(
            entry["op"],
            _function(target) if entry["op"] == "call_function" else target,
            _read(entry["args"], nodes),
            _read(entry["kwargs"], nodes),
            name=entry["name"],
        )
    inputs = [
        signatures.InputSpec(signatures.InputKind[s["kind"]], _arg(s), s["target"], s["persistent"])
        for s in held["inputs"]
    ]
    outputs = [
        signatures.OutputSpec(signatures.OutputKind[s["kind"]], _arg(s), s["target"])
        for s in held["outputs"]
    ]
    return ExportedProgram(
        GraphModule({}, graph),
        signatures.ExportGraphSignature(inputs, outputs),
        held["state_dict"],
        held["constants"],
        held["example_inputs"],
        tuple(tree_flatten(tree)[1] for tree in held["trees"]),
        fixed=held["fixed"],
    )


def _foreign() -> Exception:
    return fail(
        RuntimeError,
        "export.load",
        "the file is no program that torch.export.save wrote here. PyTorch's .pt2 files are not "
        "read; export the module anew, or load its state dict.",
    )
