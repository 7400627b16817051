"""torchvision.datasets of files and lists: each is written here, small, and read."""

import bz2
import hashlib
import json
import os
import tempfile

import numpy as np

from tests.vision.cases.utils import bytes_

CASES = {}


def case(function):
    def run(torch, tv):
        with tempfile.TemporaryDirectory() as root:
            return function(torch, tv, root)

    CASES[function.__name__] = run
    return function


def write(root, name, body=b""):
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(body if isinstance(body, bytes) else body.encode())
    return path


def pictures(torch, tv, root, *names):
    """Small pictures, bit for bit whatever their suffix."""
    for seed, name in enumerate(names):
        image = tv.transforms.functional.to_pil_image(bytes_(torch, 3, 4, 5, seed=seed))
        image.save(write(root, name), format="PNG")


def told(torch, tv, data, root, names=("classes", "class_to_idx")):
    """All samples and the printed form."""
    out = [repr(data).replace(root, "ROOT"), len(data)]
    for name in names:
        out.append(getattr(data, name, None))
    for index in range(len(data)):
        image, target = data[index]
        out.append(tv.transforms.functional.pil_to_tensor(image))
        values = target if isinstance(target, tuple) else (target,)
        for value in values:
            picture = hasattr(value, "getbands")
            out.append(tv.transforms.functional.pil_to_tensor(value) if picture else value)
    return out


@case
def food(torch, tv, root):
    table = {"pie": ["pie/2", "pie/1"], "cake": ["cake/7"]}
    write(root, "food-101/meta/test.json", json.dumps(table))
    pictures(torch, tv, root, *(f"food-101/images/{p}.jpg" for ps in table.values() for p in ps))
    return told(torch, tv, tv.datasets.Food101(root, "test"), root)


@case
def textures(torch, tv, root):
    write(root, "dtd/dtd/labels/val3.txt", "dotted/b.jpg\nbraided/a.jpg\ndotted/c.jpg\n")
    names = ("dotted/b.jpg", "braided/a.jpg", "dotted/c.jpg")
    pictures(torch, tv, root, *(f"dtd/dtd/images/{name}" for name in names))
    return told(torch, tv, tv.datasets.DTD(root, "val", partition=3), root)


@case
def folders(torch, tv, root):
    pictures(torch, tv, root, "eurosat/2750/River/b.jpg", "eurosat/2750/Forest/a.jpg")
    pictures(torch, tv, root, "country211/valid/DE/b.jpg", "country211/valid/AT/a.jpg")
    pictures(torch, tv, root, "rendered-sst2/valid/positive/b.png",
             "rendered-sst2/valid/negative/a.png")  # fmt: skip
    data = tv.datasets
    return [
        *told(torch, tv, data.EuroSAT(root), root),
        *told(torch, tv, data.Country211(root, "valid"), root),
        *told(torch, tv, data.RenderedSST2(root, "val"), root),
    ]


@case
def aircraft(torch, tv, root):
    base = "fgvc-aircraft-2013b/data"
    write(root, f"{base}/families.txt", "Boeing 737\nA 320\n")
    write(root, f"{base}/images_family_val.txt", "12 A 320\n34 Boeing 737\n")
    pictures(torch, tv, root, f"{base}/images/12.jpg", f"{base}/images/34.jpg")
    return told(torch, tv, tv.datasets.FGVCAircraft(root, "val", "family"), root)


@case
def signs(torch, tv, root):
    base = "gtsrb/GTSRB"
    pictures(torch, tv, root, f"{base}/Training/00001/a.ppm", f"{base}/Training/00000/b.ppm",
             f"{base}/Final_Test/Images/7.ppm", f"{base}/Final_Test/Images/6.ppm")  # fmt: skip
    write(root, "gtsrb/GT-final_test.csv", "Filename;Width;ClassId\n7.ppm;5;12\n6.ppm;5;3\n")
    out = told(torch, tv, tv.datasets.GTSRB(root, "test"), root, ())
    data = tv.datasets.GTSRB(root)
    return [*out, [data[i][1] for i in range(2)]]


@case
def scenes(torch, tv, root):
    write(root, "SUN397/ClassName.txt", "/a/abbey\n/b/bar/inside\n")
    pictures(torch, tv, root, "SUN397/b/bar/inside/sun_b.jpg", "SUN397/a/abbey/sun_a.jpg")
    data = tv.datasets.SUN397(root)
    return [repr(data).replace(root, "ROOT"), data.classes, sorted(data._labels)]


@case
def pets(torch, tv, root):
    base = "oxford-iiit-pet"
    rows = "Bengal_cat_3 1 1 1\nbeagle_10 2 2 1\nBengal_cat_9 1 1 1\n"
    write(root, f"{base}/annotations/test.txt", rows)
    names = [row.split()[0] for row in rows.splitlines()]
    pictures(torch, tv, root, *(f"{base}/images/{name}.jpg" for name in names))
    pictures(torch, tv, root, *(f"{base}/annotations/trimaps/{name}.png" for name in names))
    kinds = ["category", "binary-category", "segmentation"]
    return [
        *told(torch, tv, tv.datasets.OxfordIIITPet(root, "test", kinds), root),
        *told(torch, tv, tv.datasets.OxfordIIITPet(root, "test"), root),
    ]


@case
def flowers(torch, tv, root):
    from scipy.io import savemat

    os.makedirs(os.path.join(root, "flowers-102"))
    ids = {"trnid": [[2, 1]], "valid": [[3, 4]], "tstid": [[5, 6]]}
    savemat(os.path.join(root, "flowers-102/setid.mat"), ids)
    labels = {"labels": np.array([[7, 102, 3, 1, 2, 2]], dtype=np.uint8)}
    savemat(os.path.join(root, "flowers-102/imagelabels.mat"), labels)
    pictures(torch, tv, root, *(f"flowers-102/jpg/image_{i:05d}.jpg" for i in range(1, 7)))
    data = tv.datasets.Flowers102

    class Small(data):
        def _check_integrity(self):
            return True

    Small.__name__ = "Flowers102"
    return told(torch, tv, Small(root, "train"), root, ["classes"])


def known(root, rows):
    """Rows of (name, MD5) of files as they are."""
    found = []
    for name, _ in rows:
        with open(os.path.join(root, name), "rb") as file:
            found.append([name, hashlib.md5(file.read()).hexdigest()])
    return found


@case
def stl(torch, tv, root):
    base = "stl10_binary"
    draw = np.random.default_rng(0)
    for part, count in (("train", 3), ("unlabeled", 2), ("test", 2)):
        images = draw.integers(0, 256, (count, 3, 96, 96), dtype=np.uint8)
        write(root, f"{base}/{part}_X.bin", images.tobytes())
        if part != "unlabeled":
            labels = draw.integers(1, 11, count, dtype=np.uint8)
            write(root, f"{base}/{part}_y.bin", labels.tobytes())
    write(root, f"{base}/class_names.txt", "airplane\nbird\n")
    write(root, f"{base}/fold_indices.txt", "0 2\n" + "1\n" * 9)
    real = tv.datasets.STL10
    here = os.path.join(root, base)
    rows = {
        "train_list": known(here, real.train_list), "test_list": known(here, real.test_list)
    }  # fmt: skip
    small = type("STL10", (real,), rows)
    out = []
    for split, folds in (("train", None), ("train", 0), ("train+unlabeled", 0), ("test", None)):
        data = small(root, split, folds=folds)
        out += [repr(data).replace(root, "ROOT"), data.classes, data.labels.tolist()]
        out += [tv.transforms.functional.pil_to_tensor(data[len(data) - 1][0])]
    return out


@case
def digits(torch, tv, root):
    draw = np.random.default_rng(0)
    lines = []
    for label in (3, 10):
        values = (f"{i + 1}:{v:.6f}" for i, v in enumerate(draw.random(256) * 2 - 1))
        lines.append(f"{label} {' '.join(values)} \n")
    write(root, "usps.t.bz2", bz2.compress("".join(lines).encode()))
    rows = []
    for label in (4, 0):
        values = [*draw.integers(0, 2, 256).astype(float), *np.eye(10)[label]]
        rows.append(" ".join(f"{v:.4f}" for v in values))
    path = write(root, "semeion.data", "\n".join(rows))
    with open(path, "rb") as file:
        attributes = {"md5_checksum": hashlib.md5(file.read()).hexdigest()}
    small = type("SEMEION", (tv.datasets.SEMEION,), attributes)
    frames = draw.integers(0, 256, (20, 2, 64, 64), dtype=np.uint8)
    os.makedirs(os.path.join(root, "MovingMNIST"))
    np.save(os.path.join(root, "MovingMNIST/mnist_test_seq.npy"), frames)
    moving = [tv.datasets.MovingMNIST(root, split) for split in (None, "train", "test")]
    return [
        *told(torch, tv, tv.datasets.USPS(root, train=False), root),
        *told(torch, tv, small(root, download=False), root),
        *(each[1] for each in moving),
        *(repr(each).replace(root, "ROOT") for each in moving),
    ]


@case
def trees(torch, tv, root):
    data, out = tv.datasets, []
    base = "clevr/CLEVR_v1.0"
    scenes = [{"image_filename": f"{n}.png", "objects": [0] * n} for n in (2, 1)]
    write(root, f"{base}/scenes/CLEVR_val_scenes.json", json.dumps({"scenes": scenes}))
    pictures(torch, tv, root, *(f"{base}/images/{n}.png" for n in ("val/2", "val/1", "test/3")))
    for split in ("val", "test"):
        out += told(torch, tv, data.CLEVRClassification(root, split), root, ())
    for i, wnid in enumerate(("n03888257", "n01440764")):
        pictures(torch, tv, root, f"imagenette2-160/val/{wnid}/{i}.JPEG")
    out += told(torch, tv, data.Imagenette(root, "val", "160px"), root)
    base = "caltech256/256_ObjectCategories"
    names = ("002.bat/002_0001", "001.ak/001_0002", "001.ak/001_0001")
    pictures(torch, tv, root, *(f"{base}/{name}.jpg" for name in names))
    cal = data.Caltech256(root)
    return [*out, *told(torch, tv, cal, root, ()), cal.categories, cal.index, cal.y]
