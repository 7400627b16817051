"""torch.hub: entry points of a folder, downloads whole or not at all, where files are looked for."""

import hashlib
import io
import os

import pytest

import flambeau as torch
from flambeau import hub
from flambeau.utils import model_zoo
from tests.hub.local_server import serving


@pytest.fixture
def files():
    with serving() as files:
        yield files


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home without files, and no folder set before."""
    for name in ("TORCH_HOME", "TORCH_MODEL_ZOO", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(hub, "_dir", None)
    return tmp_path


def checkpoint(value):
    file = io.BytesIO()
    torch.save({"w": torch.full((2,), float(value))}, file)
    body = file.getvalue()
    return body, hashlib.sha256(body).hexdigest()[:8]


def names(folder):
    return sorted(os.listdir(folder))


def test_a_checkpoint_is_fetched_once(files, home):
    body, start = checkpoint(3)
    files[f"/m-{start}.pth"] = body
    url = f"{files.url}/m-{start}.pth?x=1"
    files[f"/m-{start}.pth?x=1"] = body
    for _ in range(2):
        assert hub.load_state_dict_from_url(url, check_hash=True)["w"].tolist() == [3, 3]
    assert len(files.asked) == 1
    assert names(home / ".cache" / "torch" / "hub" / "checkpoints") == [f"m-{start}.pth"]
    found = model_zoo.load_url(url, model_dir=str(home / "zoo"), file_name="other.pth")
    assert found["w"].tolist() == [3, 3] and names(home / "zoo") == ["other.pth"]


def test_a_wrong_hash_leaves_nothing(files, home):
    files["/m-00000000.pth"] = checkpoint(1)[0]
    with pytest.raises(RuntimeError, match="invalid hash value"):
        hub.load_state_dict_from_url(f"{files.url}/m-00000000.pth", check_hash=True)
    assert names(home / ".cache" / "torch" / "hub" / "checkpoints") == []


def test_a_broken_download_goes_on(files, home):
    body = os.urandom(700_000)
    files["/a"], files.cut = body, 400_000
    with pytest.raises(ConnectionError, match="400000 of 700000"):
        hub.download_url_to_file(
            f"{files.url}/a", str(home / "a"), hashlib.sha256(body).hexdigest()
        )
    assert names(home) == ["a.part"]
    files.cut = None
    hub.download_url_to_file(f"{files.url}/a", str(home / "a"), hashlib.sha256(body).hexdigest())
    assert files.asked == [("/a", None), ("/a", "bytes=400000-")]
    assert (home / "a").read_bytes() == body and names(home) == ["a"]


def test_a_part_of_another_file_is_no_beginning(files, home):
    body = b"short"
    files["/a"] = body
    (home / "a.part").write_bytes(b"much longer than the file")
    hub.download_url_to_file(f"{files.url}/a", str(home / "a"), hashlib.sha256(body).hexdigest())
    assert (home / "a").read_bytes() == body and names(home) == ["a"]


def test_without_a_hash_nothing_is_kept(files, home):
    files["/a"], files.cut = b"x" * 9000, 10
    (home / "a").write_bytes(b"old")
    with pytest.raises(ConnectionError):
        hub.download_url_to_file(f"{files.url}/a", str(home / "a"))
    with pytest.raises(OSError, match="404"):
        hub.download_url_to_file(f"{files.url}/absent", str(home / "a"))
    assert (home / "a").read_bytes() == b"old" and names(home) == ["a"]


def test_old_folders_are_looked_into(files, home, monkeypatch):
    (home / ".torch" / "models").mkdir(parents=True)
    (home / ".torch" / "models" / "m.pth").write_bytes(checkpoint(5)[0])
    (home / "zoo").mkdir()
    (home / "zoo" / "n.pth").write_bytes(checkpoint(6)[0])
    assert hub.load_state_dict_from_url(f"{files.url}/m.pth")["w"].tolist() == [5, 5]
    monkeypatch.setenv("TORCH_MODEL_ZOO", str(home / "zoo"))
    with pytest.warns(UserWarning, match="TORCH_MODEL_ZOO"):
        assert hub.load_state_dict_from_url(f"{files.url}/n.pth")["w"].tolist() == [6, 6]
    monkeypatch.setenv("TORCH_HOME", str(home / "new"))
    assert hub.get_dir() == str(home / "new" / "hub")
    assert files.asked == []


def test_a_file_with_another_hash_is_told_of(files, home):
    (home / "m-01234567.pth").write_bytes(checkpoint(5)[0])
    with pytest.warns(UserWarning, match="hash 01234567"):
        found = hub.load_state_dict_from_url(
            f"{files.url}/m-01234567.pth", model_dir=str(home), check_hash=True
        )
    assert found["w"].tolist() == [5, 5]


def test_entry_points_of_a_folder(home):
    (home / "hubconf.py").write_text(
        'dependencies = ["math"]\nfrom math import sqrt as _sqrt\n'
        'def twice(x, *, y=0):\n    """Twice x."""\n    return 2 * x + y\n'
    )
    assert hub.list(str(home), source="local") == ["twice"]
    assert hub.help(str(home), "twice", source="local") == "Twice x."
    assert hub.load(str(home), "twice", 3, source="local", y=1, trust_repo=True) == 7
    with pytest.raises(RuntimeError, match="callable"):
        hub.load(str(home), "thrice", source="local")
    with pytest.raises(RuntimeError, match="does not fetch code"):
        hub.load("owner/name", "twice")
    with pytest.raises(ValueError, match="source"):
        hub.load("owner/name", "twice", source="elsewhere")
    (home / "hubconf.py").write_text('dependencies = ["no_such_room"]\n')
    with pytest.raises(RuntimeError, match="no_such_room"):
        hub.list(str(home), source="local")
