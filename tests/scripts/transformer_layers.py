"""nn.TransformerEncoder, nn.MultiheadAttention and nn.Transformer with masks."""

import torch
from torch import nn

torch.manual_seed(0)
layer = nn.TransformerEncoderLayer(d_model=16, nhead=4, dim_feedforward=32, batch_first=True)
encoder = nn.TransformerEncoder(layer, num_layers=2, enable_nested_tensor=False)
x = torch.randn(2, 5, 16)
pad = torch.tensor([[False] * 5, [False, False, False, True, True]])
mask = nn.Transformer.generate_square_subsequent_mask(5)
print(mask)
out = encoder(x, mask=pad.new_zeros(5, 5), src_key_padding_mask=pad)
print(out.shape, f"{out.mean().item():.4f} {out.std().item():.4f}")
out.sum().backward()
print(encoder.layers[0].self_attn.in_proj_weight.grad.abs().sum() > 0)
mha = nn.MultiheadAttention(16, 2, batch_first=True, dropout=0.0)
y, w = mha(x, x, x, key_padding_mask=pad)
print(y.shape, w.shape, w[1].sum(-1), w[1, 0])
y, w = mha(x, x, x, need_weights=False)
print(w, f"{y.sum().item():.4f}")
model = nn.Transformer(16, 2, 1, 1, 32, batch_first=True).eval()
z = model(x, x[:, :3], tgt_mask=nn.Transformer.generate_square_subsequent_mask(3))
print(z.shape, z[0, 0, :4])
print(encoder)
print(model)
