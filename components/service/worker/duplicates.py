"""The last step of SAM's mask generation, without torchvision, which transformers calls for it."""

from typing import Any

import numpy
import torch


def overlap(box: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """The part that each of `boxes`, shape (n, 4), has in common with `box`, of all that the two cover."""
    sides = torch.minimum(box[2:], boxes[:, 2:]) - torch.maximum(box[:2], boxes[:, :2])
    shared = sides.clamp(min=0).prod(dim=1)
    area, areas = (box[2:] - box[:2]).prod(), (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)
    return shared / (area + areas - shared)


def mask_of(lengths: dict[str, Any]) -> numpy.ndarray:
    """A mask from its run lengths, which go down the columns and begin with what is outside."""
    inside = numpy.arange(len(lengths["counts"])) % 2 == 1
    height, width = lengths["size"]
    return numpy.repeat(inside, lengths["counts"]).reshape(width, height).T


def without_duplicates(
    masks: list[Any], scores: torch.Tensor, boxes: torch.Tensor, threshold: float
) -> tuple[Any, ...]:
    """Masks, scores, run lengths and boxes, the best first; of boxes that overlap more than `threshold`, the best."""
    left, kept = scores.argsort(descending=True, stable=True), []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(int(best))
        left = left[~(overlap(boxes[best].float(), boxes[left].float()) > threshold)]
    found = [masks[number] for number in kept]
    return [mask_of(one) for one in found], scores[kept], found, boxes[kept]
