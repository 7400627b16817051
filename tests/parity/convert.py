"""Inputs of torch become inputs of an engine, and results of an engine become NumPy arrays.

Tensors keep strides, storage offset, dtype, layout, conjugation and `requires_grad`; every one
becomes a fresh leaf, so that a sample can be used any number of times. One tensor that stands
twice in a sample stays one tensor, and tensors that share memory go on sharing it.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
from typing import Any

import numpy as np
import torch
from torch.nn.attention.flex_attention import BlockMask

from .engine import Engine
from .resolve import Translator, path_of

# Dtypes that NumPy lacks travel as integers of the same width.
CARRIER = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
NUMPY = {
    torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.uint16,
    torch.uint32, torch.uint64, torch.float16, torch.float32, torch.float64, torch.complex64,
    torch.complex128,
}  # fmt: skip
NAMES = {str(dtype).partition(".")[2]: dtype for dtype in NUMPY}
COMPRESSED = {
    torch.sparse_csr: ("crow_indices", "col_indices", "sparse_csr_tensor"),
    torch.sparse_csc: ("ccol_indices", "row_indices", "sparse_csc_tensor"),
    torch.sparse_bsr: ("crow_indices", "col_indices", "sparse_bsr_tensor"),
    torch.sparse_bsc: ("ccol_indices", "row_indices", "sparse_bsc_tensor"),
}


class Converter:
    """Converts any value of a sample to one engine; use one converter for each sample."""

    def __init__(self, engine: Engine, translator: Translator | None = None) -> None:
        self.engine = engine
        self.memo: dict[int, Any] = {}
        self.storages: dict[tuple[int, torch.dtype], Any] = {}
        self.alive: list[Any] = []
        self.leaves: list[Any] = []  # differentiable inputs in the order of the sample
        self.translator = translator or Translator(engine, lambda value: Converter(engine)(value))

    def __call__(self, value: Any) -> Any:
        if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
            return value
        if isinstance(value, torch.Tensor):
            return self.tensor(value)
        if isinstance(value, torch.Size):
            return self.engine.get("Size")(list(value))
        if isinstance(value, (list, tuple, set)):
            items = [self(item) for item in value]
            if isinstance(value, tuple) and hasattr(value, "_fields"):
                return self._class(type(value))(*items)
            return type(value)(items)
        if isinstance(value, dict):
            return type(value)((self(key), self(item)) for key, item in value.items())
        if isinstance(value, slice):
            return slice(self(value.start), self(value.stop), self(value.step))
        if isinstance(value, (torch.dtype, torch.layout, torch.memory_format)):
            return self.engine.get(str(value).partition(".")[2])
        if isinstance(value, torch.device):
            return self.engine.get("device")(str(value))
        if isinstance(value, torch.Generator):
            return self._generator(value)
        if isinstance(value, torch.nn.Module):
            return self._module(value)
        if isinstance(value, type):
            return self._class(value)
        if isinstance(value, BlockMask):
            names = list(inspect.signature(BlockMask.from_kv_blocks).parameters)[:6]
            given = {name: self(getattr(value, name)) for name in names}
            return self._class(BlockMask).from_kv_blocks(**given)
        if dataclasses.is_dataclass(value):
            fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.init}
            return self._class(type(value))(**{key: self(item) for key, item in fields.items()})
        if callable(value) and not isinstance(value, types.ModuleType):
            return self.translator(value)
        return value

    def tensor(self, source: torch.Tensor) -> Any:
        """The engine's tensor with the source's values, strides and flags, as a new leaf."""
        if id(source) in self.memo:
            return self.memo[id(source)]
        made = self._strided(source) if source.layout == torch.strided else self._sparse(source)
        if isinstance(source, torch.nn.Parameter):
            made = self.engine.get("nn.Parameter")(made, requires_grad=source.requires_grad)
        elif source.requires_grad:
            made.requires_grad_(True)
        if source.requires_grad:
            self.leaves.append(made)
        self.memo[id(source)] = made
        self.alive.append(source)
        return made

    def _strided(self, source: torch.Tensor) -> Any:
        if source.device.type == "meta" or source.numel() == 0:
            return self.engine.get("empty_strided")(
                tuple(source.shape),
                source.stride(),
                dtype=self(source.dtype),
                device=self(source.device),
            )
        base = source.detach()
        conjugate = base.is_conj()
        base = (base.conj() if conjugate else base).resolve_neg()
        memory = base.untyped_storage()
        key = (memory.data_ptr(), base.dtype)
        if key not in self.storages:
            count = memory.nbytes() // base.element_size()
            self.storages[key] = self._flat(base.as_strided((count,), (1,), 0))
            self.alive.append(base)
        made = self.storages[key].as_strided(
            tuple(base.shape), base.stride(), base.storage_offset()
        )
        return made.conj() if conjugate else made

    def _flat(self, source: torch.Tensor) -> Any:
        if self.engine.tape is not None:
            source = self.engine.tape.input(source)
        if source.dtype in NUMPY:
            return self.engine.get("from_numpy")(source.numpy()).clone()
        carried = source.view(CARRIER[source.element_size()]).numpy()
        return self.engine.get("from_numpy")(carried).clone().view(self(source.dtype))

    def _sparse(self, source: torch.Tensor) -> Any:
        plain = source.detach()
        shape = tuple(plain.shape)
        if plain.layout == torch.sparse_coo:
            return self.engine.get("sparse_coo_tensor")(
                self._strided(plain._indices()),
                self._strided(plain._values()),
                shape,
                is_coalesced=plain.is_coalesced(),
            )
        rows, columns, factory = COMPRESSED[plain.layout]
        return self.engine.get(factory)(
            self._strided(getattr(plain, rows)()),
            self._strided(getattr(plain, columns)()),
            self._strided(plain.values()),
            shape,
        )

    def _generator(self, source: torch.Generator) -> Any:
        made = self.engine.get("Generator")()
        made.set_state(self._strided(source.get_state()))
        return made

    def _class(self, source: type) -> Any:
        path = path_of(source)
        return source if path is None else self.engine.get(path)

    def _module(self, source: torch.nn.Module) -> Any:
        """A module given as an argument: constructed with the same arguments, then its state."""
        if isinstance(source, torch.nn.TransformerEncoderLayer):
            arguments = encoder_layer_arguments(source)
        else:
            names = list(inspect.signature(type(source).__init__).parameters)[1:]
            arguments = {n: getattr(source, n) for n in names if hasattr(source, n)}
        made = self._class(type(source))(**{key: self(item) for key, item in arguments.items()})
        state = source.state_dict()
        if state:
            made.load_state_dict({key: self.tensor(item) for key, item in state.items()})
        return made.train(source.training)


def encoder_layer_arguments(layer: torch.nn.TransformerEncoderLayer) -> dict[str, Any]:
    """The constructor arguments of a layer that does not keep them under their names."""
    return {
        "d_model": layer.self_attn.embed_dim,
        "nhead": layer.self_attn.num_heads,
        "dim_feedforward": layer.linear1.out_features,
        "dropout": layer.dropout.p,
        "activation": layer.activation,
        "layer_norm_eps": layer.norm1.eps,
        "batch_first": layer.self_attn.batch_first,
        "norm_first": layer.norm_first,
        "bias": layer.linear1.bias is not None,
        "dtype": layer.linear1.weight.dtype,
    }


def dtype_name(tensor: Any) -> str:
    """`float32` for a float32 tensor of either engine."""
    return str(tensor.dtype).rpartition(".")[2]


def layout_name(tensor: Any) -> str:
    """`strided`, `sparse_coo`, ... for a tensor of either engine."""
    return str(tensor.layout).rpartition(".")[2]


def to_numpy(tensor: Any, engine: Engine) -> np.ndarray:
    """The values of a dense tensor; dtypes that NumPy lacks are widened exactly."""
    plain = tensor.detach()
    if isinstance(plain, torch.Tensor) and plain._is_zerotensor():
        plain = plain.clone()
    if plain.is_conj():
        plain = plain.resolve_conj()
    if plain.is_neg():
        plain = plain.resolve_neg()
    name = dtype_name(plain)
    if name in NAMES:
        return plain.numpy()
    width = plain.element_size()
    carried = plain.contiguous().view(engine.get(str(CARRIER[width]).partition(".")[2])).numpy()
    real = torch.from_numpy(np.array(carried, copy=True)).view(getattr(torch, name))
    wide = torch.complex64 if name == "complex32" else torch.float32
    return real.to(wide).numpy()
