"""Jagged tensors against PyTorch: shapes, arithmetic, reductions, products, attention, gradients."""

from __future__ import annotations

import re
import warnings

import pytest

import flambeau

EXPRESSIONS = """
nt
ng
nt.shape
nt.size()
nt.size(0)
nt.size(1)
nt.size(-1)
nt.shape[1]==nt.shape[1]
nt.shape[1]==n2.shape[1]
nt.shape[1]>0
nt.shape[1]*2
nt.shape==ng.shape
nt.stride()
nt.dim()
nt.ndim
nt.numel()
len(nt)
nt.values()
nt.offsets()
nt.lengths()
nt.layout
nt.dtype
nt.device
nt.requires_grad
nt.is_leaf
nt.is_nested
nt.is_contiguous()
type(nt).__name__
nt+1
nt*nt
nt+ng
nt+nt.sin()
nt-n4
nt+torch.ones(6)
nt+torch.ones(3,1,6)
nt+torch.ones(3,1,1)
nt+torch.ones(1,1,6)
nt+torch.ones(3,3,6)
nt>0
nt==nt
torch.where(nt>0,nt,torch.zeros_like(nt))
torch.where(nt>0,nt,0.)
nt.sin().exp().relu()
F.gelu(nt)
nt.double().dtype
nt.to(torch.float64)
nt.long()
nt.clone()
nt.detach()
ng.detach()
nt.neg()
-nt
abs(nt)
nt**2
1/nt
nt.clamp(0,1)
nt.masked_fill(nt>0,0.)
lin(nt)
ln(nt)
emb(ids)
F.embedding(ids, emb.weight)
nt.softmax(-1)
F.softmax(nt,dim=2)
F.softmax(nt,dim=1)
F.log_softmax(nt,dim=-1)
nt.sum()
nt.mean()
nt.sum(-1)
nt.sum(1)
nt.sum(0)
nt.sum(2)
nt.sum(1,keepdim=True)
nt.sum(-1,keepdim=True)
nt.mean(1)
nt.mean(-1)
nt.sum((0,1))
nt.sum(dim=(0,1,2))
nt.max()
nt.amax(1)
nt.amax(-1)
nt.max(dim=1)
nt.max(dim=-1)
nt.argmax(-1)
nt.argmax(1)
nt.prod(1)
nt.any(-1)
(nt>0).all()
(nt>0).any(1)
nt.unbind()
[x.shape for x in nt.unbind()]
nt[0]
nt[-1]
nt[0,1]
nt[:,0]
nt[:,:,0]
nt[:, :, 1:3]
nt[..., 0]
nt[..., :2]
nt[0:2]
nt[1:]
nt.select(0,1)
nt.select(2,1)
nt.select(1,0)
nt.narrow(0,0,2)
nt.narrow(2,0,2)
nt.chunk(2,-1)
nt.chunk(3,0)
nt.split(2,-1)
nt.split([1,5],-1)
nt.transpose(1,2)
nt.transpose(1,2).shape
nt.transpose(0,1)
nt.transpose(-1,-2).transpose(1,2)
n4.transpose(1,2)
n4.transpose(1,2).contiguous()
n4.transpose(1,2).values().shape
n4.transpose(2,3)
n4.permute(0,2,1,3)
n4.permute(0,1,3,2)
nt.unsqueeze(-1)
nt.unsqueeze(1)
nt.unsqueeze(0)
nt.unsqueeze(2)
nt.unsqueeze(-1).squeeze(-1)
nt.squeeze(0)
nt.view(3,-1,2,3)
nt.view(3,nt.size(1),2,3)
nt.reshape(3,-1,2,3)
nt.reshape(3,-1,6)
nt.view(3,-1)
nt.unflatten(-1,[2,3])
nt.unflatten(-1,(2,3)).transpose(1,2)
nt.unflatten(-1,(2,3)).transpose(1,2).transpose(1,2).flatten(-2)
n4.flatten(2)
n4.flatten(-2)
n4.flatten(1,2)
nt.expand(3,nt.size(1),6)
nt.unsqueeze(-1).expand(3,-1,6,2)
torch.matmul(nt,torch.ones(6,2))
nt@torch.ones(6,2)
nt@torch.ones(3,6,2)
torch.bmm(nt,torch.ones(3,6,2))
torch.bmm(nt.transpose(1,2),nt)
torch.matmul(nt.transpose(1,2),nt)
torch.matmul(nt,nt.transpose(1,2))
F.scaled_dot_product_attention(*(3*[nt.unflatten(-1,(2,3)).transpose(1,2)]))
torch.cat([nt,nt],-1)
torch.cat([nt,nt],0)
torch.cat([nt,nt],1)
torch.stack([nt,nt])
torch.stack([nt,nt],-1)
torch.zeros_like(nt)
torch.ones_like(nt)
torch.full_like(nt,2.)
nt.to_padded_tensor(0.)
torch.nested.to_padded_tensor(nt,-1.)
torch.nested.to_padded_tensor(nt,-1.,(3,4,6))
torch.nested.to_padded_tensor(nt,-1.,(3,2,6))
torch.nested.to_padded_tensor(n2,0.)
torch.nested.to_padded_tensor(n4,0.).shape
torch.nested.nested_tensor_from_jagged(torch.arange(5.),torch.tensor([0,2,5]))
torch.nested.nested_tensor_from_jagged(torch.arange(10.).reshape(5,2),torch.tensor([0,2,5]))
torch.nested.nested_tensor_from_jagged(torch.arange(5.),lengths=torch.tensor([2,3]))
torch.nested.nested_tensor_from_jagged(torch.arange(5.))
torch.nested.as_nested_tensor([a,b],layout=torch.jagged)
torch.nested.as_nested_tensor(torch.ones(2,3,4),layout=torch.jagged)
torch.nested.nested_tensor([a,torch.ones(2,5)],layout=torch.jagged)
torch.nested.nested_tensor([a,torch.ones(2)],layout=torch.jagged)
torch.nested.nested_tensor([],layout=torch.jagged)
torch.nested.nested_tensor([[1.,2.],[3.]],layout=torch.jagged)
torch.nested.nested_tensor([torch.tensor(1.)],layout=torch.jagged)
nt.tolist()
list(nt)
bool((nt==nt).all())
torch.allclose(nt,nt)
nt.is_floating_point()
nt.element_size()
nt.contiguous() is nt
nt.cpu() is nt
hash(nt)==hash(nt)
nt.topk(2)
nt.T
nt.mT
nt.abs().sqrt().log1p()
torch.sigmoid(nt)*nt
torch.nan_to_num(nt)
torch.isnan(nt)
nt.unfold(1,1,1)
nt.repeat(1,1,2)
nt.view_as(nt)
nt.type(torch.float64)
nt.half()
nt.bool()
nt.square().sum(-1).sqrt()
nt.nelement()
nt.storage_offset()
""".strip().splitlines()


def told(t, value):
    """What can be compared: sizes with symbols unnumbered, the parts' numbers, flags."""
    if isinstance(value, t.Tensor) and value.is_nested:
        shape = re.sub(r"j\d+", "j", str(tuple(value.shape)))
        parts = [part.detach().double().round(decimals=3).tolist() for part in value.unbind()]
        return shape, value.is_contiguous(), value.requires_grad, parts
    if isinstance(value, t.Tensor):
        return tuple(value.shape), value.detach().double().round(decimals=3).tolist()
    if isinstance(value, (tuple, list)) and not isinstance(value, t.Size):
        return [told(t, each) for each in value]
    return re.sub(r"j\d+", "j", repr(value)).replace("flambeau", "torch")


def names(t):
    """The same tensors in both engines."""
    t.manual_seed(0)
    nested, jagged = t.nested.nested_tensor, {"layout": t.jagged}
    a, b, c = t.randn(2, 6), t.randn(3, 6), t.randn(1, 6)
    found = {
        "torch": t, "F": t.nn.functional, "a": a, "b": b,
        "nt": nested([a, b, c], **jagged),
        "ng": nested([a, b, c], requires_grad=True, **jagged),
        "n4": nested([t.randn(2, 4, 5), t.randn(3, 4, 5)], **jagged),
        "n2": nested([t.randn(2), t.randn(3)], **jagged),
        "ids": nested([t.tensor([1, 2]), t.tensor([3, 4, 5])], **jagged),
        "lin": t.nn.Linear(6, 4), "ln": t.nn.LayerNorm(6), "emb": t.nn.Embedding(10, 6),
    }  # fmt: skip
    return found


@pytest.fixture(scope="module")
def engines(oracle):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch calls nested tensors a prototype
        yield flambeau, oracle, names(flambeau), names(oracle)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_as_pytorch(expression, engines):
    ours, theirs, here, there = engines
    found = []
    for t, scope in ((ours, here), (theirs, there)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found.append(told(t, eval(expression, scope)))
        except Exception as problem:
            found.append(type(problem).__name__)
    assert found[0] == found[1]


ATTENTION = """
class Attention(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv, self.out = torch.nn.Linear(16, 48), torch.nn.Linear(16, 16)

    def forward(self, x):
        qkv = (each.contiguous() for each in self.qkv(x).chunk(3, -1))
        q, k, v = (each.unflatten(-1, [2, 8]).transpose(1, 2) for each in qkv)
        y = torch.nn.functional.scaled_dot_product_attention(q, k, v)
        return self.out(y.transpose(1, 2).flatten(-2))

torch.manual_seed(1)
model = Attention()
x = torch.nested.nested_tensor([torch.randn(2, 16), torch.randn(3, 16)], layout=torch.jagged)
y = model(x)
y.values().pow(2).sum().backward()
result = [y.values(), model.qkv.weight.grad, model.out.bias.grad]
"""


def test_a_layer_of_attention(engines):
    found = []
    for t in engines[:2]:
        scope = {"torch": t}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch tells which of its kernels it did not take
            exec(ATTENTION, scope)
        found.append([each.detach().tolist() for each in scope["result"]])
    for ours, theirs in zip(*found, strict=True):
        assert flambeau.allclose(flambeau.tensor(ours), flambeau.tensor(theirs), atol=1e-5)


def test_gradients_are_nested_and_reach_the_parts():
    torch = flambeau
    x = torch.nested.nested_tensor(
        [torch.ones(2, 3), torch.ones(1, 3)], layout=torch.jagged, requires_grad=True
    )
    (x * x).sum().backward()
    assert x.grad.is_nested and x.grad.shape == x.shape
    assert x.grad.values().tolist() == [[2.0] * 3] * 3
    parts = [torch.ones(2, requires_grad=True), torch.ones(3, requires_grad=True)]
    torch.nested.as_nested_tensor(parts, layout=torch.jagged).sin().sum().backward()
    assert parts[1].grad.tolist() == [parts[1].detach().cos()[0].item()] * 3


def test_gaps_between_parts_do_not_count():
    torch = flambeau
    x = torch.nested.nested_tensor_from_jagged(
        torch.arange(5.0), torch.tensor([0, 2, 5]), torch.tensor([1, 2])
    )
    assert (x.sum().item(), x.numel(), x.contiguous().values().tolist()) == (5, 3, [0, 2, 3])
    assert (x * 2).sum(1).tolist() == [0, 10]


def test_strangers_do_not_mix():
    torch = flambeau
    one, other = (torch.nested.nested_tensor([torch.ones(2)], layout=torch.jagged) for _ in "ab")
    with pytest.raises(RuntimeError, match="same offsets"):
        one + other
