"""BatchNorm in 1 to 3 dimensions, its lazy and synchronised forms, and their common base.

Reference: Ioffe, Szegedy, Batch normalization, 2015, arXiv:1502.03167.
"""

from __future__ import annotations

import sys
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.nn import init
from flambeau.nn.modules.lazy import LazyModuleMixin
from flambeau.nn.modules.module import Module
from flambeau.nn.parameter import Parameter, UninitializedBuffer, UninitializedParameter

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
    "SyncBatchNorm",
]


class _NormBase(Module):
    """Scale, offset and running statistics of batch and instance norm."""

    _version = 2
    __constants__ = ["track_running_stats", "momentum", "eps", "num_features", "affine"]
    num_features: int
    eps: float
    momentum: float | None
    affine: bool
    track_running_stats: bool

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        factory = {"device": device, "dtype": dtype}
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        for name, learned in (("weight", affine), ("bias", affine and bias)):
            value = Parameter(flambeau.empty(num_features, **factory)) if learned else None
            self.register_parameter(name, value)
        if track_running_stats:
            self.register_buffer("running_mean", flambeau.zeros(num_features, **factory))
            self.register_buffer("running_var", flambeau.ones(num_features, **factory))
            count = flambeau.tensor(0, dtype=flambeau.long, device=device)
            self.register_buffer("num_batches_tracked", count)
        else:
            for name in ("running_mean", "running_var", "num_batches_tracked"):
                self.register_buffer(name, None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Mean 0, variance 1, no batch seen."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Reset statistics, scale 1, offset 0."""
        self.reset_running_stats()
        if self.affine:
            init.ones_(self.weight)
            if self.bias is not None:
                init.zeros_(self.bias)

    def _check_input_dim(self, input: Tensor) -> None:
        raise NotImplementedError

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        version = local_metadata.get("version", None)
        key = prefix + "num_batches_tracked"
        # Version 1 had no count of batches.
        if (version is None or version < 2) and self.track_running_stats and key not in state_dict:
            count = self.num_batches_tracked
            if count is None or count.is_meta:
                count = flambeau.tensor(0, dtype=flambeau.long)
            state_dict[key] = count
        super()._load_from_state_dict(
            state_dict,
            prefix,
            local_metadata,
            strict,
            missing_keys,
            unexpected_keys,
            error_msgs,
        )


class _BatchNorm(_NormBase):
    """y = (x - mean) / sqrt(var + eps) * weight + bias, statistics per channel.

    In training the statistics are those of the batch (biased variance), and the running ones
    move towards them (unbiased variance) by ``momentum``; None averages over all batches.
    """

    def forward(self, input: Tensor) -> Tensor:
        """The normalised input."""
        self._check_input_dim(input)
        return self._normalise(input)

    def _normalise(self, input: Tensor) -> Tensor:
        training, momentum = self.training, self.momentum
        own, state = self._parameters, self._buffers
        try:  # as in Linear
            weight, bias = own["weight"], own["bias"]
            mean, var = state["running_mean"], state["running_var"]
            count = state["num_batches_tracked"]
        except KeyError:
            weight, bias = self.weight, self.bias
            mean, var = self.running_mean, self.running_var
            count = self.num_batches_tracked
        batch = training or (mean is None and var is None)
        if training:
            if not self.track_running_stats:
                mean = var = None
            elif count is not None:
                count.add_(1)
                if momentum is None:
                    momentum = 1.0 / float(count)
        momentum = 0.0 if momentum is None else momentum
        return F.batch_norm(input, mean, var, weight, bias, batch, momentum, self.eps)


class _LazyNormBase(LazyModuleMixin, _NormBase):
    """Mixed in before the norm: ``num_features`` comes from the first input."""

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        factory = {"device": device, "dtype": dtype}
        # Nothing learned and nothing tracked yet: the base has no tensors to make.
        super().__init__(0, eps, momentum, False, False, **factory, bias=False)
        self.affine = affine
        self.track_running_stats = track_running_stats
        if affine:
            self.weight = UninitializedParameter(**factory)
            if bias:
                self.bias = UninitializedParameter(**factory)
        if track_running_stats:
            self.running_mean = UninitializedBuffer(**factory)
            self.running_var = UninitializedBuffer(**factory)
            self.num_batches_tracked = flambeau.tensor(0, dtype=flambeau.long, device=device)

    def reset_parameters(self) -> None:
        """Reset once the shapes are known."""
        if not self.has_uninitialized_params() and self.num_features != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """Take ``num_features`` from the input's dimension 1."""
        if not self.has_uninitialized_params():
            return
        self.num_features = input.shape[1]
        tensors: list[Any] = [self.weight, self.bias] if self.affine else []
        if self.track_running_stats:
            tensors += [self.running_mean, self.running_var]
        for tensor in tensors:
            if tensor is not None:
                tensor.materialize((self.num_features,))
        self.reset_parameters()


class _Dims1d:
    """Accept (N, C) and (N, C, L)."""

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in (2, 3):
            message = f"expected 2D or 3D input (got {input.dim()}D input)"
            raise fail(ValueError, type(self).__name__, message)


class _Dims2d:
    """Accept (N, C, H, W)."""

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() != 4:
            message = f"expected 4D input (got {input.dim()}D input)"
            raise fail(ValueError, type(self).__name__, message)


class _Dims3d:
    """Accept (N, C, D, H, W)."""

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() != 5:
            message = f"expected 5D input (got {input.dim()}D input)"
            raise fail(ValueError, type(self).__name__, message)


class BatchNorm1d(_Dims1d, _BatchNorm):
    """Batch norm of (N, C) or (N, C, L): statistics of each channel over N and L.

    Raises:
        ValueError: another number of dimensions, or one value per channel in training.
    """


class BatchNorm2d(_Dims2d, _BatchNorm):
    """Batch norm of (N, C, H, W): statistics of each channel over N, H and W."""


class BatchNorm3d(_Dims3d, _BatchNorm):
    """Batch norm of (N, C, D, H, W): statistics of each channel over N, D, H and W."""


class LazyBatchNorm1d(_Dims1d, _LazyNormBase, _BatchNorm):
    """A BatchNorm1d whose ``num_features`` the first input decides."""

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_Dims2d, _LazyNormBase, _BatchNorm):
    """A BatchNorm2d whose ``num_features`` the first input decides."""

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_Dims3d, _LazyNormBase, _BatchNorm):
    """A BatchNorm3d whose ``num_features`` the first input decides."""

    cls_to_become = BatchNorm3d


class SyncBatchNorm(_BatchNorm):
    """Batch norm whose statistics span all processes of a group.

    On the CPU it is batch norm of this process, as in PyTorch, which refuses CPU tensors once a
    process group exists.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        process_group: Any = None,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )
        self.process_group = process_group

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            message = f"expected at least 2D input (got {input.dim()}D input)"
            raise fail(ValueError, "SyncBatchNorm", message)
        if input.size(1) == 0:
            message = "SyncBatchNorm number of input channels should be non-zero"
            raise fail(ValueError, "SyncBatchNorm", message)

    def forward(self, input: Tensor) -> Tensor:
        """The normalised input."""
        self._check_input_dim(input)
        distributed = sys.modules.get("flambeau.distributed")  # not imported: no group either
        if self.training and distributed is not None and distributed.is_initialized():
            message = "SyncBatchNorm expected input tensor to be on GPU or XPU"
            raise fail(ValueError, "SyncBatchNorm", message)
        return self._normalise(input)

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Module:
        """The module with every BatchNorm in it exchanged for a SyncBatchNorm."""
        converted = module
        if isinstance(module, _BatchNorm):
            converted = SyncBatchNorm(
                module.num_features,
                module.eps,
                module.momentum,
                module.affine,
                module.track_running_stats,
                process_group,
                bias=module.bias is not None,
            )
            if module.affine:
                converted.weight = module.weight
                converted.bias = module.bias
            converted.running_mean = module.running_mean
            converted.running_var = module.running_var
            converted.num_batches_tracked = module.num_batches_tracked
            converted.training = module.training
            if hasattr(module, "qconfig"):
                converted.qconfig = module.qconfig
        for name, child in module.named_children():
            converted.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return converted
