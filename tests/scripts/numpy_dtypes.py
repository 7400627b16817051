"""Exchange with NumPy, dtype conversion and promotion, complex numbers, bits."""

import numpy as np
import torch

a = np.arange(6, dtype=np.float32).reshape(2, 3)
t = torch.from_numpy(a)
t[0, 0] = 42
print(a, t.numpy() is a, np.shares_memory(a, t.numpy()), torch.tensor(a)[0])
print(np.asarray(t), np.sin(t), t + a, type(a + t.numpy()), torch.as_tensor([1, 2.5]))
print(torch.tensor(np.float64(3)).dtype, torch.tensor([np.int32(1)]).dtype, torch.tensor(1.0).dtype)
i = torch.tensor([1, 2, 3])
print((i + 1.5).dtype, (i / 2).dtype, (i // 2).dtype, (i + torch.tensor(1.5)).dtype, i.float() / 3)
print((i > 1).dtype, (i == 2).sum(), i.to(torch.float64), i.type(torch.uint8), i.half(), i.bool())
print((torch.ones(1, dtype=torch.int8) + torch.ones(1, dtype=torch.uint8)).dtype)
print((torch.ones(1, dtype=torch.float16) * torch.ones(1, dtype=torch.bfloat16)).dtype)
print(
    torch.result_type(i, 1j),
    torch.promote_types(torch.int32, torch.float16),
    torch.can_cast(torch.float32, torch.int32),
)
print(
    -7 // torch.tensor(2),
    torch.tensor(-7) % 3,
    torch.fmod(torch.tensor(-7), 3),
    torch.tensor(7) / 0,
)
print(
    torch.tensor([2.5, 3.5, -0.5]).round(),
    torch.tensor([-1.7]).trunc(),
    torch.tensor([1.9, -1.9]).int(),
)
z = torch.tensor([3 + 4j, 1 - 1j])
print(z.abs(), z.angle(), z.conj(), z.real, z.imag, z * z, torch.view_as_real(z), z.dtype)
print(torch.polar(torch.tensor([1.0]), torch.tensor([torch.pi / 2])), torch.complex(t[0], t[1]))
print(torch.fft.fft(torch.tensor([1.0, 2, 3, 4])), torch.fft.irfft(torch.fft.rfft(torch.ones(4))))
w = torch.tensor([1.0 + 2j], requires_grad=True)
(w * w.conj()).real.sum().backward()
print(w.grad)
print(i & 1, i | 4, i ^ 1, ~i, i << 2, torch.tensor([True]) & torch.tensor([False]))
print(torch.tensor([250], dtype=torch.uint8) + 10, torch.tensor(2**31 - 1, dtype=torch.int32) + 1)
print(
    torch.linspace(0, 1, 5),
    torch.logspace(0, 2, 3),
    torch.arange(0, 1, 0.3),
    torch.eye(2),
    torch.full((2,), 7),
)
print(t.sum().item(), t.mean(0), t.std(), t.var(1, unbiased=False), t.prod(), t.cumsum(1), t.norm())
print(
    torch.allclose(t, t + 1e-9),
    torch.equal(t, t),
    torch.isclose(t, t + 1),
    t.numel(),
    t.element_size(),
)
print(
    t.stride(),
    t.t().is_contiguous(),
    t.t().contiguous().stride(),
    t.storage_offset(),
    t[1].storage_offset(),
)
print(
    [x.item() for x in i],
    list(i),
    len(t),
    2 in i,
    t.tolist(),
    int(i[0]),
    float(t[0, 0]),
    t.max().item(),
)
torch.set_default_dtype(torch.float64)
print(torch.tensor(1.5).dtype, torch.zeros(1), torch.tensor([1.0 / 3]))
torch.set_default_dtype(torch.float32)
