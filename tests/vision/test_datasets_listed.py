"""Data sets of files and lists against torchvision's samples; COCO's format; what is wrapped."""

import hashlib
import io
import json
import tarfile

import pytest

import flambeau as torch
from flambeau.vision import datasets, tv_tensors
from flambeau.vision.transforms import functional as F
from flambeau.vision.transforms import v2
from tests.hub.local_server import serving
from tests.vision.cases.datasets_listed import CASES
from tests.vision.check import check

pytest.importorskip("PIL.Image")


@pytest.mark.parametrize("name", CASES)
def test_torchvision_gives_the_same(name):
    if name == "flowers":
        pytest.importorskip("scipy")
    check("datasets_listed", name, CASES[name])


def png(seed=0):
    torch.manual_seed(seed)
    body = io.BytesIO()
    F.to_pil_image(torch.randint(0, 256, (3, 6, 8), dtype=torch.uint8)).save(body, "PNG")
    return body.getvalue()


def archive(files):
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return body.getvalue()


def test_archives_are_fetched_checked_and_unpacked_once(tmp_path):
    table = json.dumps({"pie": ["pie/1"]}).encode()
    packed = archive({"food-101/meta/train.json": table, "food-101/images/pie/1.jpg": png()})
    with serving() as files:
        files["/food-101.tar.gz"] = packed
        url, md5 = f"{files.url}/food-101.tar.gz", hashlib.md5(packed).hexdigest()
        food = type("Food101", (datasets.Food101,), {"archives": ((url, md5),)})
        with pytest.raises(RuntimeError, match="download=True"):
            food(tmp_path)
        data = food(tmp_path, download=True)
        assert (len(data), data[0][0].size, data[0][1]) == (1, (8, 6), 0)
        asked = len(files.asked)
        assert len(food(tmp_path, download=True)) == 1
        assert len(files.asked) == asked
        wrong = type("Food101", (datasets.Food101,), {"archives": ((url, "0" * 32),)})
        with pytest.raises(RuntimeError):
            wrong(tmp_path / "elsewhere", download=True)
        assert not (tmp_path / "elsewhere" / "food-101").exists()


@pytest.fixture
def coco(tmp_path):
    (tmp_path / "b.jpg").write_bytes(png(1))
    (tmp_path / "a.jpg").write_bytes(png(2))
    row = {"image_id": 3, "category_id": 7, "area": 6.0, "iscrowd": 0, "segmentation": [[0, 0]]}
    notes = {
        "images": [{"id": 9, "file_name": "a.jpg"}, {"id": 3, "file_name": "b.jpg"}],
        "annotations": [
            {"id": 1, "bbox": [1, 2, 3, 2], "caption": "one", **row},
            {"id": 2, "bbox": [0, 0, 4, 5], "caption": "two", **row},
        ],
    }
    (tmp_path / "notes.json").write_text(json.dumps(notes))
    return tmp_path, str(tmp_path / "notes.json")


def test_coco_is_read_by_the_images_ids(coco):
    data = datasets.CocoDetection(*coco)
    assert data.ids == [3, 9]
    image, target = data[0]
    assert image.size == (8, 6)
    assert [row["id"] for row in target] == [1, 2]
    assert data[1][1] == []
    assert datasets.CocoCaptions(*coco)[0][1] == ["one", "two"]
    with pytest.raises(ValueError, match="integer"):
        data["0"]


def test_wrapped_data_sets_give_boxes_and_masks(coco):
    flip = v2.Compose([v2.ToImage(), v2.RandomHorizontalFlip(1.0)])
    plain = datasets.CocoDetection(*coco, transforms=flip)
    data = datasets.wrap_dataset_for_transforms_v2(plain)
    assert isinstance(data, datasets.CocoDetection)
    image, target = data[0]
    assert type(image) is tv_tensors.Image
    assert target["image_id"] == 3
    assert target["labels"].tolist() == [7, 7]
    assert type(target["boxes"]) is tv_tensors.BoundingBoxes
    assert target["boxes"].canvas_size == (6, 8)
    assert target["boxes"].tolist() == [[4, 2, 7, 4], [4, 0, 8, 5]]
    assert data[1][1] == {"image_id": 9}
    every = datasets.wrap_dataset_for_transforms_v2(datasets.CocoDetection(*coco), "all")
    assert every[0][1]["category_id"] == [7, 7]
    with pytest.raises(ValueError, match="not available"):
        datasets.wrap_dataset_for_transforms_v2(plain, ["color"])
    with pytest.raises(NotImplementedError, match="polygons"):
        datasets.wrap_dataset_for_transforms_v2(plain, ["masks"])
    with pytest.raises(TypeError, match="data set"):
        datasets.wrap_dataset_for_transforms_v2([1])
    fake = datasets.wrap_dataset_for_transforms_v2(datasets.FakeData(2, (3, 4, 5)))
    assert fake[1][0].size == (5, 4)


def test_names_that_are_not_built_say_so():
    for name in ("Kinetics", "ImageNet", "CelebA"):
        with pytest.raises(NotImplementedError, match=f"{name} is not built"):
            getattr(datasets, name)("root")
    with pytest.raises(AttributeError):
        _ = datasets.Nothing
    for make in (
        lambda: datasets.STL10("root", "all"),
        lambda: datasets.STL10("root", folds=10),
        lambda: datasets.DTD("root", partition=11),
        lambda: datasets.FGVCAircraft("root", annotation_level="wing"),
    ):
        with pytest.raises(ValueError):
            make()


def test_voc_is_fetched_checked_and_unpacked(tmp_path, monkeypatch):
    from flambeau.vision.datasets import voc

    home = "VOCdevkit/VOC2007"
    packed = archive(
        {
            f"{home}/ImageSets/Segmentation/train.txt": b"a\n",
            f"{home}/JPEGImages/a.jpg": png(),
            f"{home}/SegmentationClass/a.png": png(1),
        }
    )
    with serving() as files:
        files["/voc.tar.gz"] = packed
        monkeypatch.setattr(voc, "_SITE", f"{files.url}/")
        row = ("voc.tar.gz", "voc.tar.gz", hashlib.md5(packed).hexdigest(), home)
        monkeypatch.setitem(voc.YEARS, "2007", row)
        data = datasets.VOCSegmentation(tmp_path, "2007", "train", download=True)
        picture, classes = data[0]
        classes.load()
        assert (len(data), picture.size, classes.size) == (1, (8, 6), (8, 6))
        monkeypatch.setitem(voc.YEARS, "2007", (*row[:2], "0" * 32, home))
        with pytest.raises(RuntimeError):
            datasets.VOCSegmentation(tmp_path / "other", "2007", "train", download=True)
        assert not (tmp_path / "other" / home).exists()
