"""Sparse tensors through files, pickles and copies."""

import copy
import io
import pickle

import pytest

import flambeau as torch


@pytest.mark.parametrize("layout", ["sparse_coo", "sparse_csr", "sparse_csc"])
def test_saved_and_loaded(layout):
    x = torch.tensor([[0.0, 1], [2, 0]]).to_sparse(layout=getattr(torch, layout))
    file = io.BytesIO()
    torch.save(x, file)
    file.seek(0)
    for y in (torch.load(file), pickle.loads(pickle.dumps(x)), copy.deepcopy(x)):
        assert y.layout is x.layout and torch.equal(y.to_dense(), x.to_dense())
