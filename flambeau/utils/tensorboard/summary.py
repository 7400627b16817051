"""The records that tensorboardX does not make as PyTorch does: tensors, scalars as tensors, sound,
the settings of a run.

Arrays in, protocol buffers out. Stands on tensorboardX's message types and the standard library.
"""

from __future__ import annotations

import io
import wave
from typing import Any

import numpy as np

from flambeau.utils.tensorboard import extra
from flambeau.utils.tensorboard.extra import Summary, SummaryMetadata, TensorProto, TensorShapeProto

__all__ = ["audio", "hparams", "scalar_tensor", "tensor"]

# NumPy's dtype -> the number of TensorFlow's DataType, and the field that holds its values.
FIELDS = {
    "float16": (19, "half_val"),
    "float32": (1, "float_val"),
    "float64": (2, "double_val"),
    "int8": (6, "int_val"),
    "int16": (5, "int_val"),
    "int32": (3, "int_val"),
    "int64": (9, "int64_val"),
    "uint8": (4, "int_val"),
    "bool": (10, "bool_val"),
    "complex64": (8, "scomplex_val"),
    "complex128": (18, "dcomplex_val"),
}
LOUDEST = 32767  # of 16-bit sound


def message(array: np.ndarray) -> TensorProto:
    """An array as TensorFlow's message.

    Raises:
        ValueError: a dtype that the format does not know.
    """
    if array.dtype.name not in FIELDS:
        raise ValueError(
            f"add_tensor: the event format has no type for {array.dtype.name}; expected one of "
            f"{', '.join(FIELDS)}. Convert it first, as in tensor.float()."
        )
    number, field = FIELDS[array.dtype.name]
    shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in array.shape])
    values = array.ravel()
    if values.dtype.kind == "c":
        values = values.view("f4" if values.dtype.itemsize == 8 else "f8")
    elif field == "half_val":
        values = values.view(np.uint16)
    return TensorProto(dtype=number, tensor_shape=shape, **{field: values.tolist()})


def tensor(tag: str, array: np.ndarray) -> Summary:
    """A whole tensor, for readers of event files; TensorBoard shows nothing for it."""
    return Summary(value=[Summary.Value(tag=tag, tensor=message(array))])


def scalar_tensor(tag: str, value: np.ndarray, double: bool) -> Summary:
    """A scalar in the newer form: a 0-d tensor of TensorBoard's scalars plugin."""
    plugin = SummaryMetadata.PluginData(plugin_name="scalars")
    content = message(value.astype("f8" if double else "f4").reshape(()))
    return Summary(
        value=[Summary.Value(tag=tag, tensor=content, metadata=SummaryMetadata(plugin_data=plugin))]
    )


def audio(tag: str, sound: np.ndarray, rate: int) -> Summary:
    """Sound as 16-bit WAV. Shape: (L,), (1, L) as PyTorch takes it; values in [-1, 1], clipped.

    Raises:
        ValueError: more than one channel.
    """
    array = sound.squeeze()
    if array.ndim != 1:
        raise ValueError(
            f"add_audio: snd_tensor has shape {list(sound.shape)}, expected (1, L): one channel. "
            "Log each channel under a tag of its own."
        )
    samples = (np.clip(array, -1, 1) * LOUDEST).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(samples.tobytes())
    record: dict[str, Any] = dict(
        sample_rate=rate,
        num_channels=1,
        length_frames=len(samples),
        encoded_audio_string=file.getvalue(),
        content_type="audio/wav",
    )
    return Summary(value=[Summary.Value(tag=tag, audio=Summary.Audio(**record))])


def hparams(
    hparam_dict: Any = None, metric_dict: Any = None, hparam_domain_discrete: Any = None
) -> tuple[Summary, Summary, Summary]:
    """The settings of a run and the names of its results: experiment, start and end.

    Args:
        hparam_dict: numbers, booleans and strings by name.
        metric_dict: results by name.
        hparam_domain_discrete: the values that a setting may take, by name.

    Raises:
        TypeError: no dicts, or values of another type than the setting's. ValueError: a setting
            that is neither number, boolean nor string.
    """
    if not isinstance(hparam_dict, dict) or not isinstance(metric_dict, dict):
        raise TypeError("add_hparams: hparam_dict and metric_dict should be dictionary.")
    for name, values in (hparam_domain_discrete or {}).items():
        if name not in hparam_dict or not all(
            isinstance(value, type(hparam_dict[name])) for value in values
        ):
            raise TypeError(
                f"add_hparams: parameter: hparam_domain_discrete[{name}] should be a list of "
                f"the same type as hparam_dict[{name}]."
            )
    settings = {
        name: value.item() if hasattr(value, "item") else value
        for name, value in hparam_dict.items()
    }
    for name, value in settings.items():
        if not isinstance(value, (int, float, str, bool, type(None))):
            raise ValueError(
                f"add_hparams: {name!r} is a {type(value).__name__}; a value should be one of int, "
                "float, str, bool, or a tensor of one element. Write it as text: str(value)."
            )
    found: tuple[Summary, Summary, Summary] = extra.summary.hparams(settings, metric_dict)
    return found
