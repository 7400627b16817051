"""`LSTM` and `MultiheadAttention` of integers: those of ao.nn.quantizable, parts converted."""

from __future__ import annotations

from typing import Any, NoReturn

from flambeau.ao.nn import quantizable

__all__ = ["LSTM", "MultiheadAttention"]


class _OfObserved:
    """Made of an observed module alone."""

    _FLOAT_MODULE: Any

    @classmethod
    def from_float(cls, *args: Any, **kwargs: Any) -> NoReturn:
        """Raises NotImplementedError: the way leads over `prepare`."""
        raise NotImplementedError(
            "Directly converting from float to quantized is not supported: prepare the model, run "
            "it, convert it."
        )

    @classmethod
    def from_observed(cls, other: Any) -> Any:
        """Of an observed one."""
        from flambeau.ao.quantization.convert import convert

        if not isinstance(other, cls._FLOAT_MODULE):
            raise AssertionError(f"Expected {cls._FLOAT_MODULE.__name__}, got {type(other)}")
        made = convert(other, inplace=False, remove_qconfig=True)
        made.__class__ = cls
        return made


class LSTM(_OfObserved, quantizable.LSTM):
    """An LSTM of integers; made of an observed one."""

    _FLOAT_MODULE = quantizable.LSTM

    def _get_name(self) -> str:
        return "QuantizedLSTM"


class MultiheadAttention(_OfObserved, quantizable.MultiheadAttention):
    """Attention whose projections are of integers; made of an observed one."""

    _FLOAT_MODULE = quantizable.MultiheadAttention

    def _get_name(self) -> str:
        return "QuantizedMultiheadAttention"
