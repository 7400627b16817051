"""Values inside models by name, against the names that torchvision gives."""

import pytest

import flambeau as torch
from flambeau.vision import models
from flambeau.vision.models.feature_extraction import (
    create_feature_extractor,
    get_graph_node_names,
)


@pytest.fixture(scope="module")
def resnet():
    return models.resnet18().eval()


def test_names_are_the_modules_and_their_operations(resnet):
    train, evaluation = get_graph_node_names(resnet)
    assert train == evaluation
    assert len(train) == 70
    block = ["conv1", "bn1", "relu", "conv2", "bn2", "add", "relu_1"]
    first = [f"layer1.0.{name}" for name in block]
    assert train[:12] == ["x", "conv1", "bn1", "relu", "maxpool", *first]
    assert train[-3:] == ["avgpool", "flatten", "fc"]
    names, _ = get_graph_node_names(models.mobilenet_v3_small())
    assert len(names) == 56
    assert names[1:4] == ["features.0", "features.1.block.0", "features.1.block.1"]
    names, _ = get_graph_node_names(models.densenet121())
    assert len(names) == 432
    assert names[5] == "features.denseblock1.denselayer1.cat"


def test_values_of_submodules_and_operations(resnet):
    image = torch.rand(1, 3, 64, 64)
    extract = create_feature_extractor(resnet, {"layer1": "a", "layer3.0.relu": "b"})
    assert type(extract).__name__ == "ResNet"
    found = extract(image)
    assert {key: tuple(value.shape) for key, value in found.items()} == {
        "a": (1, 64, 16, 16),
        "b": (1, 256, 4, 4),
    }
    stem = resnet.maxpool(resnet.relu(resnet.bn1(resnet.conv1(image))))
    assert torch.equal(found["a"], resnet.layer1(stem))
    assert not hasattr(extract, "layer4")
    shared = extract.get_parameter("layer1.0.conv1.weight")
    assert shared is resnet.layer1[0].conv1.weight


def test_each_mode_has_its_graph(resnet):
    extract = create_feature_extractor(
        resnet, train_return_nodes=["fc"], eval_return_nodes=["layer1"]
    )
    assert not resnet.training
    pair = torch.rand(2, 3, 64, 64)
    assert list(extract.train()(pair)) == ["fc"]
    assert list(extract.eval()(pair)) == ["layer1"]


def test_what_is_refused(resnet):
    for options in (
        {"return_nodes": ["nothing"]},
        {},
        {"train_return_nodes": ["fc"]},
        {"return_nodes": ["fc"], "train_return_nodes": ["fc"], "eval_return_nodes": ["fc"]},
    ):
        with pytest.raises(ValueError):
            create_feature_extractor(resnet, **options)


SIZED = {
    "vit": (lambda: models.VisionTransformer(32, 16, 2, 2, 16, 32), "encoder.layers", 32),
    "swin": (
        lambda: models.SwinTransformer([4, 4], 16, [2, 2], [2, 2], [4, 4]), "features.3", 40
    ),
    "maxvit": (
        lambda: models.MaxVit((64, 64), 8, 2, [16], [1], 8, 0.0), "blocks.0.layers.0", 64
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(SIZED))
def test_models_that_ask_for_their_images_size_are_traced(name):
    make, node, side = SIZED[name]
    model = make().eval()
    image = torch.rand(1, 3, side, side)
    seen = []
    model.get_submodule(node).register_forward_hook(lambda *args: seen.append(args[2]))
    whole = model(image)
    last = get_graph_node_names(model)[1][-1]
    extract = create_feature_extractor(model, {node: "inner", last: "last"})
    found = extract(image)
    assert torch.allclose(found["inner"], seen[0], atol=1e-6)
    assert torch.allclose(found["last"], whole, atol=1e-6)
