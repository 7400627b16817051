"""``SummaryWriter``: tensorboardX's writer with PyTorch's signatures, fed with arrays.

Tensors become arrays here, whether or not the alias is on; names that do not exist suggest the
nearest. Stands on tensorboardX through ``extra``.
"""

from __future__ import annotations

import difflib
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from flambeau.core.dtypes import bfloat16
from flambeau.core.tensor import Tensor
from flambeau.utils.tensorboard import extra, summary
from flambeau.utils.tensorboard._pytorch_graph import graph

__all__ = ["FileWriter", "SummaryWriter"]

FileWriter = extra.FileWriter


def plain(value: Any) -> Any:
    """Tensors as NumPy arrays, also inside lists, tuples and dicts; the rest as it is."""
    if isinstance(value, Tensor):
        value = value.detach()
        return (value.float() if value.dtype is bfloat16 else value).numpy(force=True)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, tuple) and type(value) is tuple:
        return tuple(plain(item) for item in value)
    return value


def number(op: str, tag: str, value: Any) -> np.ndarray[Any, Any]:
    """One number as a 0-d array.

    Raises:
        NotImplementedError: a list, a dict, None. AssertionError: more than one number.
    """
    found = plain(value)
    if not np.isscalar(found) and not isinstance(found, np.ndarray):
        raise NotImplementedError(
            f"{op}: {tag!r} is a {type(value).__name__}; expected a number, a tensor or a NumPy "
            "array of one number."
        )
    array = np.asarray(found).squeeze()
    if array.ndim:
        raise AssertionError(
            f"{op}: {tag!r} has shape {list(array.shape)}, expected one number. Use add_histogram "
            "or add_tensor for more."
        )
    return array


class SummaryWriter(extra.tensorboardX.SummaryWriter):  # type: ignore[misc]
    """Writes scalars, images, histograms, text, graphs, ... into an event file for TensorBoard.

    Args:
        log_dir: the folder; default ``runs/<date>_<host><comment>``.
        comment: appended to the default folder's name.
        purge_step: hide what an earlier run wrote at this step or later.
        max_queue: how many records may wait before one is written by force.
        flush_secs: how often, in seconds, waiting records are written.
        filename_suffix: appended to the file's name.

    Reference:
        https://docs.pytorch.org/docs/stable/tensorboard.html
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str] | None = None,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: int = 10,
        flush_secs: int = 120,
        filename_suffix: str = "",
    ) -> None:
        super().__init__(
            logdir=None if log_dir is None else os.fspath(log_dir),
            comment=comment,
            purge_step=purge_step,
            max_queue=max_queue,
            flush_secs=flush_secs,
            filename_suffix=filename_suffix,
        )
        self.log_dir = self.logdir

    def __getattr__(self, name: str) -> Any:
        near = difflib.get_close_matches(name, [n for n in dir(type(self)) if n[0] != "_"], 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise AttributeError(f"'SummaryWriter' object has no attribute {name!r}.{hint}")

    def _write(self, record: Any, step: int | None, walltime: float | None) -> None:
        self._get_file_writer().add_summary(record, step, walltime)

    def flush(self) -> None:
        """Return when everything added so far is in the file.

        tensorboardX flushes the file but not the queue before it, so what was added last could be
        missing: here its thread ends with the queue, and a new one goes on.
        """
        for writer in (self.all_writers or {}).values():
            events = writer.event_writer
            if not events._closed:
                events._worker.stop()
                events._ev_writer.flush()
                events._worker = type(events._worker)(
                    events._event_queue, events._ev_writer, events._flush_secs
                )
                events._worker.start()

    def get_logdir(self) -> str:
        """The folder that the event file is written into."""
        return str(self.log_dir)

    def add_scalar(
        self,
        tag: str,
        scalar_value: Any,
        global_step: int | None = None,
        walltime: float | None = None,
        new_style: bool = False,
        double_precision: bool = False,
    ) -> None:
        """A number under ``tag``; ``new_style`` writes it as a 0-d tensor, which loads faster."""
        value = number("add_scalar", tag, scalar_value)
        if new_style or double_precision:
            record = summary.scalar_tensor(tag, value, double_precision)
        else:
            record = extra.summary.scalar(tag, float(value))
        self._write(record, global_step, walltime)

    def add_scalars(
        self,
        main_tag: str,
        tag_scalar_dict: Mapping[str, Any],
        global_step: int | None = None,
        walltime: float | None = None,
    ) -> None:
        """Several numbers in one chart: each name of the dict becomes a run of its own, in the
        folder ``<main_tag>_<name>``."""
        walltime = time.time() if walltime is None else walltime
        folder = self._get_file_writer().get_logdir()
        for name, value in tag_scalar_dict.items():
            run = os.path.join(folder, f"{main_tag.replace('/', '_')}_{name}")
            if run not in self.all_writers:
                self.all_writers[run] = FileWriter(
                    run, self._max_queue, self._flush_secs, self._filename_suffix
                )
            record = extra.summary.scalar(main_tag, plain(value))
            self.all_writers[run].add_summary(record, global_step, walltime)

    def add_tensor(
        self,
        tag: str,
        tensor: Any,
        global_step: int | None = None,
        walltime: float | None = None,
    ) -> None:
        """A whole tensor, for programs that read event files."""
        self._write(summary.tensor(tag, np.asarray(plain(tensor))), global_step, walltime)

    def add_histogram(
        self,
        tag: str,
        values: Any,
        global_step: int | None = None,
        bins: str = "tensorflow",
        walltime: float | None = None,
        max_bins: int | None = None,
    ) -> None:
        """The distribution of all elements of ``values``."""
        super().add_histogram(tag, plain(values), global_step, bins, walltime, max_bins)

    def add_image(
        self,
        tag: str,
        img_tensor: Any,
        global_step: int | None = None,
        walltime: float | None = None,
        dataformats: str = "CHW",
    ) -> None:
        """One image; floating-point values lie in [0, 1], integers in [0, 255]."""
        super().add_image(tag, plain(img_tensor), global_step, walltime, dataformats)

    def add_images(
        self,
        tag: str,
        img_tensor: Any,
        global_step: int | None = None,
        walltime: float | None = None,
        dataformats: str = "NCHW",
    ) -> None:
        """A batch of images in one row, or a list of images (``dataformats`` is then theirs)."""
        value = plain(img_tensor)
        if isinstance(value, list):
            value, dataformats = np.stack(value), "N" + dataformats
        super().add_images(tag, value, global_step, walltime, dataformats)

    def add_image_with_boxes(
        self,
        tag: str,
        img_tensor: Any,
        box_tensor: Any,
        global_step: int | None = None,
        walltime: float | None = None,
        rescale: float = 1,
        dataformats: str = "CHW",
        labels: Any = None,
    ) -> None:
        """An image with rectangles (x1, y1, x2, y2) drawn on it."""
        super().add_image_with_boxes(
            tag,
            plain(img_tensor),
            plain(box_tensor),
            global_step,
            walltime,
            dataformats,
            labels,
            rescale=rescale,
        )

    def add_video(
        self,
        tag: str,
        vid_tensor: Any,
        global_step: int | None = None,
        fps: float = 4,
        walltime: float | None = None,
    ) -> None:
        """A moving picture. Shape: (N, T, C, H, W). Needs moviepy."""
        super().add_video(tag, plain(vid_tensor), global_step, fps, walltime)

    def add_audio(
        self,
        tag: str,
        snd_tensor: Any,
        global_step: int | None = None,
        sample_rate: int = 44100,
        walltime: float | None = None,
    ) -> None:
        """Sound. Shape: (1, L), values in [-1, 1]."""
        record = summary.audio(tag, np.asarray(plain(snd_tensor)), sample_rate)
        self._write(record, global_step, walltime)

    def add_hparams(
        self,
        hparam_dict: Mapping[str, Any],
        metric_dict: Mapping[str, Any],
        hparam_domain_discrete: Mapping[str, Sequence[Any]] | None = None,
        run_name: str | None = None,
        global_step: int | None = None,
    ) -> None:
        """The settings of a run and what came of them, for TensorBoard's table.

        Args:
            hparam_dict: numbers, booleans and strings by name.
            metric_dict: results by name; also written as scalars.
            hparam_domain_discrete: the values that a setting may take, by name.
            run_name: the folder of this row under ``log_dir``; default: the time.
            global_step: the step of the results.
        """
        records = summary.hparams(plain(hparam_dict), plain(metric_dict), hparam_domain_discrete)
        metrics = {name: number("add_hparams", name, each) for name, each in metric_dict.items()}
        folder = os.path.join(self.get_logdir(), run_name or str(time.time()))
        with SummaryWriter(log_dir=folder) as writer:
            for record in records:
                writer._write(record, None, None)
            for name, value in metrics.items():
                writer.add_scalar(name, value, global_step)

    def add_embedding(
        self,
        mat: Any,
        metadata: Any = None,
        label_img: Any = None,
        global_step: int | None = None,
        tag: str = "default",
        metadata_header: Any = None,
    ) -> None:
        """Points for the projector. Shape: mat (N, D), label_img (N, C, H, W)."""
        super().add_embedding(
            plain(mat), metadata, plain(label_img), global_step, tag, metadata_header
        )

    def add_pr_curve(
        self,
        tag: str,
        labels: Any,
        predictions: Any,
        global_step: int | None = None,
        num_thresholds: int = 127,
        weights: Any = None,
        walltime: float | None = None,
    ) -> None:
        """Precision against recall of ``predictions`` in [0, 1] for binary ``labels``."""
        super().add_pr_curve(
            tag,
            plain(labels),
            plain(predictions),
            global_step,
            num_thresholds,
            plain(weights),
            walltime,
        )

    def add_pr_curve_raw(self, tag: str, *counts: Any, **options: Any) -> None:
        """The same from counts: true and false positives and negatives, precision, recall."""
        super().add_pr_curve_raw(tag, *plain(counts), **plain(options))

    def add_histogram_raw(self, tag: str, *values: Any, **options: Any) -> None:
        """A histogram whose bins were counted before."""
        super().add_histogram_raw(tag, *plain(values), **plain(options))

    def add_mesh(
        self,
        tag: str,
        vertices: Any,
        colors: Any = None,
        faces: Any = None,
        config_dict: Any = None,
        global_step: int | None = None,
        walltime: float | None = None,
    ) -> None:
        """A mesh or a cloud of points. Shape: vertices (B, N, 3), colors (B, N, 3) uint8, faces
        (B, M, 3).

        Raises:
            ValueError: vertices have another shape.
        """
        if np.ndim(plain(vertices)) != 3 or np.shape(plain(vertices))[2] != 3:
            raise ValueError(
                f"add_mesh: vertices have shape {list(np.shape(plain(vertices)))}, expected "
                "(B, N, 3). Add the first dimension with unsqueeze(0)."
            )
        super().add_mesh(
            tag, plain(vertices), plain(colors), plain(faces), config_dict, global_step, walltime
        )

    def add_graph(
        self,
        model: Any,
        input_to_model: Any = None,
        verbose: bool = False,
        use_strict_trace: bool = True,
    ) -> None:
        """The operations of one call ``model(*input_to_model)``, grouped by module.

        Args:
            model: a module.
            input_to_model: its input, or a tuple of inputs.
            verbose: print the nodes too.
            use_strict_trace: accepted for PyTorch's sake; containers in outputs are fine.
        """
        recorded = graph(model, input_to_model, verbose, use_strict_trace)
        self._get_file_writer().add_graph(recorded)
