"""An LSTM text classifier with padding, packing and an embedding bag beside it."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

torch.manual_seed(2)
texts = ["the cat sat", "a dog ran far away", "birds sing", "the dog sat on a mat", "cats nap"]
words = sorted({w for t in texts for w in t.split()})
vocab = {w: i + 1 for i, w in enumerate(words)}
ids = [torch.tensor([vocab[w] for w in t.split()]) for t in texts]
lengths = torch.tensor([len(i) for i in ids])
padded = pad_sequence(ids, batch_first=True, padding_value=0)
labels = torch.tensor([0.0, 1, 0, 1, 0])
print(padded)


class Classifier(nn.Module):
    def __init__(self, size, cell):
        super().__init__()
        self.embed = nn.Embedding(size, 8, padding_idx=0)
        self.rnn = getattr(nn, cell)(8, 6, num_layers=2, bidirectional=True, batch_first=True)
        self.out = nn.Linear(12, 1)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(
            self.embed(x), lengths, batch_first=True, enforce_sorted=False
        )
        output, hidden = self.rnn(packed)
        hidden = hidden[0] if isinstance(hidden, tuple) else hidden
        unpacked, sizes = pad_packed_sequence(output, batch_first=True)
        self.seen = unpacked.shape, sizes.tolist(), packed.batch_sizes.tolist()
        return self.out(torch.cat([hidden[-2], hidden[-1]], dim=1)).squeeze(1)


for cell in ("LSTM", "GRU", "RNN"):
    model = Classifier(len(vocab) + 1, cell)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=0.01)
    for _ in range(8):
        optimizer.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(model(padded, lengths), labels)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    print(cell, f"{loss.item():.4f} {norm:.4f}", *model.seen)
    print(model.embed.weight[0].abs().sum().item(), model.embed.weight.grad[0].sum().item())
print(model)
bag = nn.EmbeddingBag(len(vocab) + 1, 4, mode="mean")
print(bag(torch.cat(ids), torch.tensor([0, 3, 8, 10, 16])))
