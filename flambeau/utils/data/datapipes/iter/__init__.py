"""Iterated data pipes by PyTorch's names; each is also a method of every pipe.

`changing` alters samples, `grouping` makes batches of them, `ordering` their order, `combining`
joins and splits pipes, `files` reads.
"""

from __future__ import annotations

from flambeau.utils.data.datapipes.iter.changing import (
    CollatorIterDataPipe as Collator,
)
from flambeau.utils.data.datapipes.iter.changing import (
    FilterIterDataPipe as Filter,
)
from flambeau.utils.data.datapipes.iter.changing import (
    IterableWrapperIterDataPipe as IterableWrapper,
)
from flambeau.utils.data.datapipes.iter.changing import (
    MapperIterDataPipe as Mapper,
)
from flambeau.utils.data.datapipes.iter.combining import (
    ConcaterIterDataPipe as Concater,
)
from flambeau.utils.data.datapipes.iter.combining import (
    DemultiplexerIterDataPipe as Demultiplexer,
)
from flambeau.utils.data.datapipes.iter.combining import (
    ForkerIterDataPipe as Forker,
)
from flambeau.utils.data.datapipes.iter.combining import (
    MultiplexerIterDataPipe as Multiplexer,
)
from flambeau.utils.data.datapipes.iter.combining import (
    ZipperIterDataPipe as Zipper,
)
from flambeau.utils.data.datapipes.iter.files import (
    FileListerIterDataPipe as FileLister,
)
from flambeau.utils.data.datapipes.iter.files import (
    FileOpenerIterDataPipe as FileOpener,
)
from flambeau.utils.data.datapipes.iter.files import (
    RoutedDecoderIterDataPipe as RoutedDecoder,
)
from flambeau.utils.data.datapipes.iter.files import (
    StreamReaderIterDataPipe as StreamReader,
)
from flambeau.utils.data.datapipes.iter.grouping import (
    BatcherIterDataPipe as Batcher,
)
from flambeau.utils.data.datapipes.iter.grouping import (
    GrouperIterDataPipe as Grouper,
)
from flambeau.utils.data.datapipes.iter.grouping import (
    UnBatcherIterDataPipe as UnBatcher,
)
from flambeau.utils.data.datapipes.iter.ordering import (
    SamplerIterDataPipe as Sampler,
)
from flambeau.utils.data.datapipes.iter.ordering import (
    ShardingFilterIterDataPipe as ShardingFilter,
)
from flambeau.utils.data.datapipes.iter.ordering import (
    ShufflerIterDataPipe as Shuffler,
)

__all__ = [
    "Batcher",
    "Collator",
    "Concater",
    "Demultiplexer",
    "FileLister",
    "FileOpener",
    "Filter",
    "Forker",
    "Grouper",
    "IterableWrapper",
    "Mapper",
    "Multiplexer",
    "RoutedDecoder",
    "Sampler",
    "ShardingFilter",
    "Shuffler",
    "StreamReader",
    "UnBatcher",
    "Zipper",
]
