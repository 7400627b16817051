"""What SummaryWriter writes, read back from the event file."""

from __future__ import annotations

import importlib.util
import io
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import flambeau as torch
from flambeau.utils.tensorboard import SummaryWriter

spec = importlib.util.spec_from_file_location("events", Path(__file__).with_name("events.py"))
events = importlib.util.module_from_spec(spec)
spec.loader.exec_module(events)


@pytest.fixture
def writer(tmp_path):
    with SummaryWriter(tmp_path) as made:
        yield made


def written(writer):
    writer.flush()
    return events.values(writer.get_logdir())


def test_scalars_of_every_kind(writer):
    writer.add_scalar("loss", torch.tensor(1.5, requires_grad=True) * 2, 3)
    writer.add_scalar("loss", 0.25, 4)
    writer.add_scalar("count", torch.tensor([7]), 0)
    writer.add_scalar("half", torch.tensor(0.5, dtype=torch.bfloat16), 0)
    writer.add_scalar("new", 2.0, 5, new_style=True)
    writer.add_scalar("double", 1 / 3, 5, double_precision=True)
    got = written(writer)
    assert [(step, value.simple_value) for step, value in got["loss"]] == [(3, 3.0), (4, 0.25)]
    assert got["count"][0][1].simple_value == 7 and got["half"][0][1].simple_value == 0.5
    assert list(got["new"][0][1].tensor.float_val) == [2.0]
    assert got["new"][0][1].metadata.plugin_data.plugin_name == "scalars"
    assert list(got["double"][0][1].tensor.double_val) == [1 / 3]


def test_more_than_one_number_is_refused(writer):
    with pytest.raises(AssertionError, match=r"'loss' has shape \[2\]"):
        writer.add_scalar("loss", torch.zeros(2))


def test_add_scalars_makes_a_run_for_each_name(writer):
    writer.add_scalars("a/curve", {"train": torch.tensor(1.0), "test": 2.0}, 1)
    writer.flush()
    for name, number in (("train", 1.0), ("test", 2.0)):
        folder = Path(writer.get_logdir()) / f"a_curve_{name}"
        assert events.values(folder)["a/curve"][0][1].simple_value == number


def test_histogram_counts_every_element(writer):
    data = torch.randn(1000)
    writer.add_histogram("weights", data, 2)
    step, value = written(writer)["weights"][0]
    assert step == 2 and value.histo.num == 1000
    assert sum(value.histo.bucket) == 1000
    assert value.histo.min == pytest.approx(data.min().item())
    assert value.histo.sum == pytest.approx(data.sum().item(), rel=1e-4)


def test_histogram_raw(writer):
    writer.add_histogram_raw(
        "raw", min=0.0, max=2.0, num=3, sum=3.0, sum_squares=5.0,
        bucket_limits=torch.tensor([1.0, 2.0]), bucket_counts=torch.tensor([1, 2]),
    )  # fmt: skip
    assert list(written(writer)["raw"][0][1].histo.bucket) == [1, 2]


def picture(value):
    with Image.open(io.BytesIO(value.image.encoded_image_string)) as image:
        return np.asarray(image)


def test_images_are_the_pixels_given(writer):
    image = torch.arange(48, dtype=torch.uint8).view(3, 4, 4)
    writer.add_image("bytes", image, 0)
    writer.add_image("floats", image.float() / 255, 0)
    writer.add_image("last", image.permute(1, 2, 0), 0, dataformats="HWC")
    writer.add_images("list", [image, image], 0, dataformats="CHW")
    got = written(writer)
    want = image.permute(1, 2, 0).numpy()
    assert (picture(got["bytes"][0][1]) == want).all()
    assert (picture(got["last"][0][1]) == want).all()
    assert np.abs(picture(got["floats"][0][1]).astype(int) - want).max() <= 1
    assert got["list"][0][1].image.width == 8


def test_boxes_are_drawn(writer):
    writer.add_image_with_boxes("boxes", torch.zeros(3, 9, 9), torch.tensor([[2.0, 2, 6, 6]]))
    assert picture(written(writer)["boxes"][0][1]).max() == 255


def test_figure(writer):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure = plt.figure(figsize=(1, 1))
    figure.gca().plot([0, 1], [1, 0])
    writer.add_figure("figure", figure, 1)
    assert picture(written(writer)["figure"][0][1]).min() < 128
    assert not plt.get_fignums()


def test_sound_is_one_channel_of_16_bits(writer):
    sound = torch.sin(torch.linspace(0, 100, 800))[None]
    writer.add_audio("tone", sound, 0, sample_rate=8000)
    record = written(writer)["tone"][0][1].audio
    with wave.open(io.BytesIO(record.encoded_audio_string)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (1, 8000, 800)
    with pytest.raises(ValueError, match="one channel"):
        writer.add_audio("stereo", torch.zeros(2, 5))


def test_text(writer):
    writer.add_text("note", "**bold**", 1)
    value = written(writer)["note/text_summary"][0][1]
    assert value.tensor.string_val == [b"**bold**"]


def test_tensors_of_every_kind(writer):
    for dtype in ("float32", "float64", "int64", "uint8", "bool", "complex64"):
        tensor = torch.tensor([[0, 1, 1]]).to(getattr(torch, dtype))
        writer.add_tensor(dtype, tensor)
    got = written(writer)
    assert list(got["float64"][0][1].tensor.double_val) == [0, 1, 1]
    assert [d.size for d in got["int64"][0][1].tensor.tensor_shape.dim] == [1, 3]
    assert list(got["complex64"][0][1].tensor.scomplex_val) == [0, 0, 1, 0, 1, 0]


def test_pr_curve(writer):
    writer.add_pr_curve("pr", torch.tensor([1, 0, 1, 0]), torch.tensor([0.9, 0.1, 0.8, 0.3]))
    value = written(writer)["pr"][0][1]
    assert value.metadata.plugin_data.plugin_name == "pr_curves"
    assert max(value.tensor.float_val) == 2  # all positives found at some threshold


def test_hparams_make_a_row_with_its_results(writer):
    writer.add_hparams(
        {"lr": torch.tensor(0.1), "deep": True, "name": "adam"},
        {"accuracy": torch.tensor(0.5)},
        hparam_domain_discrete={"name": ["adam", "sgd"]},
        run_name="first",
        global_step=3,
    )
    got = events.values(Path(writer.get_logdir()) / "first")
    assert got["accuracy"][0][0] == 3 and got["accuracy"][0][1].simple_value == 0.5
    assert "_hparams_/experiment" in got and "_hparams_/session_start_info" in got
    with pytest.raises(TypeError, match="should be dictionary"):
        writer.add_hparams([], {})
    with pytest.raises(TypeError, match="hparam_domain_discrete"):
        writer.add_hparams({"a": 1}, {}, {"a": ["x"]})


def test_embedding_writes_points_labels_and_sprite(writer):
    writer.add_embedding(
        torch.eye(4), metadata=list("abcd"), label_img=torch.rand(4, 3, 8, 8), tag="points"
    )
    folder = next(Path(writer.get_logdir()).rglob("tensors.tsv")).parent
    rows = [line.split("\t") for line in (folder / "tensors.tsv").read_text().splitlines()]
    assert [[float(x) for x in row] for row in rows] == torch.eye(4).tolist()
    assert (folder / "metadata.tsv").read_text().split() == list("abcd")
    with Image.open(folder / "sprite.png") as sprite:
        assert sprite.size == (16, 16)  # two by two pictures of 8


def test_mesh(writer):
    writer.add_mesh("cloud", torch.rand(1, 5, 3), colors=torch.zeros(1, 5, 3, dtype=torch.uint8))
    assert any(tag.startswith("cloud") for tag in written(writer))


def test_purge_step_starts_a_new_session(tmp_path):
    with SummaryWriter(tmp_path, purge_step=5) as writer:
        writer.add_scalar("x", 1.0, 5)
    assert any(event.HasField("session_log") for event in events.read(tmp_path))


def test_a_misspelt_method_suggests_the_nearest(writer):
    with pytest.raises(AttributeError, match="add_scalar"):
        writer.add_scales("x", 1)


PROGRAM = """
import sys, torch
from tensorboardX import SummaryWriter
assert "flambeau" in torch.__version__
with SummaryWriter(sys.argv[1]) as w:
    w.add_scalar("a", torch.tensor(2.0), 1)
    w.add_histogram("h", torch.randn(10), 1)
    w.add_images("i", [torch.rand(3, 4, 4)] * 2, 1, dataformats="CHW")
    w.add_graph(torch.nn.Linear(2, 3), torch.rand(1, 2))
from torch.utils.tensorboard import SummaryWriter as Ours
with Ours(sys.argv[1], filename_suffix=".ours") as w:
    w.add_scalar("b", torch.tensor(3.0), 1)
"""


def test_unmodified_tensorboardx_under_the_alias(tmp_path):
    command = [sys.executable, "-m", "flambeau", "-c", PROGRAM, str(tmp_path)]
    subprocess.run(command, check=True, timeout=120)
    got = events.values(tmp_path)
    assert got["a"][0][1].simple_value == 2 and got["b"][0][1].simple_value == 3
    assert got["h"][0][1].histo.num == 10 and got["i"][0][1].image.width == 8
    assert any(event.graph_def for event in events.read(tmp_path))


def test_without_the_extra_the_error_names_it():
    code = (
        "import sys; sys.modules['tensorboardX'] = None\n"
        "try:\n    import flambeau.utils.tensorboard\n"
        "except ImportError as error:\n    print(error)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "flambeau[tensorboard]" in said.stdout


def test_the_records_of_settings_are_made_without_a_writer():
    from flambeau.utils.tensorboard.summary import hparams

    settings = {"lr": torch.tensor(0.1), "deep": True, "name": "a", "missing": None}
    tags = [record.value[0].tag for record in hparams(settings, {"acc": 1.0})]
    assert tags == [
        f"_hparams_/{name}" for name in ("experiment", "session_start_info", "session_end_info")
    ]
    with pytest.raises(TypeError, match="should be dictionary"):
        hparams(None, {})


def test_what_is_no_number_is_refused_by_kind(tmp_path):
    with SummaryWriter(tmp_path) as writer:
        for wrong in ({"a": 1.0}, [1.0], None):
            with pytest.raises(NotImplementedError):
                writer.add_scalar("x", wrong)
            with pytest.raises(NotImplementedError):
                writer.add_hparams({"a": 1.0}, {"b": wrong})
        with pytest.raises(ValueError, match="one of int, float, str"):
            writer.add_hparams({"a": [1, 2]}, {"b": 1.0})
        with pytest.raises(ValueError, match="shape"):
            writer.add_mesh("x", np.zeros((4, 3)))
