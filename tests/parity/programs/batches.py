"""Programs about vmap: dimensions, levels, randomness, writes, and every family of operations."""

from __future__ import annotations

from typing import Any

from tests.parity.programs.autograd import Trial
from tests.parity.programs.transforms import arange


def vmap_dims(torch: Any) -> Any:
    vmap = torch.func.vmap
    m, v = arange(torch, 2, 3), arange(torch, 3)
    return (
        vmap(torch.dot, in_dims=(0, None))(m, v),
        vmap(torch.mul, in_dims=(1, 0))(m, v),
        vmap(torch.mul, in_dims=(1, 0), out_dims=1)(m, v),
        vmap(lambda r: (r, r.sum()), in_dims=-1, out_dims=(-1, 0))(m),
        vmap(lambda d: d["a"] + d["b"], in_dims=({"a": 0, "b": None},))({"a": m, "b": v}),
        vmap(lambda a: torch.ones(2))(m),
        vmap(lambda a: torch.ones(2), out_dims=1)(m),
        vmap(lambda a: v, out_dims=None)(m),
    )


def vmap_nested(torch: Any) -> Any:
    vmap = torch.func.vmap
    x, y = arange(torch, 2, 3, 4), arange(torch, 5, 4)
    return (
        vmap(vmap(torch.sin))(x),
        vmap(vmap(torch.dot, in_dims=(0, None)), in_dims=(0, None))(x, y[0]),
        vmap(lambda a: vmap(lambda b: a @ b)(y))(x),
        vmap(vmap(vmap(lambda a: a * 2)), in_dims=1, out_dims=2)(x),
        vmap(lambda a: vmap(lambda b: (a * b).sum(), in_dims=1)(a))(x),
    )


def vmap_chunks(torch: Any) -> Any:
    x = arange(torch, 5, 3)
    return (
        torch.func.vmap(lambda r: r.softmax(0), chunk_size=2)(x),
        torch.func.vmap(lambda r: (r.sum(), r), out_dims=(0, 1), chunk_size=2)(x),
    )


def vmap_refuses(torch: Any) -> Any:
    t = Trial()
    vmap = torch.func.vmap
    m = arange(torch, 2, 3)
    t(lambda: vmap(torch.add)(m, arange(torch, 3, 3)))
    t(lambda: vmap(torch.sin, in_dims=2)(m))
    t(lambda: vmap(torch.sin, in_dims=None)(m))
    t(lambda: vmap(torch.sin, in_dims=(0, 0))(m))
    t(lambda: vmap(torch.sin, in_dims=[0])(m))
    t(lambda: vmap(torch.sin)(3.0))
    t(lambda: vmap(lambda r: 3)(m))
    t(lambda: vmap(torch.sin, out_dims=3)(m))
    t(lambda: vmap(torch.sin, out_dims=(0, 0))(m))
    t(lambda: vmap(torch.sin, out_dims=None)(m))
    t(lambda: vmap(torch.sin, randomness="other")(m))
    t(lambda: vmap(torch.sin, chunk_size=0)(m))
    t(lambda: vmap(torch.sin)())
    return t.log


def vmap_data_dependent(torch: Any) -> Any:
    t = Trial()
    vmap = torch.func.vmap
    m = arange(torch, 2, 3)
    t(lambda: vmap(lambda r: r.sum().item())(m))
    t(lambda: vmap(lambda r: r if r.sum() > 0 else -r)(m))
    t(lambda: vmap(lambda r: r[r > 0.5])(m))
    t(lambda: vmap(torch.nonzero)(m))
    t(lambda: vmap(lambda r: torch.tensor(float(r[0])))(m))
    return t.log


def vmap_random(torch: Any) -> Any:
    vmap = torch.func.vmap
    m = arange(torch, 3, 4)
    found = []
    for mode in ("same", "different"):
        for f in (
            lambda r: r + torch.rand(4),
            lambda r: r + torch.rand_like(r),
            lambda r: torch.nn.functional.dropout(r, 0.5),
            lambda r: torch.randint(0, 100, (3,)),
            lambda r: torch.randperm(4),
            lambda r: torch.bernoulli(torch.full((4,), 0.5)),
        ):
            torch.manual_seed(3)
            found.append(vmap(f, randomness=mode)(m))
    return found


def vmap_random_refused(torch: Any) -> Any:
    t = Trial()
    vmap = torch.func.vmap
    m = arange(torch, 2, 3)
    t(lambda: vmap(lambda r: r + torch.rand(3))(m))
    t(lambda: vmap(lambda r: torch.nn.functional.dropout(r))(m))
    t(lambda: vmap(lambda r: torch.zeros(3).uniform_(), randomness="different")(m))
    t(lambda: vmap(lambda r: torch.nn.functional.dropout(r, training=False))(m))
    return t.log


def vmap_inplace(torch: Any) -> Any:
    t = Trial()
    vmap = torch.func.vmap
    m = arange(torch, 2, 3)

    def fill(r: Any) -> Any:
        out = torch.zeros_like(r)
        out[0] = r[1]
        out[1:] += r[:2]
        out.mul_(r).sub_(0.3)
        return out

    def into_shared(r: Any) -> Any:
        return torch.zeros(3).add_(r)

    def new(r: Any) -> Any:
        out = r.new_zeros(2, 3)
        out[1] = r
        return out

    t(lambda: vmap(fill)(m))
    t(lambda: vmap(into_shared)(m))
    t(lambda: vmap(new)(m))
    written = m.clone()
    vmap(lambda r: r.mul_(2))(written)
    return t.log, written


def vmap_indexing(torch: Any) -> Any:
    vmap = torch.func.vmap
    m = arange(torch, 3, 4, 5)
    k = torch.tensor([[0, 2], [1, 1], [3, 0]])
    v = arange(torch, 6)
    return (
        vmap(lambda a, i: a[i])(m, k),
        vmap(lambda a, i: a[:, i])(m, k),
        vmap(lambda a, i: a[i, i + 1])(m, k),
        vmap(lambda i: v[i])(k),
        vmap(lambda a: a[torch.tensor([0, 3])])(m),
        vmap(lambda a: a[..., torch.tensor([True, False, True, False, True])])(m),
        vmap(lambda a, i: a.index_select(1, i))(m, k),
        vmap(lambda a: a[1:, None, ::2])(m),
        vmap(lambda a, i: torch.gather(a[:, 0], 0, i))(m, k),
        vmap(lambda a, i: a[:, 0].scatter(0, i[:1], 9.0))(m, k),
        vmap(lambda a, i: a.index_add(0, i, a[:2]))(m, k),
        vmap(lambda a, i: torch.take_along_dim(a[:, 0], i, 0))(m, k),
    )


def vmap_shapes(torch: Any) -> Any:
    vmap = torch.func.vmap
    x = arange(torch, 2, 3, 4)
    return (
        vmap(lambda a: torch.tensor([a.ndim, a.shape[0], a.numel(), a.size(-1)]))(x),
        vmap(lambda a: a.T.reshape(-1))(x),
        vmap(lambda a: a.flatten().unflatten(0, (2, 6)))(x),
        vmap(lambda a: torch.cat([a, a.sum(0, keepdim=True)]))(x),
        vmap(lambda a: torch.stack([a[0], a[1]], -1))(x),
        vmap(lambda a: a.unbind(0))(x),
        vmap(lambda a: a.split(2, 1))(x),
        vmap(lambda a: a.expand(5, 3, 4).sum(0))(x),
        vmap(lambda a: a.diagonal().sum())(x),
        vmap(lambda a: torch.einsum("ij,kj->ik", a, a))(x),
        vmap(lambda a: a.unfold(1, 2, 1).contiguous())(x),
        vmap(lambda a: torch.nn.functional.pad(a, (1, 2)))(x),
    )


def vmap_reductions(torch: Any) -> Any:
    x = arange(torch, 2, 3, 4).sin()
    vmap = torch.func.vmap
    found = [
        vmap(lambda a, f=f: f(a))(x)
        for f in (
            lambda a: a.sum(),
            lambda a: a.mean(0),
            lambda a: a.var(1, keepdim=True),
            lambda a: a.max(),
            lambda a: a.max(0),
            lambda a: a.argmin(),
            lambda a: a.argmax(1),
            lambda a: a.prod(-1),
            lambda a: a.logsumexp((0, 1)),
            lambda a: a.norm(),
            lambda a: a.cumsum(0),
            lambda a: a.sort(1),
            lambda a: a.topk(2),
            lambda a: a.median(),
            lambda a: a.softmax(0).std(),
            lambda a: (a > 0).any(0),
            lambda a: (a > 0).all(),
            lambda a: a.flip(0).roll(1, 1),
            lambda a: a.cummax(0).values,
        )
    ]
    return [tuple(f) if isinstance(f, tuple) else f for f in found]


def vmap_scalars(torch: Any) -> Any:
    x = arange(torch, 4)
    vmap = torch.func.vmap
    return (
        vmap(lambda s: s.sum(0) + s.max())(x),
        vmap(lambda s: torch.stack([s, s * 2]))(x),
        vmap(lambda s: s.reshape(1, 1))(x),
        vmap(lambda s: torch.where(s > 0.5, s, 2.0))(x),
        vmap(lambda s: s.double() * 2)(x),
        vmap(lambda s: torch.arange(3) * s)(x),
    )


def vmap_linalg(torch: Any) -> Any:
    vmap = torch.func.vmap
    a = arange(torch, 2, 3, 3) + torch.eye(3)
    b = arange(torch, 2, 3)
    return (
        vmap(torch.linalg.inv)(a),
        vmap(torch.linalg.det)(a),
        vmap(torch.linalg.solve)(a, b),
        vmap(torch.linalg.solve, in_dims=(0, None))(a, b[0]),
        vmap(torch.linalg.solve)(a, a),
        vmap(lambda m: torch.linalg.cholesky(m @ m.T))(a),
        vmap(torch.mv)(a, b),
        vmap(torch.mv, in_dims=(None, 0))(a[0], b),
        vmap(torch.matmul, in_dims=(0, None))(a, a),
        vmap(torch.outer)(b, b),
        vmap(torch.addmm)(a, a, a),
        vmap(torch.linalg.matrix_norm)(a),
        vmap(torch.trace)(a),
        vmap(torch.tril)(a),
    )


def vmap_layers(torch: Any) -> Any:
    f, vmap = torch.nn.functional, torch.func.vmap
    x, w = (9 * arange(torch, 2, 3, 4, 6, 6).double()).sin(), arange(torch, 2, 5, 4, 3, 3).double()
    rows, scale = arange(torch, 2, 3, 4).double().sin(), arange(torch, 2, 4).double()
    return (
        vmap(lambda x: f.conv2d(x, w[0], padding=1))(x),
        vmap(lambda x, w: f.conv2d(x, w, stride=2))(x, w),
        vmap(lambda w: f.conv2d(x[0], w))(w),
        vmap(lambda x, w: f.conv_transpose2d(x, w.transpose(0, 1)))(x, w),
        vmap(lambda x: f.max_pool2d(x, 2))(x),
        vmap(lambda x: f.avg_pool2d(x, 3, padding=1))(x),
        vmap(lambda x: f.adaptive_avg_pool2d(x, 2))(x),
        vmap(lambda x: f.interpolate(x, scale_factor=2))(x[:, :, :, :2, :2]),
        vmap(lambda r, s: f.layer_norm(r, (4,), s, s))(rows, scale),
        vmap(lambda r: f.layer_norm(r, (4,)))(rows),
        vmap(lambda x, s: f.group_norm(x, 2, s, s))(x, scale),
        vmap(lambda x, s: f.batch_norm(x, None, None, s, s, training=True))(x, scale),
        vmap(lambda x: f.batch_norm(x, None, None, training=True))(x),
        vmap(lambda x: f.instance_norm(x))(x),
        vmap(lambda r, s: f.linear(r, s.outer(s), s))(rows, scale),
        vmap(lambda i, s: f.embedding(i, s.outer(s)))(torch.tensor([[0, 3], [1, 1]]), scale),
        vmap(lambda r: f.scaled_dot_product_attention(r, r, r))(rows),
        vmap(lambda r: f.gelu(r) + f.silu(r) + f.softplus(r))(rows),
    )


def vmap_losses(torch: Any) -> Any:
    f, vmap = torch.nn.functional, torch.func.vmap
    x, y = arange(torch, 2, 3, 4).sin(), torch.tensor([[0, 1, 3], [2, 2, -100]])
    weight = arange(torch, 4)
    found = [
        vmap(lambda x, y, r=r, w=w: f.cross_entropy(x, y, w, reduction=r))(x, y)
        for r in ("none", "mean", "sum")
        for w in (None, weight)
    ]
    found += [
        vmap(lambda a, b, g=g, r=r: g(a, b, reduction=r))(x, x.cos())
        for g in (f.mse_loss, f.l1_loss, f.smooth_l1_loss, f.huber_loss)
        for r in ("none", "mean", "sum")
    ]
    found.append(vmap(f.binary_cross_entropy)(x.sigmoid(), x.cos().abs()))
    found.append(vmap(f.binary_cross_entropy_with_logits)(x, x.cos().abs()))
    found.append(vmap(f.nll_loss)(x, y.clamp(min=0)))
    found.append(vmap(f.cross_entropy)(x[:, 0], y[:, 0]))
    return found


def batch_norm_refuses(torch: Any) -> Any:
    t = Trial()
    x, mean = arange(torch, 2, 3, 4), torch.zeros(4)
    f = torch.nn.functional.batch_norm
    t(lambda: torch.func.vmap(lambda x: f(x, mean, mean, training=True))(x))
    t(lambda: torch.func.vmap(lambda x: f(x, mean, mean + 1))(x))
    return t.log
