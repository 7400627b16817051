"""torch.compile, thread counts, determinism, generators, random draws."""

import torch
import torch.nn as nn

torch.manual_seed(17)
print(torch.rand(3), torch.randn(3), torch.randint(0, 10, (5,)), torch.randperm(6))
print(
    torch.bernoulli(torch.full((4,), 0.5)),
    torch.normal(0.0, 2.0, (3,)),
    torch.rand_like(torch.ones(2)),
)
print(torch.empty(3).uniform_(-1, 1), torch.empty(3).normal_(1, 2), torch.empty(2).exponential_())
print(
    torch.multinomial(torch.tensor([0.1, 0.2, 0.7]), 4, replacement=True),
    torch.randn(2, dtype=torch.float64),
)
print(
    torch.poisson(torch.tensor([3.0, 5.0])),
    torch.empty(3).random_(10),
    torch.randn(2, dtype=torch.complex64),
)
g = torch.Generator().manual_seed(3)
print(torch.rand(2, generator=g), g.initial_seed(), torch.initial_seed())
state = torch.get_rng_state()
first = torch.rand(20)
torch.set_rng_state(state)
print(torch.equal(first, torch.rand(20)), state.shape, state.dtype)
with torch.random.fork_rng():
    torch.manual_seed(0)
    inside = torch.rand(1)
print(inside, torch.rand(1))
print(
    nn.functional.dropout(torch.ones(10), 0.5),
    nn.functional.gumbel_softmax(torch.zeros(3), hard=True),
)
model = torch.compile(nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1)))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
x = torch.randn(8, 4)
for _ in range(3):
    loss = (model(x) - 1).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"{loss.item():.4f}", len(list(model.parameters())))


@torch.compile
def f(a, b):
    return torch.sin(a) + b


print(f(torch.zeros(2), torch.ones(2)))
torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
print(torch.get_num_threads(), torch.are_deterministic_algorithms_enabled())
torch.backends.cudnn.benchmark = False
torch.backends.cudnn.deterministic = True
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
print(device, torch.cuda.device_count(), torch.ones(1, device=device).device)
print(torch.backends.mps.is_available(), torch.ones(2).to(device).is_cuda, torch.__version__[:4])
