"""Denoising by STFT, mel features, masks by an LSTM, filters, WaveNet, CTC, Griffin-Lim."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
sr = 1000
t = torch.arange(0, 1, 1 / sr)
clean = torch.sin(2 * math.pi * 50 * t) + 0.5 * torch.sin(2 * math.pi * 120 * t)
noisy = clean + 0.5 * torch.randn_like(t)
W = torch.hann_window(128)
S = torch.stft(noisy, 128, 32, window=W, return_complex=True, center=True, pad_mode="reflect")
print(S.shape, S.abs().mean(), S.dtype)
mag, ph = S.abs(), S.angle()
thr = mag.quantile(0.9, dim=0, keepdim=True)
D = torch.polar(F.relu(mag - 0.5 * thr), ph)
y = torch.istft(D, 128, 32, window=W, length=len(t))
print(y.shape, (y - clean).pow(2).mean(), (noisy - clean).pow(2).mean())
for w in ("hamming", "blackman", "bartlett", "kaiser"):
    print(w, getattr(torch, w + "_window")(6))
from torch.signal import windows

print(
    windows.gaussian(5, std=1.0),
    windows.general_cosine(4, a=[0.5, 0.5]),
    windows.nuttall(4),
    windows.exponential(4, tau=2.0),
)


def mel_fb(nf, nm, sr):
    hz = lambda m: 700 * (10 ** (m / 2595) - 1)
    ml = 2595 * math.log10(1 + sr / 2 / 700)
    pts = hz(torch.linspace(0, ml, nm + 2))
    fr = torch.linspace(0, sr / 2, nf)
    d = pts.diff()
    sl = pts[None] - fr[:, None]
    return torch.clamp(torch.min(-sl[:, :-2] / d[:-1], sl[:, 2:] / d[1:]), min=0)


fb = mel_fb(65, 12, sr)
mel = (S.abs() ** 2).T @ fb
db = 10 * torch.log10(torch.clamp(mel, min=1e-10))
n = torch.arange(12.0)
dct = torch.cos(math.pi / 12 * (n + 0.5) * n[:, None])
print((db @ dct.T)[:2, :6])


class Mask(nn.Module):
    def __init__(s):
        super().__init__()
        s.rnn = nn.LSTM(
            65, 24, num_layers=2, batch_first=True, bidirectional=True, dropout=0.1, proj_size=12
        )
        s.out = nn.Linear(24, 65)

    def forward(s, x):
        X = torch.stft(x, 128, 32, window=W, return_complex=True)
        h, _ = s.rnn(torch.log1p(X.abs()).transpose(1, 2))
        return torch.istft(
            X * s.out(h).sigmoid().transpose(1, 2), 128, 32, window=W, length=x.shape[-1]
        )


def si_sdr(e, r):
    e, r = e - e.mean(-1, True), r - r.mean(-1, True)
    a = (e * r).sum(-1, True) / r.pow(2).sum(-1, True)
    return 10 * torch.log10((a * r).pow(2).sum(-1) / (a * r - e).pow(2).sum(-1))


m = Mask()
o = torch.optim.Adam(m.parameters(), 5e-3)
X = noisy.view(4, 250)
C = clean.view(4, 250)
for i in range(4):
    l = -si_sdr(m(X), C).mean()
    o.zero_grad()
    l.backward()
    o.step()
    print("sdr", l.item())
# filters
fir = torch.sinc(2 * 0.1 * (torch.arange(31) - 15)) * torch.hamming_window(31)
fir /= fir.sum()
a = F.conv1d(noisy[None, None], fir[None, None], padding=15)[0, 0]
nf = 1 << (len(t) + 31 - 1 - 1).bit_length()
b = torch.fft.irfft(torch.fft.rfft(noisy, nf) * torch.fft.rfft(fir, nf), nf)[15 : 15 + len(t)]
print(torch.allclose(a, b, atol=1e-5), a[:4])
print(
    torch.fft.rfftfreq(8, 1 / sr),
    torch.fft.hfft(torch.tensor([1.0, 2 + 1j, 3])),
    torch.fft.ifftshift(torch.arange(5)),
    torch.fft.fftn(torch.ones(2, 2, 2)).real.sum(),
    torch.fft.rfft2(torch.eye(3), norm="ortho")[0],
)
an = torch.fft.ifft(
    torch.fft.fft(clean)
    * torch.cat([torch.ones(1), torch.full((499,), 2.0), torch.ones(1), torch.zeros(499)])
)
print(an.abs()[100:103], torch.diff(an.angle())[:3])
ac = torch.fft.irfft(torch.fft.rfft(clean, 2000).abs() ** 2)[:3]
print(ac)


# WaveNet, TCN, causal conv with weight norm, gated; mu-law
class WN(nn.Module):
    def __init__(s, c=8):
        super().__init__()
        s.inp = nn.Conv1d(1, c, 1)
        s.f = nn.ModuleList()
        s.g = nn.ModuleList()
        s.s = nn.ModuleList()
        [
            (
                s.f.append(
                    nn.utils.parametrizations.weight_norm(nn.Conv1d(c, c, 2, dilation=2**i))
                ),
                s.g.append(nn.utils.weight_norm(nn.Conv1d(c, c, 2, dilation=2**i))),
                s.s.append(nn.Conv1d(c, 2 * c, 1)),
            )
            for i in range(4)
        ]
        s.o = nn.Conv1d(c, 16, 1)

    def forward(s, x):
        x = s.inp(x)
        sk = 0
        for i, (f, g, p) in enumerate(zip(s.f, s.g, s.s)):
            xp = F.pad(x, (2**i, 0))
            h = torch.tanh(f(xp)) * torch.sigmoid(g(xp))
            r, k = p(h).chunk(2, 1)
            x = x + r
            sk = sk + k
        return s.o(F.relu(sk))


q = torch.sign(clean) * torch.log1p(255 * (clean / 2).abs()) / math.log1p(255)
q = ((q + 1) / 2 * 15).round().long().clamp_(0, 15)
net = WN()
o = torch.optim.Adam(net.parameters(), 1e-2)
sch = torch.optim.lr_scheduler.OneCycleLR(o, 1e-2, total_steps=6)
xin = (q.float() / 7.5 - 1)[None, None]
for i in range(5):
    l = F.cross_entropy(net(xin[..., :-1]), q[None, 1:])
    o.zero_grad()
    l.backward()
    o.step()
    sch.step()
    print("wn", l.item(), sch.get_last_lr()[0])
print([k for k in net.state_dict() if k.startswith(("f.0", "g.0"))], net.g[0])
nn.utils.remove_weight_norm(net.g[0])
print([k for k in net.state_dict() if k.startswith("g.0")])
# CTC
T, B, Cc = 20, 3, 6
lg = torch.randn(T, B, Cc, requires_grad=True)
tg = torch.randint(1, Cc, (B, 5))
il = torch.tensor([20, 18, 15])
tl = torch.tensor([5, 3, 4])
c = nn.CTCLoss(zero_infinity=True)
l = c(lg.log_softmax(2), tg, il, tl)
l.backward()
print(
    l,
    lg.grad.abs().sum(),
    F.ctc_loss(
        lg.log_softmax(2),
        torch.cat([tg[i, :n] for i, n in enumerate(tl)]),
        il,
        tl,
        reduction="none",
    ),
)
best = lg.argmax(2).T
print([torch.unique_consecutive(b)[torch.unique_consecutive(b) != 0].tolist() for b in best])
# resample, griffin lim, phase vocoder-ish, correlation
print(
    F.interpolate(noisy[None, None, :20], scale_factor=0.5, mode="linear", align_corners=True),
    F.conv_transpose1d(clean[None, None, :5], torch.tensor([[[0.5, 1.0, 0.5]]]), stride=2),
    F.avg_pool1d(clean[None, None, :10], 3, 2, 1, count_include_pad=False),
    F.lp_pool1d(clean[None, None, :10], 2, 3),
    torch.cumulative_trapezoid(clean[:5]),
    F.unfold(torch.arange(16.0).view(1, 1, 4, 4), 2, stride=2),
    F.fold(F.unfold(torch.arange(16.0).view(1, 1, 4, 4), 2), (4, 4), 2),
)
ang = torch.zeros_like(mag)
for i in range(3):
    rec = torch.istft(torch.polar(mag, ang), 128, 32, window=W)
    ang = torch.stft(rec, 128, 32, window=W, return_complex=True).angle()[:, : mag.shape[1]]
    ang = F.pad(ang, (0, mag.shape[1] - ang.shape[1]))
    print(rec.shape, rec.norm())
try:
    torch.stft(noisy, 128, 32, return_complex=False)
except Exception as e:
    print(type(e).__name__)
try:
    torch.stft(noisy, 128)
except Exception as e:
    print(type(e).__name__)
