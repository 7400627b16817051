"""Printing of tensors of all kinds, of modules, sizes, devices and options."""

import torch
import torch.nn as nn

torch.manual_seed(13)
print(torch.rand(3, 4), torch.randn(2, 2) * 1e5, torch.tensor([1e-8, 1.0]), torch.tensor([]))
print(torch.tensor(3), torch.tensor(2.5), torch.tensor(True), torch.tensor([True, False]))
print(torch.arange(2000), torch.rand(100, 100), torch.zeros(0, 3), torch.tensor([1, -100]))
print(torch.tensor([1.0, float("inf"), float("nan")]), torch.tensor([1 + 2j, -0.5j]))
print(torch.tensor([1.5], dtype=torch.float16), torch.tensor([1.5], dtype=torch.float64))
print(torch.tensor([1, 2], dtype=torch.int8), torch.tensor([1.0], dtype=torch.bfloat16))
a = torch.ones(2, requires_grad=True)
print(a, a * 2, (a * 2).sum(), a.detach(), a.grad, nn.Parameter(torch.zeros(2)))
print(a.shape, a.size(), a.dtype, a.device, a.layout, repr(a.shape), a.type(), torch.Size([1, 2]))
print(f"{a.sum():.2f} {a[0].item()} {torch.tensor(7):03d} {torch.tensor(1.5)}", str(a), [a])
torch.set_printoptions(precision=2, sci_mode=False)
print(torch.tensor([0.123456, 1234.5678]))
torch.set_printoptions(profile="default")
print(torch.tensor([0.123456, 1234.5678]), torch.tensor([[1.0, 2.0]]).tolist())
print(nn.Conv2d(1, 2, 3, padding="same", dilation=2, bias=False), nn.Embedding(3, 4, padding_idx=0))
print(nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.ModuleList([nn.ReLU(), nn.Identity()])}))
print(nn.ParameterList([torch.ones(2), torch.zeros(1, 3)]), nn.LSTM(2, 3, 2, dropout=0.1))
print(
    nn.CrossEntropyLoss(), nn.BatchNorm2d(3), nn.GroupNorm(2, 4), nn.LayerNorm((2, 3)), nn.Flatten()
)
print(nn.Dropout(0.3), nn.MaxPool2d(2, 2), nn.AdaptiveAvgPool2d((None, 1)), nn.Softmax(dim=1))
print(
    nn.Upsample(scale_factor=2), nn.PixelShuffle(2), nn.ConvTranspose1d(2, 3, 4, output_padding=0)
)
print(torch.optim.SGD([a], lr=0.1), torch.optim.AdamW([{"params": [a], "lr": 1e-3}], lr=0.1))
print(torch.float32, torch.device("cpu"), torch.device("cuda:1"), torch.Generator().device)
print(torch.finfo(torch.float32), torch.iinfo(torch.int16), torch.strided, torch.contiguous_format)
print(torch.tensor([[1, 2], [3, 4]]).to_sparse(), torch.empty(2, device="meta"))
print(torch.randn(3, 3).max(0), torch.ones(2, 3, 4, 5)[..., 0])
