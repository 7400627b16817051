"""A builder of LLVM's text IR: values with operators, functions with loops and branches, modules.

It knows neither llvmlite nor the machine: text goes out, `build` makes code of it. Mutable values
are allocas, which LLVM's first pass turns into registers. Arithmetic on floats is strict: what may
be fused is written as `fma`. Stands on nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

__all__ = ["Function", "Module", "Value", "Variable", "element", "lanes", "vector"]

SUFFIX = {"half": "f16", "float": "f32", "double": "f64"}
SIZES = {
    "i1": 1, "i8": 1, "i16": 2, "i32": 4, "i64": 8, "i128": 16, "half": 2, "bf16": 2, "float": 4,
    "double": 8,
}  # fmt: skip


def vector(type: str, count: int) -> str:
    """The type of `count` numbers; of one, the number's own."""
    return type if count == 1 else f"<{count} x {type}>"


def element(type: str) -> str:
    """The type of one lane."""
    return type[1:-1].split(" x ")[1] if type[0] == "<" else type


def lanes(type: str) -> int:
    """How many numbers a type holds."""
    return int(type[1:].split(" x ")[0]) if type[0] == "<" else 1


def literal(type: str, x: Any) -> str:
    """A constant, splat over a vector's lanes."""
    one = element(type)
    if one in ("float", "double"):
        if one == "float":
            x = struct.unpack("f", struct.pack("f", x))[0]
        text = f"0x{struct.unpack('<Q', struct.pack('<d', x))[0]:016X}"
    elif one == "ptr":
        text = "null" if not x else f"inttoptr (i64 {int(x)} to ptr)"
    elif one == "i1":
        text = "true" if x else "false"
    else:
        text = str(int(x))
    return f"splat ({one} {text})" if type[0] == "<" else text


class Value:
    """Something computed: its type, its name in the text, the function it belongs to."""

    __slots__ = ("function", "name", "type")

    def __init__(self, type: str, name: str, function: Function) -> None:
        self.type, self.name, self.function = type, name, function

    @property
    def floating(self) -> bool:
        """Whether its lanes are floating-point numbers."""
        return element(self.type) in ("half", "float", "double")

    def _binary(self, other: Any, on_ints: str, on_floats: str) -> Value:
        f = self.function
        other = f.value(self.type, other)
        assert other.type == self.type, f"{on_ints}: {self.type} with {other.type}"
        name = on_floats if self.floating else on_ints
        return f.emit(self.type, f"{name} {self.type} {self.name}, {other.name}")

    def __add__(self, other: Any) -> Value:
        return self._binary(other, "add", "fadd")

    def __sub__(self, other: Any) -> Value:
        return self._binary(other, "sub", "fsub")

    def __mul__(self, other: Any) -> Value:
        return self._binary(other, "mul", "fmul")

    def __truediv__(self, other: Any) -> Value:
        return self._binary(other, "sdiv", "fdiv")

    def __floordiv__(self, other: Any) -> Value:
        """Integers rounded towards zero."""
        return self._binary(other, "sdiv", "fdiv")

    def __mod__(self, other: Any) -> Value:
        return self._binary(other, "srem", "frem")

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other: Any) -> Value:
        return self.function.value(self.type, other) - self

    def __rtruediv__(self, other: Any) -> Value:
        return self.function.value(self.type, other) / self

    def __and__(self, other: Any) -> Value:
        return self._binary(other, "and", "and")

    def __or__(self, other: Any) -> Value:
        return self._binary(other, "or", "or")

    def __xor__(self, other: Any) -> Value:
        return self._binary(other, "xor", "xor")

    def __lshift__(self, other: Any) -> Value:
        return self._binary(other, "shl", "shl")

    def __rshift__(self, other: Any) -> Value:
        """Arithmetic: the sign is kept."""
        return self._binary(other, "ashr", "ashr")

    def __neg__(self) -> Value:
        if self.floating:
            return self.function.emit(self.type, f"fneg {self.type} {self.name}")
        return self.function.value(self.type, 0) - self

    def __invert__(self) -> Value:
        return self ^ self.function.value(self.type, -1)

    def compare(self, how: str, other: Any) -> Value:
        """`how` in eq ne lt le gt ge; signed for integers; false for NaN, but `ne` true."""
        f = self.function
        other = f.value(self.type, other)
        assert other.type == self.type, f"{how}: {self.type} with {other.type}"
        if self.floating:
            name = "fcmp " + ("une" if how == "ne" else "o" + how)
        else:
            name = "icmp " + (how if how in ("eq", "ne") or self.type == "ptr" else "s" + how)
        found = vector("i1", lanes(self.type))
        return f.emit(found, f"{name} {self.type} {self.name}, {other.name}")

    def eq(self, other: Any) -> Value:
        """``self == other``."""
        return self.compare("eq", other)

    def ne(self, other: Any) -> Value:
        """``self != other``, true for NaN."""
        return self.compare("ne", other)

    def lt(self, other: Any) -> Value:
        """``self < other``."""
        return self.compare("lt", other)

    def le(self, other: Any) -> Value:
        """``self <= other``."""
        return self.compare("le", other)

    def gt(self, other: Any) -> Value:
        """``self > other``."""
        return self.compare("gt", other)

    def ge(self, other: Any) -> Value:
        """``self >= other``."""
        return self.compare("ge", other)

    def isnan(self) -> Value:
        """True for NaN."""
        return self.ne(self)

    def to(self, type: str) -> Value:
        """The number converted: floats round to nearest, integers are signed, i1 is 0 or 1."""
        if type == self.type:
            return self
        old, new = element(self.type), element(type)
        if old in SUFFIX and new in SUFFIX:
            name = "fpext" if SIZES[new] > SIZES[old] else "fptrunc"
        elif old in SUFFIX:
            name = "fptosi"
        elif new in SUFFIX:
            name = "uitofp" if old == "i1" else "sitofp"
        elif "ptr" in (old, new):
            name = "ptrtoint" if old == "ptr" else "inttoptr"
        elif old == "i1":
            name = "zext"
        else:
            name = "sext" if SIZES[new] > SIZES[old] else "trunc"
        return self.function.emit(type, f"{name} {self.type} {self.name} to {type}")

    def bits(self, type: str) -> Value:
        """The same bits read as another type."""
        if type == self.type:
            return self
        return self.function.emit(type, f"bitcast {self.type} {self.name} to {type}")


class Variable:
    """A mutable value of a function."""

    def __init__(self, type: str, name: str, function: Function) -> None:
        self.type, self.name, self.function = type, name, function

    def get(self) -> Value:
        """What it holds now."""
        return self.function.emit(self.type, f"load {self.type}, ptr {self.name}")

    def set(self, value: Any) -> None:
        """Let it hold `value`."""
        value = self.function.value(self.type, value)
        self.function.line(f"store {value.type} {value.name}, ptr {self.name}")

    @property
    def address(self) -> Value:
        """Where it lies, to hand to a call."""
        return Value("ptr", self.name, self.function)


class Function:
    """A function under construction; `argument` gives its arguments by name.

    Args:
        name: its symbol.
        arguments: pairs of type and name.
        returns: its type.
        internal: called from its own module alone.
        attributes: LLVM's function attributes beside the target's.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[tuple[str, str]],
        returns: str = "void",
        *,
        internal: bool = False,
        attributes: str = "",
    ) -> None:
        self.name, self.arguments, self.returns = name, tuple(arguments), returns
        self.internal, self.attributes = internal, attributes
        self.argument = {n: Value(t, f"%{n}", self) for t, n in self.arguments}
        self.declared: set[str] = set()
        self._allocas: list[str] = []
        self._lines: list[str] = []
        self._count = 0
        self._open = True
        self._apart = ""
        self.metadata: list[str] = []
        self.element = ""
        """What the numbers lie in memory as that an elementwise loop computes on."""
        self.base = 0
        """The module's first metadata number for this function."""

    def fresh(self) -> int:
        """A number not used yet in this function."""
        self._count += 1
        return self._count

    def line(self, text: str) -> None:
        """One instruction. What follows a jump within its block is never reached: left out."""
        if self._open:
            self._lines.append("  " + text)

    def emit(self, type: str, text: str) -> Value:
        """One instruction with a result."""
        found = Value(type, f"%t{self.fresh()}", self)
        self.line(f"{found.name} = {text}")
        return found

    def label(self, name: str) -> None:
        """A block begins."""
        if self._open:
            self._lines.append(f"  br label %{name}")
        self._lines.append(f"{name}:")
        self._open = True

    def jump(self, name: str) -> None:
        """The block ends."""
        self.line(f"br label %{name}")
        self._open = False

    def branch(self, condition: Value, yes: str, no: str) -> None:
        """The block ends, one way or the other."""
        self.line(f"br i1 {condition.name}, label %{yes}, label %{no}")
        self._open = False

    def ret(self, value: Any = None) -> None:
        """The function ends."""
        if value is None:
            self.line("ret void")
        else:
            value = self.value(self.returns, value)
            self.line(f"ret {value.type} {value.name}")
        self._open = False

    def value(self, type: str, x: Any) -> Value:
        """`x` itself, or a constant of the type."""
        return x if isinstance(x, Value) else Value(type, literal(type, x), self)

    def index(self, x: Any) -> Value:
        """An i64."""
        return self.value("i64", x)

    def variable(self, type: str, start: Any = None) -> Variable:
        """A mutable value."""
        found = Variable(type, f"%v{self.fresh()}", self)
        self._allocas.append(f"  {found.name} = alloca {type}")
        if start is not None:
            found.set(start)
        return found

    def memory(self, type: str, count: int) -> Value:
        """Room for `count` numbers on the stack."""
        name = f"%m{self.fresh()}"
        self._allocas.append(f"  {name} = alloca [{count} x {type}], align 16")
        return Value("ptr", name, self)

    def at(self, pointer: Value, index: Any, type: str) -> Value:
        """The address `index` numbers of `type` further."""
        index = self.index(index)
        type = "i16" if type == "bf16" else type  # no type of LLVM's by that name
        return self.emit("ptr", f"getelementptr {type}, ptr {pointer.name}, i64 {index.name}")

    def load(self, type: str, pointer: Value, index: Any = 0, align: int = 0) -> Value:
        """The number (or vector) at `index`, counted in single elements."""
        place = pointer if type_is_zero(index) else self.at(pointer, index, element(type))
        align = align or SIZES.get(element(type), 8)
        return self.emit(type, f"load {type}, ptr {place.name}, align {align}{self._apart}")

    def store(
        self, value: Value, pointer: Value, index: Any = 0, align: int = 0, past: bool = False
    ) -> None:
        """Write a number (or vector) at `index`, counted in single elements; `past` the caches,
        which asks for a whole aligned register and a `fence` at the end.
        """
        place = pointer if type_is_zero(index) else self.at(pointer, index, element(value.type))
        align = align or SIZES.get(element(value.type), 8)
        how = f"{self._apart}, !nontemporal {self._one()}" if past else self._apart
        self.line(f"store {value.type} {value.name}, ptr {place.name}, align {align}{how}")

    def _one(self) -> str:
        """The function's metadata of the number 1, which marks stores past the caches."""
        mark = next((line for line in self.metadata if line.endswith("!{i32 1}")), "")
        if not mark:
            mark = f"!{self.base + len(self.metadata)} = !{{i32 1}}"
            self.metadata.append(mark)
        return mark.split()[0]

    def fence(self) -> None:
        """Everything that was written can be seen by other threads from here on."""
        self.line("fence seq_cst")

    def splat(self, x: Value, count: int) -> Value:
        """The number in every lane."""
        if count == 1:
            return x
        type = vector(x.type, count)
        one = self.emit(type, f"insertelement {type} poison, {x.type} {x.name}, i64 0")
        return self.emit(
            type,
            f"shufflevector {type} {one.name}, {type} poison, <{count} x i32> zeroinitializer",
        )

    def select(self, condition: Value, yes: Any, no: Any) -> Value:
        """`yes` where the condition holds; one of the two may be a plain number."""
        if not isinstance(yes, Value):
            yes = self.value(no.type, yes)
        no = self.value(yes.type, no)
        return self.emit(
            yes.type,
            f"select {condition.type} {condition.name}, {yes.type} {yes.name}, {no.type} {no.name}",
        )

    def call(self, callee: Any, returns: str, *arguments: Value) -> Value:
        """Call a function of the module, an address, or a `@name` declared outside."""
        given = ", ".join(f"{a.type} {a.name}" for a in arguments)
        name = f"@{callee.name}" if isinstance(callee, Function) else callee
        if isinstance(callee, Value):
            name = callee.name
        if returns == "void":
            self.line(f"call void {name}({given})")
            return Value("void", "", self)
        return self.emit(returns, f"call {returns} {name}({given})")

    def intrinsic(self, name: str, *arguments: Value, returns: str = "") -> Value:
        """An intrinsic of LLVM overloaded by its first argument's type: `sqrt`, `fma`, `fabs`."""
        first = arguments[0].type
        count = lanes(first)
        suffix = SUFFIX.get(element(first), element(first))
        full = f"@llvm.{name}.{f'v{count}' if count > 1 else ''}{suffix}"
        returns = returns or first
        self.declared.add(f"declare {returns} {full}({', '.join(a.type for a in arguments)})")
        return self.call(full, returns, *arguments)

    def ldexp(self, x: Value, n: Value) -> Value:
        """``x * 2**n`` for an integer n, rounded once."""
        types = [f"{f'v{lanes(v.type)}' if lanes(v.type) > 1 else ''}" for v in (x, n)]
        first, second = types[0] + SUFFIX[element(x.type)], types[1] + element(n.type)
        name = f"@llvm.ldexp.{first}.{second}"
        self.declared.add(f"declare {x.type} {name}({x.type}, {n.type})")
        return self.call(name, x.type, x, n)

    def fma(self, a: Value, b: Any, c: Any) -> Value:
        """``a * b + c``, rounded once where the machine can."""
        return self.intrinsic("fmuladd", a, self.value(a.type, b), self.value(a.type, c))

    def polynomial(self, x: Value, coefficients: Sequence[float]) -> Value:
        """By Horner's rule; the constant comes first."""
        found = self.value(x.type, coefficients[-1])
        for c in coefficients[-2::-1]:
            found = self.fma(found, x, c)
        return found

    @contextmanager
    def loop(
        self, start: Any, stop: Any, step: Any = 1, *, independent: bool = False
    ) -> Iterator[Value]:
        """``for i in range(start, stop, step)`` with a positive step.

        An independent loop's turns read nothing that another turn writes: vectors need no proof
        that arrays lie apart, which arrays written where they are read would fail.
        """
        k = self.fresh()
        mark = ""
        if independent:
            group = self.base + len(self.metadata)
            self._apart = f", !llvm.access.group !{group}"
            mark = f", !llvm.loop !{group + 1}"
            self.metadata += [
                f"!{group} = distinct !{{}}",
                f"!{group + 1} = distinct !{{!{group + 1}, !{group + 2}}}",
                f'!{group + 2} = !{{!"llvm.loop.parallel_accesses", !{group}}}',
            ]
        index = self.variable("i64", self.index(start))
        stop, step = self.index(stop), self.index(step)
        self.label(f"head{k}")
        i = index.get()
        self.branch(i.lt(stop), f"body{k}", f"done{k}")
        self.label(f"body{k}")
        yield i
        index.set(i + step)
        self._apart = "" if independent else self._apart
        self.line(f"br label %head{k}{mark}")
        self._open = False
        self.label(f"done{k}")

    @contextmanager
    def when(self, condition: Value) -> Iterator[None]:
        """``if condition:``."""
        k = self.fresh()
        self.branch(condition, f"then{k}", f"after{k}")
        self.label(f"then{k}")
        yield
        self.label(f"after{k}")

    def text(self, attributes: str) -> str:
        """The function as LLVM reads it."""
        if self._open and self.returns == "void":
            self.ret()
        head = ", ".join(f"{t} %{n}" for t, n in self.arguments)
        where = "internal " if self.internal else "dso_local "
        body = "\n".join(["entry:", *self._allocas, *self._lines])
        more = f"{self.attributes} {attributes}".strip()
        return f"define {where}{self.returns} @{self.name}({head}) {more} {{\n{body}\n}}\n"


def type_is_zero(index: Any) -> bool:
    """Whether an index is the plain number 0."""
    return type(index) is int and index == 0


class Module:
    """Functions that are compiled, cached and loaded together.

    Args:
        name: tells the object in the cache from others, to people.
        vectorize: let LLVM turn scalar loops into vector code; explicit vectors compile faster.
        calls: code that calls more than it computes: LLVM's passes would take as long again as
            all else, and give it a hundredth.
    """

    def __init__(self, name: str, *, vectorize: bool = False, calls: bool = False) -> None:
        self.name, self.vectorize, self.calls = name, vectorize, calls
        self.functions: list[Function] = []

    def function(
        self, name: str, arguments: Sequence[tuple[str, str]], returns: str = "void", **how: Any
    ) -> Function:
        """Begin a function."""
        found = Function(name, arguments, returns, **how)
        found.base = 100 * len(self.functions)
        self.functions.append(found)
        return found

    def named(self, name: str) -> Function:
        """A function that was begun before."""
        return next(f for f in self.functions if f.name == name)

    @property
    def symbols(self) -> list[str]:
        """What can be looked up once it is loaded."""
        return [f.name for f in self.functions if not f.internal]

    def text(self, attributes: str) -> str:
        """The module as LLVM reads it."""
        declared: set[str] = set().union(*[f.declared for f in self.functions])
        parts = sorted(declared) + [f.text(attributes) for f in self.functions]
        parts += [line for f in self.functions for line in f.metadata]
        return "\n".join(parts)
