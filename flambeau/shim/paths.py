"""Where PyTorch keeps what has another place here: the modules of classes and of imports.

`HOMES` says under which module PyTorch shows the classes of one of flambeau's; `PLACES` what an
import of a module means that is cut differently here. Two tables and the questions to them.
Standard library only.
"""

from __future__ import annotations

__all__ = ["files", "home", "place"]

HOMES = {
    "amp.autocast": "amp.autocast_mode",
    "ao.quantization.schemes": "",
    "autograd.events": "autograd.profiler_util",
    "autograd.modes": "autograd.grad_mode",
    "autograd.recording": "autograd.profiler",
    "compiler.module": "_dynamo.eval_frame",
    "core.handles": "utils.hooks",
    "core.node": "autograd.graph",
    "core.untyped": "storage",
    "core": "",
    "distributed.collectives": "distributed.distributed_c10d",
    "distributed.groups": "distributed.distributed_c10d",
    "distributed.options": "distributed.distributed_c10d",
    "distributed.store": "distributed",
    "distributions.constraints": "distributions.constraints",
    "distributions.kl": "distributions.kl",
    "distributions.transforms": "distributions.transforms",
    "fx.codegen": "fx.graph",
    "masked.tensor": "masked.maskedtensor.core",
    "nn.attention.block_mask": "nn.attention.flex_attention",
    "nn.functional.grouped": "nn.functional",
    "optim.lr_scheduler": "optim.lr_scheduler",
    "profiler.profile": "profiler.profiler",
    "profiler.schedule": "profiler.profiler",
    "serialization.names": "serialization",
    "serialization.options": "serialization",
    "serialization.safe": "serialization",
    "sparse.invariants": "sparse",
    "sparse.legacy": "sparse",
    "symbolic": "",
    "utils.benchmark.callgrind": "utils.benchmark.utils.valgrind_wrapper.timer_interface",
    "utils.benchmark.compare": "utils.benchmark.utils.compare",
    "utils.benchmark.fuzzer": "utils.benchmark.utils.fuzzer",
    "utils.benchmark.measurement": "utils.benchmark.utils.common",
    "utils.benchmark.timer": "utils.benchmark.utils.timer",
}
"""A room here, with all below it -> the module of PyTorch that shows its classes."""

PLACES = {
    "amp.autocast_mode": "amp",
    "autograd.anomaly_mode": "autograd.modes",
    "autograd.grad_mode": "autograd.modes",
    "autograd.profiler_util": "autograd.events",
    "cpu.amp.autocast_mode": "cpu.amp",
    "cpu.amp.grad_scaler": "cpu.amp",
    "cuda.amp.autocast_mode": "cuda.amp",
    "cuda.amp.grad_scaler": "cuda.amp",
    "masked.maskedtensor": "masked",
    "masked.maskedtensor.core": "masked",
    "masked.maskedtensor.creation": "masked",
    "multiprocessing.pool": "multiprocessing",
    "nn.modules.linear_cross_entropy": "nn.modules.loss",
    "nn.modules.linear_cross_entropy_options": "nn.modules.options",
    "profiler.profiler": "profiler",
    "signal.windows.windows": "signal.windows",
    "utils.benchmark.utils": "utils.benchmark",
    "utils.benchmark.utils.common": "utils.benchmark.measurement",
    "utils.benchmark.utils.compare": "utils.benchmark.compare",
    "utils.benchmark.utils.fuzzer": "utils.benchmark.fuzzer",
    "utils.benchmark.utils.sparse_fuzzer": "utils.benchmark.fuzzer",
    "utils.benchmark.utils.timer": "utils.benchmark.timer",
    "utils.benchmark.utils.valgrind_wrapper": "utils.benchmark",
    "utils.benchmark.utils.valgrind_wrapper.timer_interface": "utils.benchmark.callgrind",
}
"""A module of PyTorch's that has no file here -> the one that has its names."""

VISION = {
    "": ("version",),
    "datasets": (
        "caltech", "celeba", "cityscapes", "clevr", "country211", "dtd", "eurosat", "fakedata",
        "fer2013", "fgvc_aircraft", "flickr", "flowers102", "food101", "gtsrb", "hmdb51",
        "imagenet", "imagenette", "inaturalist", "kinetics", "kitti", "lfw", "lsun",
        "moving_mnist", "omniglot", "oxford_iiit_pet", "pcam", "phototour", "places365",
        "rendered_sst2", "sbd", "sbu", "semeion", "stanford_cars", "stl10", "sun397", "ucf101",
        "usps", "vision", "widerface",
    ),
    "models": ("mobilenet",),
    "ops": (
        "ciou_loss", "diou_loss", "focal_loss", "giou_loss", "ps_roi_align", "ps_roi_pool",
        "roi_align", "roi_pool",
    ),
    "transforms": ("autoaugment", "transforms"),
}  # fmt: skip
"""A package of torchvision's -> its files that have none here: the package has their names."""


def home(path: str) -> str:
    """PyTorch's module for a module of flambeau's, both without the package's name."""
    room = path
    while room:
        if room in HOMES:
            return HOMES[room]
        room = room.rpartition(".")[0]
    return path


def place(name: str) -> str | None:
    """The module here, without the package's name, that an import of ``torch.`` or ``torchvision.``
    and more means, where no file has its name.
    """
    root, _, path = name.partition(".")
    if root == "torch":
        return PLACES.get(path)
    room, _, file = path.rpartition(".")
    return f"vision.{room}".rstrip(".") if file in files(name.rpartition(".")[0]) else None


def files(package: str) -> tuple[str, ...]:
    """The files of a package of torchvision's whose names its package has here."""
    return VISION.get(package.removeprefix("torchvision").removeprefix("."), ())
