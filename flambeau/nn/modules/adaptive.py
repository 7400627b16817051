"""AdaptiveLogSoftmaxWithLoss: softmax over many classes, the rare ones in smaller clusters.

Reference: Grave et al., Efficient softmax approximation for GPUs, 2016, arXiv:1609.04309.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.nn.modules.container import ModuleList, Sequential
from flambeau.nn.modules.linear import Linear
from flambeau.nn.modules.module import Module

__all__ = ["AdaptiveLogSoftmaxWithLoss"]

_ASMoutput = namedtuple("_ASMoutput", ["output", "loss"])


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log probabilities of the targets and their mean negative.

    Classes, sorted by falling frequency, are cut into a shortlist and clusters. The head scores
    the shortlist and each cluster; a cluster's tail scores its classes on a narrower projection.

    Args:
        in_features: width of the input.
        n_classes: number of classes.
        cutoffs: where clusters begin, rising, between 1 and n_classes - 1.
        div_value: each cluster's projection is narrower by this factor.
        head_bias: whether the head has a bias.

    Shape:
        input (N, in_features) or (in_features), target (N) or (); output as target.
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        factory = {"device": device, "dtype": dtype}
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise fail(
                ValueError,
                "AdaptiveLogSoftmaxWithLoss",
                "cutoffs should be a sequence of length larger than 0",
            )
        if (
            cutoffs != sorted(set(cutoffs))
            or min(cutoffs) <= 0
            or max(cutoffs) > n_classes - 1
            or any(int(cutoff) != cutoff for cutoff in cutoffs)
        ):
            raise fail(
                ValueError,
                "AdaptiveLogSoftmaxWithLoss",
                "cutoffs should be a sequence of unique, positive integers sorted in an "
                "increasing order, where each value is between 1 and n_classes-1",
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = self.cutoffs[0]
        self.n_clusters = len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, bias=head_bias, **factory)
        self.tail = ModuleList()
        for i, (start, stop) in enumerate(pairwise(self.cutoffs)):
            narrow = int(in_features // (div_value ** (i + 1)))
            self.tail.append(
                Sequential(
                    Linear(in_features, narrow, bias=False, **factory),
                    Linear(narrow, stop - start, bias=False, **factory),
                )
            )

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        self.head.reset_parameters()
        for narrow, scores in self.tail:
            narrow.reset_parameters()
            scores.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> _ASMoutput:
        """The targets' log probabilities and the loss."""
        self._check(input_, target_)
        batched = target_.dim() > 0
        input = input_ if batched else input_.unsqueeze(0)
        target = target_ if batched else target_.unsqueeze(0)
        batch = target.size(0)
        seen = 0
        output = input.new_zeros(batch)
        head_columns = target.new_empty(batch)
        for i, (low, high) in enumerate(pairwise([0, *self.cutoffs])):
            chosen = (target >= low) & (target < high)
            rows = chosen.nonzero().squeeze()
            if rows.numel() == 0:
                continue
            if i == 0:
                head_columns.index_copy_(0, rows, target[chosen])
            else:
                within = (target[chosen] - low).unsqueeze(1)
                scores = self.tail[i - 1](input.index_select(0, rows))
                head_columns.index_fill_(0, rows, self.shortlist_size + i - 1)
                local = F.log_softmax(scores, dim=1).gather(1, within)
                output.index_copy_(0, rows, local.squeeze(1))
            seen += rows.numel()
        if seen != batch:
            raise fail(
                RuntimeError,
                "AdaptiveLogSoftmaxWithLoss",
                f"Target values should be in [0, {self.n_classes - 1}], but values in range "
                f"[{target.min().item()}, {target.max().item()}] were found.",
            )
        head = F.log_softmax(self.head(input), dim=1)
        output += head.gather(1, head_columns.unsqueeze(1)).squeeze()
        loss = (-output).mean()
        return _ASMoutput(output if batched else output.squeeze(0), loss)

    @staticmethod
    def _check(input: Tensor, target: Tensor) -> None:
        name = "AdaptiveLogSoftmaxWithLoss"
        dims = target.dim()
        if dims > 1:
            message = "0D or 1D target tensor expected, multi-target not supported"
            raise fail(RuntimeError, name, message)
        if dims == 1 and input.size(0) != target.size(0):
            raise fail(
                RuntimeError,
                name,
                "Input and target should have the same size in the batch dimension: "
                f"{input.size(0)} and {target.size(0)}.",
            )
        if input.dim() != dims + 1:
            raise fail(
                RuntimeError,
                name,
                f"{dims}D target tensor expects {dims + 1}D input tensors, but found inputs with "
                f"size {input.size()}",
            )

    def _get_full_log_prob(self, input: Tensor, head_output: Tensor) -> Tensor:
        """Log probabilities of all classes."""
        result = input.new_empty((head_output.size(0), self.n_classes))
        head = F.log_softmax(head_output, dim=1)
        result[:, : self.shortlist_size] = head[:, : self.shortlist_size]
        for i, (start, stop) in enumerate(pairwise(self.cutoffs)):
            cluster = F.log_softmax(self.tail[i](input), dim=1)
            result[:, start:stop] = cluster + head[:, self.shortlist_size + i].unsqueeze(1)
        return result

    def log_prob(self, input: Tensor) -> Tensor:
        """Log probabilities of all classes, (N, n_classes)."""
        return self._get_full_log_prob(input, self.head(input))

    def predict(self, input: Tensor) -> Tensor:
        """The most probable class of each row; clusters are scored only where the head says."""
        head = self.head(input)
        output = flambeau.argmax(head, dim=1)
        beyond = output >= self.shortlist_size
        if not beyond.any():
            return output
        if beyond.all():
            return flambeau.argmax(self._get_full_log_prob(input, head), dim=1)
        full = self._get_full_log_prob(input[beyond], head[beyond])
        output[beyond] = flambeau.argmax(full, dim=1)
        return output
