"""`__torch_function__`: operations on Tensor subclasses, on foreign classes that speak the
protocol, and under modes.

What `Tensor.__torch_function__` does by default stands here too. Stands on state and tensor;
reached from `slow`.
"""

from __future__ import annotations

import functools
import inspect
import sys
import warnings
from collections.abc import Callable, Iterable
from importlib import import_module
from types import MethodType
from typing import TYPE_CHECKING, Any

from flambeau.core import state
from flambeau.core.binding import SPELLINGS
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import PLAIN, Tensor
from flambeau.core.titles import entitle, written_in

if TYPE_CHECKING:
    from flambeau.core.declare import Op

__all__ = [
    "ALL_OFF",
    "Declined",
    "SUBCLASSES_OFF",
    "Stand",
    "WHOLE",
    "ask",
    "concern",
    "cover",
    "default",
    "disabled",
    "dispatch",
    "each_of",
    "inside",
    "listening",
    "overloads",
    "through",
    "without_subclasses",
]

ALL_OFF: Any = object()
"""Among `Mode.functions` while `__torch_function__` is off."""
SUBCLASSES_OFF: Any = object()
"""Among `Mode.functions` while only modes are asked."""
MARKS = (ALL_OFF, SUBCLASSES_OFF)

NOT_WRAPPED: set[Any] = set()
"""Functions whose results keep their class: what they return is no new tensor."""


class Declined(TypeError):
    """All who were asked answered NotImplemented: an operator then asks as Python does."""


Declined.__name__ = Declined.__qualname__ = "TypeError"  # what PyTorch raises, to who prints it
Declined.__module__ = "builtins"


def disabled(func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """As a class's `__torch_function__`: it is not asked, its instances are plain tensors."""
    with without_subclasses():
        return func(*args, **(kwargs or {}))


def concern(args: Iterable[Any], m: Any) -> bool:
    """Whether an argument or a mode wants to be asked first."""
    functions = m.functions if m is not None else ()
    if functions:
        if ALL_OFF in functions:
            return False
        if any(each not in MARKS for each in functions):
            return True
        return False
    for x in args:
        kind = type(x)
        if kind not in PLAIN and getattr(kind, "__torch_function__", disabled) is not disabled:
            return True
    return False


def each_of(values: Iterable[Any]) -> list[Any]:
    """The values, and those in lists and tuples among them."""
    return [t for a in values for t in (a if isinstance(a, (list, tuple)) else (a,))]


def overloads(args: Iterable[Any]) -> list[Any]:
    """The arguments whose types are asked, subclasses before their bases."""
    found: list[Any] = []
    kinds: list[type] = []
    for x in args:
        kind = type(x)
        if kind in PLAIN or kind in kinds:
            continue
        if getattr(kind, "__torch_function__", disabled) is not disabled:
            at = next((k for k, old in enumerate(kinds) if issubclass(kind, old)), len(kinds))
            kinds.insert(at, kind)
            found.insert(at, x)
    return found


def listening(values: Iterable[Any]) -> list[Any]:
    """`overloads`; none of them while subclasses are plain tensors."""
    functions = state.current().functions
    return [] if any(mark in functions for mark in MARKS) else overloads(values)


def dispatch(function: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    """Ask modes, then the arguments' types, what the call gives.

    Raises:
        Declined: all answered NotImplemented.
    """
    args = tuple(args)
    flat = each_of((*args, *kwargs.values()))
    functions = state.current().functions
    asked = listening(flat)
    kinds = tuple(type(x) for x in asked)
    refused = ""
    if asked:
        cover()  # a class that is no Tensor's was not seen when it was defined
    if ALL_OFF not in functions:
        for k in range(len(functions) - 1, -1, -1):
            handler = functions[k]
            if handler in MARKS:
                continue
            token = state.switch(
                functions=functions[:k] + tuple(f for f in functions[k + 1 :] if f in MARKS)
            )
            try:
                result = handler.__torch_function__(function, kinds, args, kwargs)
            finally:
                state.restore(token)
            if result is not NotImplemented:
                return result
            refused = f" nor in mode {handler}"
            break
    for x in asked:
        result = _handler(x, function)(function, kinds, args, kwargs)
        if result is not NotImplemented:
            return result
    if not asked and not refused:
        return function(*args, **kwargs)
    raise Declined(
        f"no implementation found for '{getattr(function, '__name__', function)}' on types that "
        f"implement "
        f"__torch_function__: {[kind.__name__ for kind in kinds]}{refused}"
    )


def _handler(x: Any, function: Any) -> Callable[..., Any]:
    kind = type(x)
    if inspect.isfunction(kind.__torch_function__) and not isinstance(
        inspect.getattr_static(kind, "__torch_function__"), staticmethod
    ):
        warnings.warn(
            f"{kind.__name__} has its `__torch_function__` as a plain method, which is "
            "deprecated: make it a classmethod.",
            UserWarning if hasattr(function, "operation") else DeprecationWarning,
            stacklevel=stack_level(),
        )
    return x.__torch_function__  # type: ignore[no-any-return]


class without_subclasses:
    """The block in which subclasses of Tensor are plain tensors."""

    def __enter__(self) -> None:
        self._token = state.switch(functions=(*state.current().functions, SUBCLASSES_OFF))

    def __exit__(self, *exc: object) -> None:
        state.restore(self._token)


def default(
    cls: type, func: Callable[..., Any], types: Iterable[type], args: Any = (), kwargs: Any = None
) -> Any:
    """`Tensor.__torch_function__`: the function on plain tensors, results given the subclass."""
    if not all(issubclass(cls, kind) for kind in types):
        return NotImplemented
    with without_subclasses():
        result = func(*args, **(kwargs or {}))
        return result if cls is Tensor or func in NOT_WRAPPED else _converted(result, cls)


def _converted(result: Any, cls: type) -> Any:
    if isinstance(result, Tensor):
        return result if isinstance(result, cls) else result.as_subclass(cls)
    if isinstance(result, (tuple, list)):
        members = [_converted(each, cls) for each in result]
        return (
            type(result)(*members)
            if hasattr(result, "_fields") and not hasattr(result, "n_fields")
            else type(result)(members)
        )
    return result


Tensor.__torch_function__ = classmethod(default)  # type: ignore[method-assign, assignment]


PUBLIC = {
    "_cat": "cat",
    "_clamp": "clamp",
    "_div": "div",
    "_log_softmax": "log_softmax",
    "_pow": "pow",
    "_softmax": "softmax",
    "_stack": "stack",
    "_where": "where",
}
"""Inner operations whose public function takes the same arguments in the same order."""


def ask(op: Op, args: Any, out: Any = None) -> Any:
    """`dispatch` of an operation's call, with the arguments as the user gave them: what was given
    by name goes by name, trailing defaults are left out. The library's own handlers get all of
    them in order. Called by what the entry calls.
    """
    from flambeau.core.declare import FUNCTIONS

    if not state.current().functions:
        if any(_own(type(x)) and type(x) not in PLAIN for x in each_of(args)):
            given, named = op.parted(args)
            return dispatch(op.entry, given, named if out is None else named | {"out": out})
    frame = sys._getframe(2)
    named = dict(frame.f_locals.get("kwargs") or {}) if frame.f_code.co_name == "entry" else {}
    if op.flags.get("varargs") or op.varargs is not None:
        named.clear()
    places = [op.index.get(n, op.index.get(SPELLINGS.get(n, ""), len(args))) for n in named]
    values = list(args[: min(places, default=len(args))])
    while values and _is_default(op, len(values) - 1, values[-1]):
        values.pop()
    if out is not None:
        named["out"] = out
    function = FUNCTIONS[PUBLIC[op.name]] if op.name in PUBLIC else op.entry
    return dispatch(function, values, named)


def _is_default(op: Op, place: int, value: Any) -> bool:
    name = op.names[place]
    if name not in op.defaults or isinstance(value, Tensor):
        return False
    default = op.defaults[name]
    return value is default or (type(value) is type(default) and bool(value == default))


_covered = False


METHODS = "flambeau.core.methods"
ASKING = (METHODS, "flambeau.core.factory", "flambeau.core.ops")
UNASKED = frozenset(
    (
        "_make_subclass", "_make_wrapper_subclass", "as_subclass", "backward", "detach",
    )
)  # fmt: skip
"""Methods that never ask as a whole, or do so by themselves."""


def cover() -> None:
    """Make the functions that are written over others (reshape, linear, ...) ask too.

    They call operations, which ask by themselves; that they ask as a whole matters only to programs
    that define a mode or a subclass with a handler of its own, so they pay for it, and nobody else:
    this runs when the first one appears.
    """
    global _covered
    if _covered:
        return
    _covered = True
    from flambeau.core.declare import FUNCTIONS
    from flambeau.core.late import load_all

    load_all()
    torch: Any = import_module("flambeau")
    covered = _Covered()
    for name, function in FUNCTIONS.items():
        if _is_written(function):
            FUNCTIONS[name] = covered.asking(function)
            known = vars(torch).get(name)
            if known is function or getattr(known, "__wrapped__", None) is function:
                setattr(torch, name, covered.asking(known))  # the latter: a dispatcher's, before
    for name, value in list(vars(Tensor).items()):
        if (
            _is_written(value)
            and name not in UNASKED
            and (value in covered or written_in(value).startswith(ASKING))
            and not name.startswith("__")
        ):
            setattr(Tensor, name, covered.asking(value))
    for room in ("nn.functional", "linalg", "fft", "special"):
        _cover_room(import_module(f"flambeau.{room}"), covered)


def _is_written(value: Any) -> bool:
    """Whether a function is written over operations: it is none itself."""
    return (inspect.isfunction(value) or isinstance(value, Stand)) and not hasattr(
        value, "operation"
    )


class _Covered:
    """What stands in the place of each function: of the very object, for a stand equals it."""

    def __init__(self) -> None:
        self._stands: dict[int, tuple[Any, Any]] = {}

    def __contains__(self, function: Any) -> bool:
        return id(function) in self._stands

    def asking(self, function: Any, whole: bool = False) -> Any:
        """The function that asks; one for each."""
        if function not in self:
            self._stands[id(function)] = function, _asking(function, whole)
        return self._stands[id(function)][1]


def _cover_room(room: Any, covered: _Covered) -> None:
    for name in [n for n in vars(room) if not n.startswith("_")]:
        value = getattr(room, name, None)
        if _is_written(value) and value.__module__.startswith("flambeau"):
            whole = room.__name__.endswith("nn.functional") and name not in AS_CALLED
            asking = covered.asking(value, whole)
            setattr(room, name, asking)
            known = sys.modules.get(asking.__module__)
            if getattr(known, asking.__qualname__, None) is not asking:
                entitle(asking, name, room.__name__)


AS_CALLED = frozenset(
    (
        "adaptive_avg_pool1d avg_pool1d avg_pool2d avg_pool3d bilinear channel_shuffle conv1d "
        "conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d "
        "cosine_similarity gelu hardshrink linear logsigmoid native_channel_shuffle one_hot "
        "pairwise_distance pdist pixel_shuffle pixel_unshuffle prelu scaled_dot_product_attention "
        "softplus softshrink"
    ).split()
)
"""Functions of ``nn.functional`` of which handlers see the arguments as they were given; of the
others they see all, those with a default by name."""


def _in_full(
    function: Callable[..., Any], args: Any, kwargs: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    signature = inspect.signature(function)
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError:
        return args, kwargs  # the function words the error
    bound.apply_defaults()
    positional, named = [], {}
    for name, parameter in signature.parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            return args, kwargs
        if parameter.default is parameter.empty:
            positional.append(bound.arguments[name])
        else:
            named[name] = bound.arguments[name]
    return tuple(positional), named


def inside(function: Callable[..., Any]) -> Callable[..., Any] | None:
    """Of a function that asks as a whole: the one whose operations ask one by one."""
    if hasattr(function, "operation"):
        return None
    return getattr(function, "__wrapped__", None)


WHOLE: dict[Any, Callable[..., Any]] = {}
"""By function that asks as a whole since `cover`: the one that does not."""


def through(handler: Any, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Run a function of `WHOLE` so that the handler hears its operations. One of them may ask under
    the function's own name: the handler finds that name in its list `within`, and calls it.
    """
    handler.within.append(function)
    token = state.switch(functions=(*state.current().functions, handler))
    try:
        return WHOLE[function](*args, **(kwargs or {}))
    finally:
        state.restore(token)
        handler.within.pop()


def _own(kind: Any) -> bool:
    """Whether a class's handler is one of the library's: those know operations, not methods."""
    handler = getattr(kind, "__torch_function__", None)
    return str(getattr(handler, "__module__", "")).startswith("flambeau") and (
        getattr(handler, "__func__", handler) is not default
    )


class Stand:
    """What stands in a function's place, and equals it: a program's table by function finds either,
    for ``torch.div`` may have been looked up before there was anybody to ask.
    """

    __wrapped__: Callable[..., Any]

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)  # type: ignore[arg-type]
        self._first = getattr(function, "_first", function)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)  # type: ignore[arg-type]

    def __eq__(self, other: object) -> bool:
        return getattr(other, "_first", other) is self._first

    def __hash__(self) -> int:
        return hash(self._first)

    def __repr__(self) -> str:
        return repr(self._first)

    def __reduce__(self) -> str:
        return self._first.__qualname__


class Asking(Stand):
    """A function that asks as a whole."""

    def __init__(self, function: Callable[..., Any], whole: bool) -> None:
        super().__init__(function)
        self._method = written_in(function).startswith(METHODS)
        self._whole = whole

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        m = state.mode()
        function = self.__wrapped__
        if (m is None or not m.functions) and all(type(a) in PLAIN for a in args) and not kwargs:
            return function(*args)
        if concern(each_of((*args, *kwargs.values())), m):
            if self._method and (m is None or not m.functions) and _own(type(args[0])):
                return function(*args, **kwargs)
            if self._whole:
                args, kwargs = _in_full(function, args, kwargs)
            return dispatch(self, args, kwargs)
        return function(*args, **kwargs)


Asking.__name__ = "builtin_function_or_method"  # what errors call PyTorch's functions


def _asking(function: Callable[..., Any], whole: bool = False) -> Callable[..., Any]:
    asking = Asking(function, whole)
    WHOLE[asking] = function
    return asking
