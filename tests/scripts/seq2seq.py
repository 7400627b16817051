"""Encoder and decoder with attention, teacher forcing, LSTMCell and one-hot targets."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class Encoder(nn.Module):
    def __init__(self, vocab, hidden):
        super().__init__()
        self.embedding = nn.Embedding(vocab, hidden)
        self.gru = nn.GRU(hidden, hidden)

    def forward(self, x):
        return self.gru(self.embedding(x))


class Decoder(nn.Module):
    def __init__(self, vocab, hidden):
        super().__init__()
        self.embedding = nn.Embedding(vocab, hidden)
        self.cell = nn.LSTMCell(2 * hidden, hidden)
        self.out = nn.Linear(hidden, vocab)

    def forward(self, token, state, memory):
        scores = torch.bmm(memory.transpose(0, 1), state[0].unsqueeze(2)).squeeze(2)  # N, L
        context = torch.einsum("nl,lnh->nh", F.softmax(scores, dim=1), memory)
        state = self.cell(torch.cat((self.embedding(token), context), 1), state)
        return F.log_softmax(self.out(state[0]), dim=1), state


torch.manual_seed(18)
L, N, V, H = 5, 16, 7, 12
encoder, decoder = Encoder(V, H), Decoder(V, H)
params = list(encoder.parameters()) + list(decoder.parameters())
optimizer = torch.optim.Adam(params, lr=0.02)
criterion = nn.NLLLoss()
for step in range(20):
    source = torch.randint(1, V, (L, N))
    target = source.flip(0)
    memory, hidden = encoder(source)
    state, token, loss = (
        (hidden[0], torch.zeros_like(hidden[0])),
        torch.zeros(N, dtype=torch.long),
        0,
    )
    for t in range(L):
        log_probs, state = decoder(token, state, memory)
        loss += criterion(log_probs, target[t])
        token = target[t] if torch.rand(1).item() < 0.5 else log_probs.argmax(1).detach()
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_value_(params, 0.5)
    optimizer.step()
    if step % 5 == 4:
        print(step, f"{loss.item() / L:.4f}")
print(encoder, decoder, sep="\n")
print(
    F.ctc_loss(torch.zeros(6, 2, 4).log_softmax(2), torch.tensor([[1, 2], [3, 1]]), (6, 6), (2, 2))
)
print(
    F.cosine_similarity(hidden[0][:2], hidden[0][2:4]),
    F.pairwise_distance(hidden[0][:2], hidden[0][2:4]).detach(),
)
print(
    F.triplet_margin_loss(hidden[0][:2], hidden[0][2:4], hidden[0][4:6]),
    F.kl_div(log_probs, log_probs.exp().roll(1, 0), reduction="batchmean"),
)
