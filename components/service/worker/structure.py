"""A model without its weights: what is dear to make and small to keep, so that only weights are read another time.

Where in the files a parameter stands is not guessed from its name: it counts only once its numbers were equal to those
that transformers had loaded.
"""

from __future__ import annotations

import io
import logging
import pickle
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from transformers import PreTrainedModel

_LOG = logging.getLogger(__name__)
#: Largest buffers, in bytes, that stay with a structure: what is computed and stands in no file.
BUFFERS = 16_000_000

#: A weight file, and the name of a tensor in it.
Place = tuple[Path, str]


class Structure:
    """The modules of a freshly loaded model with their buffers, and where its parameters stand.

    The modules are pickled, in memory and for this process alone: that makes new ones fifteen times quicker than
    `copy.deepcopy`, and a model that somebody still computes with is let alone.

    Args:
        model: The model, before anybody computes with it. It stays as it is.
        folder: Where its weights were read from.
    """

    def __init__(self, model: PreTrainedModel, folder: Path) -> None:
        self._folder = folder
        self._kinds = {name: (one.dtype, one.requires_grad) for name, one in model.named_parameters()}
        self._buffers: dict[str, torch.Tensor] = {}
        self._places: dict[str, Place] = {}
        self._modules = b""
        if sum(one.nbytes for one in model.buffers()) <= BUFFERS:
            self._buffers = {name: one.clone() for name, one in model.named_buffers()}
            self._modules = _pickled(model)

    def find(self, model: PreTrainedModel) -> bool:
        """Find the parameters of the loaded model in its files; gives whether it can be made again: whether all of
        them are there, number for number. What was put together from several tensors is not, nor what no file holds.
        """
        if self._modules and not self._places:
            try:
                with ExitStack() as files:
                    self._places = self._search(model, files)
            except (OSError, SafetensorError) as error:  # its files went or broke while it was in use
                _LOG.info("%s is loaded anew the next time: %s", type(model).__name__, error)
        return bool(self._places)

    def fill(self, device: torch.device) -> PreTrainedModel:
        """A model of this structure with the weights of its files, once they are found."""
        tensors = {name: one.clone() for name, one in self._buffers.items()}
        with ExitStack() as files:
            opened = {file: _open(file, files) for file in {file for file, _ in self._places.values()}}
            for name, (file, key) in self._places.items():
                dtype, learns = self._kinds[name]
                value = opened[file].get_tensor(key).to(device, dtype)
                tensors[name] = torch.nn.Parameter(value, requires_grad=learns)
        return _Reader(self._modules, tensors).load()

    def _search(self, model: PreTrainedModel, files: ExitStack) -> dict[str, Place]:
        of_shape: dict[tuple[int, ...], list[tuple[Any, Place]]] = {}
        for file in sorted(self._folder.glob("*.safetensors")):
            tensors = _open(file, files)
            for key in tensors.keys():  # noqa: SIM118 - not a dict
                shape = tuple(tensors.get_slice(key).get_shape())
                of_shape.setdefault(shape, []).append((tensors, (file, key)))
        places = {}
        for name, one in model.named_parameters():
            for tensors, place in _likely(name, of_shape.get(tuple(one.shape), [])):
                if torch.equal(tensors.get_tensor(place[1]).to(one.device, one.dtype), one):
                    places[name] = place
                    break
            else:
                return {}
        return places


class _Writer(pickle.Pickler):
    """Writes the name of a tensor that has one in the model in its place."""

    def __init__(self, file: io.BytesIO, names: Mapping[int, str]) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._names = names

    def persistent_id(self, value: Any) -> str | None:
        return self._names.get(id(value)) if isinstance(value, torch.Tensor) else None


class _Reader(pickle.Unpickler):
    """Puts the tensors in the places of their names."""

    def __init__(self, modules: bytes, tensors: Mapping[str, torch.Tensor]) -> None:
        super().__init__(io.BytesIO(modules))
        self._tensors = tensors

    def persistent_load(self, name: str) -> torch.Tensor:
        return self._tensors[name]


def _pickled(model: PreTrainedModel) -> bytes:
    """The modules; nothing where they hold what cannot be pickled, such as a parametrization."""
    names = {id(one): name for name, one in (*model.named_parameters(), *model.named_buffers())}
    made = io.BytesIO()
    try:
        _Writer(made, names).dump(model)
    except (pickle.PicklingError, AttributeError, TypeError, RuntimeError) as error:
        _LOG.info("%s is loaded anew each time: %s", type(model).__name__, error)
        return b""
    return made.getvalue()


def _likely(name: str, places: list[tuple[Any, Place]]) -> Iterator[tuple[Any, Place]]:
    """Those first whose name differs in what stands before it, as it does for a model with another head."""
    alike = [f".{name}".endswith(f".{key}") or f".{key}".endswith(f".{name}") for _, (_, key) in places]
    yield from (one for one, likely in zip(places, alike, strict=True) if likely)
    yield from (one for one, likely in zip(places, alike, strict=True) if not likely)


def _open(file: Path, files: ExitStack) -> Any:
    return files.enter_context(safe_open(file, framework="pt"))
