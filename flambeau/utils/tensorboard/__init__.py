"""``torch.utils.tensorboard``: event files for TensorBoard, written through tensorboardX.

``SummaryWriter`` has PyTorch's signatures; the graph of a module is recorded from one call of it.
Needs the extra ``tensorboard``. Stands on nn (for graphs) and tensorboardX.
"""

from flambeau.utils.tensorboard.extra import RecordWriter
from flambeau.utils.tensorboard.writer import FileWriter, SummaryWriter

__all__ = ["FileWriter", "RecordWriter", "SummaryWriter"]
