"""The one place that imports tensorboardX, and says what to install where it is missing."""

from __future__ import annotations

from flambeau.core.errors import missing_extra

try:
    import tensorboardX
    from tensorboardX import summary
    from tensorboardX.proto.attr_value_pb2 import AttrValue
    from tensorboardX.proto.graph_pb2 import GraphDef
    from tensorboardX.proto.node_def_pb2 import NodeDef
    from tensorboardX.proto.summary_pb2 import Summary, SummaryMetadata
    from tensorboardX.proto.tensor_pb2 import TensorProto
    from tensorboardX.proto.tensor_shape_pb2 import TensorShapeProto
    from tensorboardX.proto.versions_pb2 import VersionDef
    from tensorboardX.record_writer import RecordWriter
    from tensorboardX.writer import FileWriter
except ImportError as error:
    raise missing_extra("utils.tensorboard", "tensorboardX", "tensorboard") from error

__all__ = [
    "AttrValue",
    "FileWriter",
    "GraphDef",
    "NodeDef",
    "RecordWriter",
    "Summary",
    "SummaryMetadata",
    "TensorProto",
    "TensorShapeProto",
    "VersionDef",
    "summary",
    "tensorboardX",
]
