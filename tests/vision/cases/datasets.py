"""torchvision.datasets: drawn images, and folders written here."""

import hashlib
import os
import pickle
import tempfile

import numpy as np

from tests.vision.cases.utils import bytes_

CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


@case
def fake(torch, tv):
    T = tv.transforms
    data = tv.datasets.FakeData(5, (3, 6, 7), 4, T.Compose([T.ToTensor()]), lambda t: t + 10)
    plain = tv.datasets.FakeData(3, (1, 4, 4), transform=T.ToTensor(), random_offset=7)
    out = [repr(plain)]
    for each in (data, plain):
        out += [value for index in range(len(each)) for value in each[index]]
    return out


@case
def folder(torch, tv):
    T = tv.transforms
    with tempfile.TemporaryDirectory() as root:
        for index, name in enumerate(("dog/b.png", "cat/sub/z.PNG", "cat/a.bmp", "cat/no.txt")):
            path = os.path.join(root, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if name.endswith("txt"):
                open(path, "w").close()
                continue
            picture = T.functional.to_pil_image(bytes_(torch, 3, 5, 6, seed=index))
            picture.save(path)
        data = tv.datasets.ImageFolder(root, T.ToTensor(), lambda t: t * 2)
        names = [(os.path.relpath(path, root), target) for path, target in data.samples]
        out = [names, data.classes, data.class_to_idx, data.targets, len(data)]
        out += [value for index in range(len(data)) for value in data[index]]
        return [*out, repr(tv.datasets.ImageFolder(root, T.ToTensor())).replace(root, "ROOT")]


def write_idx(path, array):
    """A file of the IDX format; labels of QMNIST are int32, all else bytes."""
    kinds = {"uint8": 8, "int32": 12}
    head = bytes([0, 0, kinds[str(array.dtype)], array.ndim])
    sizes = np.array(array.shape, ">i4").tobytes()
    with open(path, "wb") as file:
        file.write(head + sizes + array.astype(array.dtype.newbyteorder(">")).tobytes())


def write_digits(raw, images, labels, count=5):
    """One part of a data set of MNIST's format."""
    draw = np.random.default_rng(len(images))
    os.makedirs(raw, exist_ok=True)
    write_idx(os.path.join(raw, images), draw.integers(0, 256, (count, 28, 28), dtype=np.uint8))
    if "int" in labels:
        values = draw.integers(0, 9, (count, 8)).astype(np.int32)
    else:
        values = draw.integers(0, 9, count).astype(np.uint8)
    write_idx(os.path.join(raw, labels), values)


def told(torch, data, root):
    """What a data set says and gives."""
    out = [repr(data).replace(str(root), "ROOT"), len(data)]
    for index in range(min(3, len(data))):
        image, target = data[index]
        out += [np.asarray(image).tolist(), target]
    return out


@case
def digits(torch, tv):
    D, out = tv.datasets, []
    with tempfile.TemporaryDirectory() as root:
        for name in ("MNIST", "FashionMNIST", "KMNIST"):
            raw = os.path.join(root, name, "raw")
            for part in ("train", "t10k"):
                write_digits(raw, f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte")
            for train in (True, False):
                data = getattr(D, name)(root, train, target_transform=tv.transforms.Lambda(str))
                out += told(torch, data, root) + [data.classes, data.class_to_idx]
                out += [data.data, data.targets]
        raw = os.path.join(root, "EMNIST", "raw")
        for split in ("letters", "bymerge", "byclass"):
            for part in ("train", "test"):
                stem = f"emnist-{split}-{part}"
                write_digits(raw, f"{stem}-images-idx3-ubyte", f"{stem}-labels-idx1-ubyte")
            data = D.EMNIST(root, split, train=False)
            out += told(torch, data, root) + [data.classes]
        raw = os.path.join(root, "QMNIST", "raw")
        for part in ("qmnist-train", "qmnist-test", "xnist"):
            write_digits(raw, f"{part}-images-idx3-ubyte", f"{part}-labels-idx2-int")
        for what in ("train", "test", "test10k", "nist"):
            out += told(torch, D.QMNIST(root, what), root)
        out += [D.QMNIST(root, train=False, compat=False)[1][1]]
    return out


def cifar_of(base, root):
    """A class whose files' digests are those of small files written here."""
    draw = np.random.default_rng(3)
    key = "labels" if base.__name__ == "CIFAR10" else "fine_labels"
    digests = {}

    def write(name, content):
        path = os.path.join(root, base.base_folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        body = pickle.dumps(content, 2)
        with open(path, "wb") as file:
            file.write(body)
        digests[name] = hashlib.md5(body).hexdigest()

    for name, _ in (*base.train_list, *base.test_list):
        pixels = draw.integers(0, 256, (2, 3072), dtype=np.uint8)
        write(name, {"data": pixels, key: [int(v) for v in draw.integers(0, 9, 2)]})
    write(base.meta["filename"], {base.meta["key"]: [f"class {i}" for i in range(9)]})
    return type(
        base.__name__,
        (base,),
        {
            "train_list": [[name, digests[name]] for name, _ in base.train_list],
            "test_list": [[name, digests[name]] for name, _ in base.test_list],
            "meta": {**base.meta, "md5": digests[base.meta["filename"]]},
        },
    )


@case
def cifar(torch, tv):
    out = []
    with tempfile.TemporaryDirectory() as root:
        for base in (tv.datasets.CIFAR10, tv.datasets.CIFAR100):
            made = cifar_of(base, root)
            for train in (True, False):
                data = made(root, train, transform=tv.transforms.CenterCrop(4))
                out += told(torch, data, root) + [data.classes, data.class_to_idx, data.targets]
                out += [data.data.shape, data.data.sum()]
    return out


ANNOTATION = """<annotation><folder>VOC2012</folder><size><width>5</width><depth>3</depth></size>
<object><name>dog</name><bndbox><xmin>1</xmin><ymax>4</ymax></bndbox></object>%s</annotation>"""
CAT = "<object><name>cat</name><part>head</part><part>tail</part></object>"


@case
def voc(torch, tv):
    D, out = tv.datasets, []
    with tempfile.TemporaryDirectory() as root:
        home = os.path.join(root, "VOCdevkit", "VOC2012")
        for folder in ("JPEGImages", "SegmentationClass", "Annotations", "ImageSets/Segmentation",
                       "ImageSets/Main"):  # fmt: skip
            os.makedirs(os.path.join(home, folder))
        to_pil = tv.transforms.functional.to_pil_image
        for index, name in enumerate(("a", "b")):
            to_pil(bytes_(torch, 3, 6, 5, seed=index)).save(f"{home}/JPEGImages/{name}.jpg")
            to_pil(bytes_(torch, 1, 6, 5)).save(f"{home}/SegmentationClass/{name}.png")
            with open(f"{home}/Annotations/{name}.xml", "w") as file:
                file.write(ANNOTATION % (CAT * index))
        for kind in ("Segmentation", "Main"):
            with open(f"{home}/ImageSets/{kind}/val.txt", "w") as file:
                file.write("a\nb\n")
        segments = D.VOCSegmentation(root, image_set="val", target_transform=np.asarray)
        boxes = D.VOCDetection(root, image_set="val")
        for data in (segments, boxes):
            out += told(torch, data, root)
        out += [os.path.relpath(p, root) for p in (*segments.masks, *boxes.annotations)]
    return out
