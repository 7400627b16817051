"""Tensors and parameters spread over processes: what is asked of them is answered, what would make
one says what to do; policies and placements are PyTorch's values.
"""

from __future__ import annotations

from importlib import import_module

import pytest

import flambeau
from flambeau import nn
from flambeau.distributed import distributed_c10d, fsdp
from flambeau.distributed.tensor import DTensor, distribute_tensor

PLACEMENTS = (
    "Shard(1)", "Replicate()", "Partial()", "Shard(0) == Shard(0)", "Shard(0).is_shard(1)",
    "str(Shard(2)), str(Replicate()), str(Partial())", "Replicate().is_replicate()",
    "Partial().is_partial(), Partial('max')", "Shard(0).dim, Partial().reduce_op",
)  # fmt: skip


@pytest.mark.parametrize("text", PLACEMENTS)
def test_placements_print_as_pytorchs(oracle, text):
    found = [
        repr(eval(text, vars(import_module(f"{name}.distributed.tensor"))))
        for name in ("flambeau", oracle.__name__)
    ]
    assert found[0] == found[1]


def test_no_tensor_is_spread():
    assert not isinstance(flambeau.ones(2), DTensor)
    with pytest.raises(NotImplementedError, match="DistributedDataParallel"):
        distribute_tensor(flambeau.ones(2))
    with pytest.raises(NotImplementedError, match="DistributedDataParallel"):
        fsdp.FullyShardedDataParallel(nn.Linear(2, 2))
    with pytest.raises(NotImplementedError, match="DistributedDataParallel"):
        fsdp.fully_shard(nn.Linear(2, 2))


def test_settings_have_pytorchs_defaults(oracle):
    theirs = import_module(f"{oracle.__name__}.distributed.fsdp")
    for name in (
        "CPUOffload MixedPrecisionPolicy FullStateDictConfig OffloadPolicy CPUOffloadPolicy "
        "FullOptimStateDictConfig ShardedStateDictConfig StateDictConfig"
    ).split():
        assert repr(getattr(fsdp, name)()) == repr(getattr(theirs, name)())
    for name in "ShardingStrategy BackwardPrefetch StateDictType OptimStateKeyType".split():
        assert list(map(repr, getattr(fsdp, name))) == list(map(repr, getattr(theirs, name)))


@pytest.mark.parametrize("recurse", [True, False])
def test_policies_decide_as_pytorchs(oracle, recurse):
    def decided(torch):
        wrap = import_module(f"{torch.__name__}.distributed.fsdp.wrap")
        layers = torch.nn.Linear(2, 2), torch.nn.ModuleList(), torch.nn.MultiheadAttention(4, 2)
        return [
            (
                wrap.ModuleWrapPolicy([torch.nn.Linear])(module, recurse),
                wrap.size_based_auto_wrap_policy(module, recurse, 10, min_num_params=5),
                wrap.transformer_auto_wrap_policy(module, recurse, 10, {torch.nn.Linear}),
                wrap.lambda_auto_wrap_policy(
                    module, recurse, 10, lambda m: bool(len([*m.children()]))
                ),
                wrap.always_wrap_policy(module, recurse, 1),
            )
            for module in layers
        ]

    assert decided(flambeau) == decided(oracle)


def test_groups_by_pytorchs_path():
    assert distributed_c10d.all_reduce is flambeau.distributed.all_reduce
    with pytest.raises(ValueError, match="Default process group"):
        distributed_c10d._get_default_group()
