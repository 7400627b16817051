"""One declaration per operation: the decorators that turn a NumPy function into a public operation.

The body is the meaning, the docstring the documentation, the signature the schema: unannotated
parameters are tensors, annotated ones plain values, `Tensors` marks a sequence of tensors. The
families give what belongs to no single operation; `entry` makes the functions users call,
`methods.bind` hangs them on Tensor. Stands on entry, rules, dtypes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from types import FunctionType, SimpleNamespace
from typing import Any

from flambeau.core import dtypes, entry
from flambeau.core.back import is_silent, passes, read_back
from flambeau.core.binding import MISSING, respelled
from flambeau.core.kernels import late
from flambeau.core.rules import Rule, bare_values, read_rules
from flambeau.core.tensor import Tensor
from flambeau.core.titles import entitle

__all__ = [
    "FUNCTIONS",
    "OPERATIONS",
    "Op",
    "Tensors",
    "composite",
    "elementwise",
    "ops",
    "primitive",
    "reduction",
    "republish",
    "view",
]

Tensors = Sequence[Tensor]
"""Annotation of a parameter that takes a sequence of tensors."""

ops = SimpleNamespace()
"""Every public operation by name, bound late: rules and composites reach each other through it."""
FUNCTIONS: dict[str, Callable[..., Any]] = {}
"""What the package's top level offers."""
OPERATIONS: dict[str, Op] = {}


class Op:
    """An operation: its body, schema, rules and the switches of its family."""

    __slots__ = (
        "back",
        "body",
        "defaults",
        "differentiable",
        "double",
        "entry",
        "fast",
        "fills",
        "flags",
        "followed",
        "holomorphic",
        "index",
        "infer",
        "kernel",
        "lists",
        "multiple",
        "name",
        "names",
        "node_name",
        "outputs",
        "passes",
        "plain",
        "positional",
        "promote",
        "required",
        "result",
        "rules",
        "saveable",
        "saves_number",
        "silent",
        "switches",
        "template",
        "tensor_names",
        "tensors",
        "types",
        "upcast",
        "varargs",
        "plans",
    )

    def __init__(
        self, body: Callable[..., Any], name: str | None, family: str, vjp: Any, **flags: Any
    ) -> None:
        code = body.__code__
        count = code.co_argcount + code.co_kwonlyargcount
        notes = body.__annotations__
        self.varargs = None
        if code.co_flags & 4:  # a *args parameter takes the rest as one tuple, and stands last
            self.varargs = code.co_varnames[count]
            count += 1
        names = code.co_varnames[:count]
        defaults = dict(
            zip(
                code.co_varnames[: code.co_argcount][::-1],
                (body.__defaults__ or ())[::-1],
                strict=False,
            )
        )
        self.body = body
        self.name = name or body.__name__
        self.names = names
        self.positional = code.co_argcount
        self.defaults = (
            defaults | (body.__kwdefaults__ or {}) | ({self.varargs: ()} if self.varargs else {})
        )
        self.index = {name: k for k, name in enumerate(names)}
        self.switches = frozenset(k for k, n in enumerate(names) if notes.get(n) == "bool")
        self.template = [self.defaults.get(name, MISSING) for name in names]
        self.fills = (
            {}
            if self.varargs
            else {
                k: tuple(self.template[k:])
                for k in range(code.co_argcount + 1)
                if all(value is not MISSING for value in self.template[k:])
            }
        )
        self.required = tuple(n for n in names if n not in self.defaults)
        self.lists = tuple(n for n in names if notes.get(n) == "Tensors")
        self.tensor_names = tuple(n for n in names if n not in notes or n in self.lists)
        self.tensors = tuple(
            (i, 1 << k) for k, i in enumerate(names.index(n) for n in self.tensor_names)
        )
        self.plain = tuple(n for n in names if n not in self.tensor_names)
        self.outputs: tuple[str, ...] = flags.pop("outputs", ())
        self.multiple = bool(self.outputs)
        self.saveable = self.tensor_names + (self.outputs or ("out",))
        named = flags.pop("differentiable", self.outputs)
        self.differentiable = tuple(self.outputs.index(n) for n in named) if self.outputs else (0,)
        self.types: dtypes.Rule | None = flags.pop("types", None)
        self.promote: tuple[str, ...] = flags.pop("promote", ())
        self.kernel = flags.pop("kernel", None) or _positional(body, count)
        self.infer = flags.pop("infer", None)
        self.upcast = flags.pop("upcast", False)
        self.holomorphic = flags.pop("holomorphic", True)
        label = flags.pop("node", None)
        self.node_name = label if callable(label) else None
        self.flags = flags | {"family": family}
        self.rules: tuple[Rule, ...] = () if self.lists else read_rules(self, vjp)
        self.followed = tuple(sorted({k for rule in self.rules for k in rule.targets}))
        if self.lists:
            self.flags["vjp"] = vjp
        self.back = read_back(self, bare_values)
        self.passes = passes(self)
        self.saves_number = self.flags.get("numbers") == "exact" and any(
            rule.targets == (0,) and 1 in rule.saves for rule in self.rules
        )
        self.silent = self.back is not None and is_silent(self)
        self.plans: dict[int, Any] = {}
        if self.node_name is None:
            text = (label or _camel(self.name)) + "Backward0"
            self.node_name = lambda node: text
        self.result: type[tuple[Any, ...]] | None = None

    def __repr__(self) -> str:
        return f"<operation {self.name}>"

    def labelled(self, label: str) -> Op:
        """The same operation, whose nodes bear another name: PyTorch's for the in-place form."""
        other = copy(self)
        other.node_name = lambda node: label
        return other

    def parted(self, args: Any) -> tuple[Any, dict[str, Any]]:
        """The full list of arguments as a call gives them: by position, and by name where they are
        not the defaults.
        """
        at = self.positional
        given, end = (args[:at], None) if not self.varargs else ((*args[:at], *args[-1]), -1)
        rest = zip(self.names[at:end], args[at:end], self.template[at:end], strict=True)
        return given, {name: value for name, value, default in rest if value is not default}

    def again(self, args: Any) -> Any:
        """The public function called with the full list of arguments."""
        given, named = self.parted(args)
        return self.entry(*given, **named)

    def plan(self, mask: int) -> tuple[tuple[int, ...], tuple[int, ...], bool, bool]:
        """What to save when the tensors in `mask` need gradients: inputs, outputs, plain
        parameters?, shapes?
        """
        found = self.plans.get(mask)
        if found is None:
            saves: set[int] = set()
            params = shapes = False
            for rule in self.rules:
                if any(mask >> target & 1 for target in rule.targets):
                    saves.update(rule.saves)
                    params = params or any(kind == 1 for kind, _ in rule.getters)
                    shapes = shapes or any(kind == 2 for kind, _ in rule.getters)
            inputs = len(self.tensor_names)
            found = self.plans[mask] = (
                tuple(sorted(i for i in saves if i < inputs)),
                tuple(sorted(i - inputs for i in saves if i >= inputs)),
                params,
                shapes,
            )
        return found


def _positional(body: Callable[..., Any], count: int) -> Callable[..., Any]:
    """The body with all its parameters positional: kernels are called with a flat argument list."""
    code = body.__code__
    if code.co_argcount == count:
        return body
    flat = code.replace(co_argcount=count, co_kwonlyargcount=0, co_flags=code.co_flags & ~4)
    return FunctionType(flat, body.__globals__, body.__name__, None, body.__closure__)


def _camel(name: str) -> str:
    """PyTorch's spelling of a name, in which a letter after a digit is a capital."""
    return "".join(part.title() for part in name.split("_"))


def _register(op: Op, function: Callable[..., Any]) -> Callable[..., Any]:
    """Publish an operation's function under its names."""
    flags = op.flags
    OPERATIONS[op.name] = op
    for name in (op.name, *flags.get("alias", ())):
        _publish(name, function, flags.get("function", True), flags.get("method", True))
    twin = flags.get("inplace", flags["family"] == "elementwise")
    if twin and op.rules is not None and not op.multiple:
        written = entry.inplace(op.labelled(flags["written"]) if "written" in flags else op)
        for name in (op.name, *flags.get("alias", ())):
            if flags.get("function", True) and flags["family"] == "elementwise":
                _publish(name + "_", written, flags.get("inplace_function", False), True)
            else:
                _publish(name + "_", written, False, True)
    dunder = flags.get("dunder")
    if dunder:
        entry.bind_dunder(op, dunder, function, twin and getattr(ops, op.name + "_"))
    return function


def _publish(name: str, function: Callable[..., Any], public: bool, method: bool) -> None:
    if public or method:
        entitle(function, name if public else f"Tensor.{name}")
    if public:
        FUNCTIONS[name] = function
    if (
        public or name not in FUNCTIONS
    ):  # a method of the same name may take its arguments in another order (where)
        setattr(ops, name, function)
    if method:
        setattr(Tensor, name, function)


def republish(name: str, function: Callable[..., Any]) -> None:
    """Put another function in the place of an operation's, wherever that is published."""
    old = getattr(ops, name)
    entitle(function, old.__qualname__)
    if FUNCTIONS.get(name) is old:
        FUNCTIONS[name] = function
    if Tensor.__dict__.get(name) is old:
        setattr(Tensor, name, function)
    setattr(ops, name, function)


def elementwise(
    *, types: dtypes.Rule = dtypes.NUMBER, vjp: Any = None, name: str | None = None, **flags: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An operation on corresponding elements: promotion, broadcasting, `out=`, in-place twin and
    dunder come from here.
    """

    def declare(body: Callable[..., Any]) -> Callable[..., Any]:
        op = Op(body, name, "elementwise", vjp, types=types, **flags)
        return _register(op, entry.elementwise(op))

    return declare


def reduction(
    *, types: dtypes.Rule | None = None, vjp: Any = None, name: str | None = None, **flags: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An operation that folds dimensions of its one tensor away."""

    def declare(body: Callable[..., Any]) -> Callable[..., Any]:
        op = Op(body, name, "reduction", vjp, types=types, **flags)
        return _register(op, entry.general(op))

    return declare


def primitive(
    *, types: dtypes.Rule | None = None, vjp: Any = None, name: str | None = None, **flags: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An operation with its own shape rule."""

    def declare(body: Callable[..., Any]) -> Callable[..., Any]:
        op = Op(body, name, "primitive", vjp, types=types, **flags)
        return _register(op, entry.general(op))

    return declare


def view(
    *, vjp: Any = None, name: str | None = None, **flags: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An operation whose result looks at its input's memory.

    `native` names the function of ``kernels/native/views`` that does the same.
    """

    def declare(body: Callable[..., Any]) -> Callable[..., Any]:
        native = flags.pop("native", None)
        op = Op(body, name, "view", vjp, **flags)
        if native:
            op.kernel = late.native("views", native, op.kernel)
        return _register(op, entry.view(op))

    return declare


def composite(
    *,
    method: bool = False,
    function: bool = True,
    name: str | None = None,
    alias: tuple[str, ...] = (),
    numpy: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A plain function over operations, published like one.

    With `numpy` it also takes NumPy's `axis` and `keepdims`, as declared operations do.
    """

    def declare(body: Callable[..., Any]) -> Callable[..., Any]:
        body = respelled(body) if numpy else body
        for each in (name or body.__name__, *alias):
            _publish(each, body, function, method)
        return body

    return declare
