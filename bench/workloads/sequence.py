"""Language models: a two-layer LSTM and a small GPT, both a training step."""

from __future__ import annotations

from typing import Any

from bench.workloads.workload import Workload, labels, training, weigh

VOCABULARY = 1000
LSTM = dict(embedding=128, hidden=256, steps=35, batch=20)
GPT = dict(layers=4, width=192, heads=6, context=128, batch=8, symbols=65)


def lstm(torch: Any) -> Any:
    """Embedding, two LSTM layers, a decoder; SGD with clipped gradients."""
    nn = torch.nn

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(VOCABULARY, LSTM["embedding"])
            self.lstm = nn.LSTM(LSTM["embedding"], LSTM["hidden"], 2)
            self.decode = nn.Linear(LSTM["hidden"], VOCABULARY)

        def forward(self, tokens: Any) -> Any:
            return self.decode(self.lstm(self.embed(tokens))[0])

    model = weigh(torch, Model())
    count = LSTM["steps"] * LSTM["batch"]
    tokens = labels(torch, count, VOCABULARY).view(LSTM["steps"], LSTM["batch"])
    targets = labels(torch, count, VOCABULARY).flip(0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    cross_entropy = torch.nn.functional.cross_entropy

    def once() -> Any:
        loss = cross_entropy(model(tokens).view(-1, VOCABULARY), targets)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        optimizer.step()
        return loss.detach()

    return once


def gpt(torch: Any) -> Any:
    """A decoder of pre-norm blocks over characters; AdamW."""
    nn, functional = torch.nn, torch.nn.functional
    width, heads, context = GPT["width"], GPT["heads"], GPT["context"]

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.mix, self.project = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.grow, self.shrink = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

        def forward(self, x: Any) -> Any:
            n, t, _ = x.shape
            q, k, v = self.mix(self.norm1(x)).split(width, dim=2)
            q, k, v = (z.view(n, t, heads, width // heads).transpose(1, 2) for z in (q, k, v))
            y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.project(y.transpose(1, 2).reshape(n, t, width))
            return x + self.shrink(functional.gelu(self.grow(self.norm2(x))))

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tokens = nn.Embedding(GPT["symbols"], width)
            self.places = nn.Embedding(context, width)
            self.blocks = nn.Sequential(*[Block() for _ in range(GPT["layers"])])
            self.norm = nn.LayerNorm(width)
            self.head = nn.Linear(width, GPT["symbols"], bias=False)

        def forward(self, tokens: Any) -> Any:
            x = self.tokens(tokens) + self.places(torch.arange(tokens.shape[1]))
            return self.head(self.norm(self.blocks(x)))

    model = weigh(torch, Model())
    count = GPT["batch"] * context
    tokens = labels(torch, count, GPT["symbols"]).view(GPT["batch"], context)
    targets = labels(torch, count, GPT["symbols"]).flip(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    cross_entropy = functional.cross_entropy
    return training(
        torch, model, optimizer,
        lambda: cross_entropy(model(tokens).view(-1, GPT["symbols"]), targets),
    )  # fmt: skip


def table() -> list[Workload]:
    """The lines of this file."""
    h, e, tokens = LSTM["hidden"], LSTM["embedding"], LSTM["steps"] * LSTM["batch"]
    lstm_flops = 3 * 2 * tokens * (4 * h * (e + h) + 4 * h * 2 * h + h * VOCABULARY)
    width, words = GPT["width"], GPT["batch"] * GPT["context"]
    block = 12 * width * width + 2 * GPT["context"] * width
    gpt_flops = 3 * 2 * words * (GPT["layers"] * block + width * GPT["symbols"])
    return [
        Workload(
            "sequence", "LSTM 2x256, 35 steps, batch 20, SGD", lstm, 0.7, flops=lstm_flops
        ),
        Workload(
            "sequence", "GPT 4x192, context 128, batch 8, AdamW", gpt, 0.9, flops=gpt_flops
        ),
    ]  # fmt: skip
