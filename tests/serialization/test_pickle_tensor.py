"""What a pickle keeps of storages and graphs besides tensors, and what it says of hooks."""

from __future__ import annotations

import copy
import pickle

import pytest

import flambeau as torch
import flambeau.utils.hooks


def test_a_storage_alone_is_saved_loaded_and_pickled(tmp_path):
    data = torch.ones(2).untyped_storage()
    elements = torch.TypedStorage.of(data, torch.float32)
    for given in (elements, data):
        torch.save({"it": given}, tmp_path / "storage.pt")
        for again in (torch.load(tmp_path / "storage.pt")["it"], pickle.loads(pickle.dumps(given))):
            assert again.nbytes() == 8
            assert isinstance(again, torch.TypedStorage) or again.tolist() == data.tolist()
    assert pickle.loads(pickle.dumps(elements)).tolist() == [1.0, 1.0]


def test_a_hook_left_behind_by_a_pickle_is_told():
    kept = torch.ones(2, requires_grad=True)
    kept.register_hook(lambda grad: grad)
    with pytest.warns(UserWarning, match="will not be serialized"):
        pickle.dumps(kept)
    quiet = torch.ones(2, requires_grad=True)
    quiet.register_hook(torch.utils.hooks.unserializable_hook(lambda grad: grad))
    pickle.dumps(quiet)


def test_a_graph_is_neither_copied_nor_pickled():
    node = (torch.ones(2, requires_grad=True) * 2).grad_fn
    for act in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot pickle 'MulBackward0' object"):
            act(node)
