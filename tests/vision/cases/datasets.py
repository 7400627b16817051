"""torchvision.datasets: drawn images, and folders written here."""

import os
import tempfile

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
