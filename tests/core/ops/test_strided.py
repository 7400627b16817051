"""Views of other geometry on memory that is dense in an order of its own."""

import flambeau as torch


def test_offset_views_of_a_permuted_owner():
    image = torch.arange(48.0).reshape(2, 3, 4, 2).to(memory_format=torch.channels_last) * 1
    plain = image.clone(memory_format=torch.contiguous_format)
    assert not image.is_contiguous()
    for offset in (-1, 0, 1):
        assert torch.equal(image.diagonal(offset, 2, 3), plain.diagonal(offset, 2, 3))
    assert torch.equal(image[:, 1:, 2:].unfold(2, 2, 1), plain[:, 1:, 2:].unfold(2, 2, 1))
    assert torch.equal(image[:, :1, 1:].expand(2, 3, 3, 2), plain[:, :1, 1:].expand(2, 3, 3, 2))


def test_expand_of_a_view():
    base = torch.arange(12.0).reshape(3, 4).t()
    row = base[1:2]
    assert row.expand(5, 3).tolist() == [row[0].tolist()] * 5
    assert row.expand(2, 5, 3).stride() == (0, 0, 4)
