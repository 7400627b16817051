"""Fusion, vectors of parameters, skip_init and calls with other tensors, against the oracle."""

import pytest


@pytest.mark.parametrize("transpose", [False, True])
def test_fuse(same, transpose):
    def program(torch):
        nn = torch.nn
        conv = (nn.ConvTranspose2d if transpose else nn.Conv2d)(3, 4, 3).eval()
        norm = nn.BatchNorm2d(4).eval()
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 1)
        fused = nn.utils.fuse_conv_bn_eval(conv, norm, transpose)
        linear = nn.utils.fuse_linear_bn_eval(nn.Linear(3, 4).eval(), nn.BatchNorm1d(4).eval())
        return [fused.weight, fused.bias, linear.weight, linear.bias]

    same(program)


def test_vector(same):
    def program(torch):
        module = torch.nn.Linear(3, 2)
        vector = torch.nn.utils.parameters_to_vector(module.parameters())
        torch.nn.utils.vector_to_parameters(vector * 2, module.parameters())
        return [vector, list(module.parameters())]

    same(program)


def test_skip_init(same):
    same(lambda torch: list(torch.nn.utils.skip_init(torch.nn.Linear, 3, 4).weight.shape))
    same(lambda torch: torch.nn.utils.skip_init(torch.nn.ReLU))


def test_call_with_other_tensors(same):
    def program(torch):
        module = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.BatchNorm1d(3))
        module.add_module("tied", module[0])
        state = {
            name: tensor.detach() * 2
            for name, tensor in module.state_dict().items()
            if not name.startswith("tied.")
        }
        call = torch.nn.utils.stateless.functional_call
        result = call(module, state, (torch.randn(4, 3),))
        return [result, module[0].weight, module[1].running_mean, state["1.running_mean"]]

    same(program)


def test_gradients_of_convolutions(same):
    def program(torch):
        x, w = torch.randn(2, 4, 6, 6), torch.randn(3, 4, 3, 3)
        grad = torch.randn(2, 3, 4, 4)
        import importlib

        module = importlib.import_module(f"{torch.__name__}.nn.grad")
        return [
            module.conv2d_input(x.shape, w, grad),
            module.conv2d_weight(x, w.shape, grad),
        ]

    same(program)
