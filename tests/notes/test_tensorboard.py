"""Rows 54 and 55 of the notes: a writer writes scalars, under their right name."""

from __future__ import annotations

import pytest


def test_row_054_055_summary_writer(tmp_path):
    from flambeau.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        writer.add_scalar("accuracy", 0.5, 1)
        writer.add_scalars("losses", {"a": 1.0, "b": 2.0}, 1)
        with pytest.raises(AttributeError, match="add_scales"):
            writer.add_scales("loss", 0.5, 1)
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"accuracy" in written
    assert b"losses" in written
