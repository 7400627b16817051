"""Packing and padding against the oracle, gradients included."""

import pytest

LENGTHS = [[5, 3, 1], [3, 5, 2], [5, 5], [0, 1, 2], [4, 4, 2]]


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("enforce_sorted", [True, False])
@pytest.mark.parametrize("batch_first", [True, False])
def test_pack_and_pad(same, batch_first, enforce_sorted, lengths):
    def program(torch):
        rnn = torch.nn.utils.rnn
        x = torch.randn(*((3, 5, 2) if batch_first else (5, 3, 2)), requires_grad=True)
        packed = rnn.pack_padded_sequence(x, lengths, batch_first, enforce_sorted)
        padded, counts = rnn.pad_packed_sequence(packed, batch_first, 0.5, total_length=6)
        (padded * torch.randn(padded.shape)).sum().backward()
        return [packed.data, packed.batch_sizes, padded, counts, x.grad]

    same(program)


@pytest.mark.parametrize("side", ["left", "right", "middle"])
@pytest.mark.parametrize("batch_first", [True, False])
def test_pad_sequence(same, batch_first, side):
    def program(torch):
        parts = [torch.randn(n, 2) for n in (4, 2, 5)]
        padded = torch.nn.utils.rnn.pad_sequence(parts, batch_first, 1.0, side)
        return padded, padded.stride(), padded.view(-1)

    same(program)


def test_pack_and_unpack(same):
    def program(torch):
        parts = [torch.randn(n, 2) for n in (4, 2, 5)]
        rnn = torch.nn.utils.rnn
        return rnn.unpack_sequence(rnn.pack_sequence(parts, enforce_sorted=False))

    same(program)
    same(lambda torch: torch.nn.utils.rnn.pad_sequence([]))
    same(lambda torch: torch.nn.utils.rnn.pad_sequence(3))
