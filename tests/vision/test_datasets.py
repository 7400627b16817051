"""Data sets against torchvision's own samples and printed forms."""

import gzip
import hashlib
import lzma
import tarfile

import numpy as np
import pytest

from flambeau.vision import datasets
from flambeau.vision.datasets import folder, utils
from tests.hub.local_server import serving
from tests.vision.cases.datasets import CASES, cifar_of, write_digits
from tests.vision.check import check

pytest.importorskip("PIL.Image")


@pytest.mark.parametrize("name", CASES)
def test_torchvision_gives_the_same(name):
    check("datasets", name, CASES[name])


def test_folders_without_samples_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="each class"):
        datasets.ImageFolder(tmp_path)
    (tmp_path / "cat").mkdir()
    with pytest.raises(FileNotFoundError, match="cat"):
        datasets.ImageFolder(tmp_path)
    assert len(datasets.ImageFolder(tmp_path, allow_empty=True)) == 0


@pytest.fixture
def files():
    with serving() as files:
        yield files


def digit_archives(files, tmp_path):
    """A class of MNIST's format whose archives the server gives."""
    rows = []
    for part in ("train", "t10k"):
        names = [f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"]
        write_digits(tmp_path / "made", *names)
        for name in names:
            body = gzip.compress((tmp_path / "made" / name).read_bytes())
            files[f"/{name}.gz"] = body
            rows.append((f"{name}.gz", hashlib.md5(body).hexdigest()))
    mirrors = [f"{files.url}/absent/", f"{files.url}/"]
    return type("MNIST", (datasets.MNIST,), {"resources": rows, "mirrors": mirrors})


def test_digits_are_downloaded_from_the_first_mirror_that_has_them(files, tmp_path):
    digits = digit_archives(files, tmp_path)
    with pytest.raises(RuntimeError, match="download=True"):
        digits(tmp_path)
    data = digits(tmp_path, download=True)
    assert data.data.shape == (5, 28, 28) and data[0][0].size == (28, 28)
    asked = len(files.asked)
    digits(tmp_path, train=False, download=True)
    assert len(files.asked) == asked
    with pytest.warns(UserWarning, match="renamed targets"):
        assert data.train_labels is data.targets


def test_a_wrong_archive_is_removed_and_a_broken_one_completed(files, tmp_path):
    digits = digit_archives(files, tmp_path)
    whole, files["/train-images-idx3-ubyte.gz"] = files["/train-images-idx3-ubyte.gz"], b"wrong"
    with pytest.raises(RuntimeError, match="invalid hash value"):
        digits(tmp_path, download=True)
    assert list((tmp_path / "MNIST" / "raw").iterdir()) == []
    files["/train-images-idx3-ubyte.gz"], files.cut = whole, 1000
    with pytest.raises(RuntimeError, match="Error downloading"):
        digits(tmp_path, download=True)
    files.cut = None
    assert len(digits(tmp_path, download=True)) == 5
    assert ("/train-images-idx3-ubyte.gz", "bytes=1000-") in files.asked


def test_a_file_cut_short_is_told_of(tmp_path):
    for part in ("train", "t10k"):
        write_digits(
            tmp_path / "MNIST/raw", f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"
        )
    path = tmp_path / "MNIST/raw/train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(RuntimeError, match="train-images-idx3-ubyte holds 3919 values"):
        datasets.MNIST(tmp_path)


def test_batches_are_unpacked_and_changed_ones_refused(files, tmp_path):
    made = cifar_of(datasets.CIFAR10, tmp_path / "made")
    packed = tmp_path / "cifar.tar.gz"
    with tarfile.open(packed, "w:gz") as archive:
        archive.add(tmp_path / "made" / made.base_folder, made.base_folder)
    files["/cifar.tar.gz"] = packed.read_bytes()
    made.url, made.tgz_md5 = f"{files.url}/cifar.tar.gz", datasets.utils.calculate_md5(packed)
    assert len(made(tmp_path / "new", download=True)) == 10
    (tmp_path / "new" / made.base_folder / "test_batch").write_bytes(b"cos\nsystem\n.")
    with pytest.raises(RuntimeError, match="corrupted.*test_batch"):
        made(tmp_path / "new")


def test_house_numbers(files, tmp_path):
    scipy = pytest.importorskip("scipy.io")
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3, 4), dtype=np.uint8)
    scipy.savemat(tmp_path / "a.mat", {"X": pixels, "y": np.array([[1], [10], [3], [9]])})
    files["/train_32x32.mat"] = (tmp_path / "a.mat").read_bytes()
    md5 = datasets.utils.calculate_md5(tmp_path / "a.mat")
    rows = {"train": [f"{files.url}/train_32x32.mat", "train_32x32.mat", md5]}
    made = type("SVHN", (datasets.SVHN,), {"split_list": rows})
    data = made(tmp_path, download=True)
    assert [data[i][1] for i in range(4)] == [1, 0, 3, 9]
    assert (np.asarray(data[2][0]) == pixels[..., 2]).all()
    with pytest.raises(ValueError, match="Valid values are: train"):
        made(tmp_path, "tests")


def test_archives_stay_in_their_folder(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo("../outside"))
    with pytest.raises(tarfile.OutsideDestinationError):
        datasets.utils.extract_archive(tmp_path / "a.tar", tmp_path / "in")
    assert not (tmp_path / "outside").exists()
    (tmp_path / "b.xz").write_bytes(lzma.compress(b"held"))
    datasets.utils.extract_archive(tmp_path / "b.xz", remove_finished=True)
    assert (tmp_path / "b").read_bytes() == b"held" and not (tmp_path / "b.xz").exists()
    with pytest.raises(RuntimeError, match="suffix"):
        datasets.utils.extract_archive(tmp_path / "b")


def test_a_folder_is_listed_by_functions_and_by_what_a_subclass_says(tmp_path):
    for place in ("b/1.PNG", "a/x/2.txt", "a/3.jpg"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()
    assert folder.find_classes(tmp_path) == (["a", "b"], {"a": 0, "b": 1})
    found = folder.make_dataset(tmp_path, extensions=folder.IMG_EXTENSIONS)
    assert [(p.replace(str(tmp_path), ""), c) for p, c in found] == [
        ("/a/3.jpg", 0),
        ("/b/1.PNG", 1),
    ]
    assert folder.is_image_file("x.TIFF") and not folder.is_image_file("x.txt")

    class Texts(datasets.DatasetFolder):
        def find_classes(self, directory):
            return ["a"], {"a": 7}

    made = Texts(tmp_path, str, is_valid_file=lambda path: path.endswith("txt"))
    assert made.targets == [7] and made.samples[0][0].endswith("2.txt")
    for wrong in ({}, {"extensions": ".x", "is_valid_file": bool}):
        with pytest.raises(ValueError, match="one of the two"):
            folder.make_dataset(tmp_path, {"a": 0}, **wrong)
    with pytest.raises(ValueError, match="one class"):
        folder.make_dataset(tmp_path, {}, extensions=".x")


def test_arguments_of_own_data_sets_are_checked():
    assert utils.verify_str_arg("train", "split", ("train", "val")) == "train"
    assert utils.verify_str_arg("anything") == "anything"
    for value, more, said in [(3, {}, "Expected type str"), ("x", {}, "Unknown value 'x'"),
                              ("x", {"custom_msg": "no such split"}, "no such split")]:  # fmt: skip
        with pytest.raises(ValueError, match=said):
            utils.verify_str_arg(value, "split", ("train",), **more)
