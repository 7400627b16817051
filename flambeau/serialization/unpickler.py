"""Reading the pickles of checkpoints: by default a machine that can only build data.

``SafeUnpickler`` knows few opcodes, takes globals from a table alone, calls only what the table
names and sets the state only of what it built. ``FullUnpickler`` runs what the file says, with
PyTorch's names meaning flambeau's objects. Stands on ``names`` and ``safe``.
"""

from __future__ import annotations

import io
import pickle
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections import Counter, OrderedDict
from collections.abc import Callable
from struct import error as struct_error
from typing import Any, NoReturn

from flambeau.serialization import names, safe

__all__ = ["FullUnpickler", "SafeUnpickler", "globals_of"]

BLOCKED_MODULES = frozenset({"nt", "os", "posix", "subprocess", "sys"})
OPCODES = frozenset(
    name.encode("latin1")[0]
    for name in (
        "\x80 . ( 0 1 2 N \x88 \x89 J K M \x8a \x8b G X \x8c \x8d T U B C \x8e ) t \x85 \x86 \x87 "
        "] } \x8f \x91 a e s u \x90 h j q r \x94 \x95 \x96 c \x93 R \x81 b Q"
    ).split(" ")
)
"""Data, stack and memo, globals, REDUCE, NEWOBJ, BUILD, persistent ids; no INST, OBJ, EXT."""


def _today(module: str, name: str) -> tuple[str, str]:
    """Protocol 2 writes Python 2's names (``__builtin__.xrange``); the names they have today."""
    if (module, name) in NAME_MAPPING:
        return NAME_MAPPING[module, name]
    return IMPORT_MAPPING.get(module, module), name


def _refuse(reason: str) -> NoReturn:
    raise pickle.UnpicklingError(
        f"load: Weights only load failed. {reason}\nNothing of the file was executed. "
        "weights_only=False runs whatever the file says: use it only for files you trust."
    )


class _Opcodes(dict[int, Any]):
    """The methods of the allowed opcodes; another one is refused by number."""

    def __missing__(self, code: int) -> NoReturn:
        _refuse(f"Unsupported operand {code}: it is not an opcode that checkpoints need.")


class SafeUnpickler(pickle._Unpickler):  # type: ignore[name-defined]  # its opcodes can be limited
    """Reads one pickle and builds tensors, numbers, text and containers of them.

    Raises:
        pickle.UnpicklingError: the pickle asks for something else; the text names it.
    """

    dispatch = _Opcodes(
        {
            code: method
            for code, method in pickle._Unpickler.dispatch.items()  # type: ignore[attr-defined]
            if code in OPCODES
        }
    )

    def __init__(
        self, file: Any, persistent_load: Callable[[Any], Any], encoding: str = "utf-8"
    ) -> None:
        super().__init__(file, encoding=encoding)
        self._persistent = persistent_load
        self._default = names.allowed()
        self._user = safe.user_allowed()
        self._callable = {id(thing) for thing in self._default.values()}
        self._user_ids = {id(thing) for thing in self._user.values()}
        self._callable |= self._user_ids

    def find_class(self, module: str, name: str) -> Any:
        """The thing behind a global; refuses what is in no table."""
        module, name = _today(module, name)
        path = f"{module}.{name}"
        if module in BLOCKED_MODULES:
            _refuse(f"Trying to load unsupported GLOBAL {path} whose module {module} is blocked.")
        if path in names.QUANTISED:
            self._callable.add(id(names.quantised()[path]))
            return names.quantised()[path]
        for table in (self._default, self._user):
            if path in table:
                return table[path]
        if module.partition(".")[0] == "torch" and self._user:
            try:
                found = names.resolve(module, name)
            except AttributeError:
                found = None
            if found is not None and id(found) in self._callable:
                return found
        short = path.removeprefix("builtins.")
        _refuse(
            f"Unsupported global: GLOBAL {short} was not an allowed global by default. If you "
            f"trust it, allow it with `torch.serialization.add_safe_globals([{short}])` or "
            f"`with torch.serialization.safe_globals([{short}]):`."
        )

    def persistent_load(self, pid: Any) -> Any:
        """A storage; nothing else may be referred to."""
        if type(pid) is tuple and pid and _text(pid[0]) == "storage":
            if len(pid) < 5 or type(pid[1]) is not names.StorageType:
                _refuse("A storage is referred to in a form that is not a checkpoint's.")
            return self._persistent(pid)
        if type(pid) is int:
            return self._persistent(pid)
        _refuse(f"Only storages may be referred to, the file refers to {type(pid).__name__}.")

    def _called(self, function: Any) -> Any:
        if id(function) not in self._callable or not callable(function):
            _refuse(f"Trying to call {function!r}, which is not an allowed global.")
        return function

    def _reduce(self) -> None:
        arguments = self.stack.pop()
        function = self._called(self.stack[-1])
        if type(arguments) is not tuple:
            _refuse(f"A call has arguments of type {type(arguments).__name__}, not a tuple.")
        if function is names.allowed()["torch._tensor._rebuild_from_type_v2"]:
            inner, kind = arguments[:2]
            self._called(inner)
            self._called(kind)
        self.stack[-1] = function(*arguments)

    def _newobj(self) -> None:
        arguments = self.stack.pop()
        kind = self._called(self.stack.pop())
        if not isinstance(kind, type):
            _refuse(f"Trying to make an object of {kind!r}, which is not a class.")
        self.append(kind.__new__(kind, *arguments))

    def _build(self) -> None:
        state = self.stack.pop()
        thing = self.stack[-1]
        if type(thing) is OrderedDict:
            if type(state) is not dict:
                _refuse(f"The state of an OrderedDict is a dict, got {type(state).__name__}.")
            vars(thing).update(state)
        elif isinstance(thing, type) or id(type(thing)) not in self._user_ids:
            _refuse(f"Trying to set the state of {type(thing).__name__}, which is not allowed.")
        else:
            self.stack.append(state)
            super().load_build()

    def _expect(self, thing: Any, kinds: tuple[type, ...]) -> None:
        if type(thing) not in kinds:
            _refuse(f"Trying to put items into {type(thing).__name__}.")

    def _append(self) -> None:
        self._expect(self.stack[-2], (list,))
        super().load_append()

    def _appends(self) -> None:
        self._expect(self.metastack[-1][-1], (list,))
        super().load_appends()

    def _setitem(self) -> None:
        self._expect(self.stack[-3], (dict, OrderedDict, Counter))
        super().load_setitem()

    def _setitems(self) -> None:
        self._expect(self.metastack[-1][-1], (dict, OrderedDict, Counter))
        super().load_setitems()

    def _additems(self) -> None:
        self._expect(self.metastack[-1][-1], (set,))
        super().load_additems()

    for _code, _method in {
        b"R": _reduce, b"\x81": _newobj, b"b": _build, b"a": _append, b"e": _appends,
        b"s": _setitem, b"u": _setitems, b"\x90": _additems,
    }.items():  # fmt: skip
        dispatch[_code[0]] = _method
    del _code, _method

    def load(self) -> Any:
        """Read the pickle; a damaged one is an ``UnpicklingError`` that says so."""
        try:
            return super().load()
        except (IndexError, KeyError, UnicodeDecodeError, OverflowError, struct_error) as error:
            raise pickle.UnpicklingError(
                f"load: the pickle of the checkpoint is damaged or is none "
                f"({type(error).__name__}: {error}). Save or copy the file again."
            ) from error


class FullUnpickler(pickle.Unpickler):
    """Reads one pickle and runs what it says; ``torch`` globals mean flambeau's objects."""

    def __init__(
        self, file: Any, persistent_load: Callable[[Any], Any], encoding: str = "utf-8"
    ) -> None:
        super().__init__(file, encoding=encoding)
        self._persistent = persistent_load

    def find_class(self, module: str, name: str) -> Any:
        """PyTorch's names are looked up in flambeau, the others as pickle does."""
        if module.partition(".")[0] in ("torch", "flambeau"):
            try:
                return names.resolve(module, name)
            except AttributeError as error:
                raise AttributeError(
                    f"load: the checkpoint needs {module}.{name}, and {error}. Save its "
                    "state_dict() instead of the object, and load it into a module made here."
                ) from None
        return super().find_class(module, name)

    def persistent_load(self, pid: Any) -> Any:
        return self._persistent(pid)


def full_unpickler(module: Any) -> type:
    """`FullUnpickler` on another pickle module's machine (dill, cloudpickle)."""
    if module is None or module is pickle:
        return FullUnpickler

    def __init__(self: Any, file: Any, persistent_load: Any, encoding: str = "utf-8") -> None:
        module.Unpickler.__init__(self, file, encoding=encoding)
        self._persistent = persistent_load

    def find_class(self: Any, module_name: str, name: str) -> Any:
        if module_name.partition(".")[0] in ("torch", "flambeau"):
            return names.resolve(module_name, name)
        return module.Unpickler.find_class(self, module_name, name)

    members = {
        "__init__": __init__,
        "find_class": find_class,
        "persistent_load": lambda self, pid: self._persistent(pid),
    }
    return type("FullUnpickler", (module.Unpickler,), members)


def globals_of(data: bytes) -> set[str]:
    """The full paths of all globals a pickle names, without building anything."""
    found: set[str] = set()

    class Collector(SafeUnpickler):
        def find_class(self, module: str, name: str) -> Any:
            found.add(".".join(_today(module, name)))
            return _Ignored

        def _none(self) -> None:
            self.stack[-2:] = [None]

        def _state(self) -> None:
            self.stack.pop()

        dispatch = _Opcodes(SafeUnpickler.dispatch)
        dispatch[b"R"[0]] = dispatch[b"\x81"[0]] = _none
        dispatch[b"b"[0]] = _state
        dispatch[b"Q"[0]] = lambda self: self.stack.__setitem__(-1, None)
        dispatch[b"a"[0]] = lambda self: self.stack.pop()
        dispatch[b"s"[0]] = lambda self: self.stack.__delitem__(slice(-2, None))
        for code in (b"e", b"u", b"\x90"):
            dispatch[code[0]] = lambda self: self.pop_mark()

    Collector(io.BytesIO(data), lambda pid: None).load()
    return found


class _Ignored:
    """What `globals_of` puts in the place of a global."""


def _text(word: Any) -> Any:
    return word.decode("ascii", "replace") if isinstance(word, bytes) else word
