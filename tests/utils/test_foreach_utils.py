"""Lists of tensors parted by device and dtype."""

from __future__ import annotations

from importlib import import_module

import flambeau


def test_lists_are_parted_alike(oracle):
    def told(torch):
        utils = import_module(f"{torch.__name__}.utils._foreach_utils")
        first = [torch.ones(1), torch.ones(2).double(), torch.ones(3)]
        second = [None, torch.ones(4), torch.ones(5)]
        return [
            {
                (str(device), str(dtype)): (
                    [[None if t is None else len(t) for t in part] for part in lists],
                    list(places),
                )
                for (device, dtype), (lists, places) in utils._group_tensors_by_device_and_dtype(
                    [first, second, []], with_indices
                ).items()
            }
            for with_indices in (False, True)
        ] + [utils._get_fused_kernels_supported_devices()]

    assert told(flambeau) == told(oracle)
