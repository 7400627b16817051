"""`DeviceMesh`: the processes as a grid, with a group along each of its dimensions."""

from __future__ import annotations

from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.distributed.groups import (
    GroupMember,
    default_group,
    get_rank,
    init_process_group,
    is_initialized,
    new_group,
)

__all__ = ["DeviceMesh", "init_device_mesh"]


class DeviceMesh:
    """A grid of ranks.

    Args:
        device_type: "cpu". mesh: the ranks, as a tensor or nested lists.
        mesh_dim_names: names of the grid's dimensions.
    """

    def __init__(
        self,
        device_type: str,
        mesh: Any = None,
        *,
        mesh_dim_names: tuple[str, ...] | None = None,
        _groups: list[Any] | None = None,
        **ignored: Any,
    ) -> None:
        if not is_initialized():
            init_process_group()
        self.device_type, self.mesh_dim_names = device_type, mesh_dim_names
        self.mesh: Tensor = flambeau.as_tensor(mesh, dtype=flambeau.int64)
        self._groups = _groups if _groups is not None else self._make_groups()

    def _make_groups(self) -> list[Any]:
        groups: list[Any] = []
        for dim in range(self.mesh.ndim):
            rows = self.mesh.movedim(dim, -1).reshape(-1, self.mesh.shape[dim])
            made = [new_group(row, sort_ranks=False) for row in rows.tolist()]
            groups.append(next((g for g in made if g != GroupMember.NON_GROUP_MEMBER), None))
        return groups

    @property
    def ndim(self) -> int:
        """How many dimensions the grid has."""
        return self.mesh.ndim

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of its dimensions."""
        return tuple(self.mesh.shape)

    def size(self, mesh_dim: int | None = None) -> int:
        """How many processes there are, in all or along a dimension."""
        return self.mesh.numel() if mesh_dim is None else self.mesh.shape[mesh_dim]

    def _number(self, dim: Any) -> int:
        if isinstance(dim, str):
            if self.mesh_dim_names is None or dim not in self.mesh_dim_names:
                raise fail(KeyError, "DeviceMesh", f"no dimension is called {dim!r}.")
            return self.mesh_dim_names.index(dim)
        if dim is None and self.ndim > 1:
            raise fail(RuntimeError, "DeviceMesh", "name a dimension: the mesh has several.")
        return int(dim or 0)

    def get_group(self, mesh_dim: Any = None) -> Any:
        """The group along a dimension that this process is in."""
        return self._groups[self._number(mesh_dim)]

    def get_all_groups(self) -> list[Any]:
        """The groups along all dimensions that this process is in."""
        return list(self._groups)

    def get_rank(self) -> int:
        """This process's global rank."""
        return get_rank()

    def get_local_rank(self, mesh_dim: Any = None) -> int:
        """This process's place along a dimension."""
        return get_rank(self.get_group(mesh_dim))

    def get_coordinate(self) -> list[int] | None:
        """This process's place in the grid."""
        found: list[list[int]] = (self.mesh == default_group().rank()).nonzero().tolist()
        return found[0] if found else None

    def __getitem__(self, names: Any) -> DeviceMesh:
        wanted = (names,) if isinstance(names, str) else tuple(names)
        dims = [self._number(name) for name in wanted]
        place = self.get_coordinate() or [0] * self.ndim
        index = tuple(slice(None) if k in dims else place[k] for k in range(self.ndim))
        return DeviceMesh(
            self.device_type,
            self.mesh[index],
            mesh_dim_names=wanted,
            _groups=[self._groups[k] for k in dims],
        )

    def __repr__(self) -> str:
        return f"DeviceMesh({self.device_type!r}, {self.mesh.tolist()})"


def init_device_mesh(
    device_type: str,
    mesh_shape: tuple[int, ...],
    *,
    mesh_dim_names: tuple[str, ...] | None = None,
    **ignored: Any,
) -> DeviceMesh:
    """All processes as a grid of this shape, in the order of ranks."""
    count = 1
    for n in mesh_shape:
        count *= n
    return DeviceMesh(
        device_type, flambeau.arange(count).view(mesh_shape), mesh_dim_names=mesh_dim_names
    )
