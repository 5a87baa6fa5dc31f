"""Render a picture by tracing rays: a task for each strip, the picture in /data as a PPM file."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np

BALLS = (
    ((0.0, 0.0, 3.0), 1.0, (230, 60, 60)),
    ((1.6, 0.4, 4.0), 1.0, (60, 200, 90)),
    ((-1.7, -0.3, 3.6), 0.8, (80, 90, 240)),
)
"""Middles, radii, colours."""
LIGHT = np.array([-0.5, 0.7, -0.5]) / np.linalg.norm([-0.5, 0.7, -0.5])


def strip(width: int, height: int, first: int, last: int) -> bytes:
    """The rows of a picture from ``first`` to before ``last``, three bytes a pixel."""
    rows, columns = np.mgrid[first:last, 0:width]
    rays = np.stack(
        [(columns - width / 2) / height * 2, (height / 2 - rows) / height * 2, np.full(rows.shape, 2.0)], -1
    )
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    picture = np.full((*rows.shape, 3), 20.0)
    nearest = np.full(rows.shape, np.inf)
    for middle, radius, colour in BALLS:
        along = rays @ np.array(middle)
        inside = along**2 - (np.dot(middle, middle) - radius**2)
        distance = along - np.sqrt(np.maximum(inside, 0))
        seen = (inside > 0) & (distance > 0) & (distance < nearest)
        normal = (rays * distance[..., None] - middle) / radius
        light = np.clip(normal @ LIGHT, 0.1, 1)[..., None]
        picture = np.where(seen[..., None], light * np.array(colour), picture)
        nearest = np.where(seen, distance, nearest)
    return picture.astype(np.uint8).tobytes()


def main(width: int, height: int, strips: int, to: str) -> None:
    """Render it, and print its file's size."""
    import ray  # noqa: PLC0415 - the rest can be used without a cluster

    ray.init(log_to_driver=False)
    edges = [height * each // strips for each in range(strips + 1)]
    parts = ray.get([ray.remote(strip).remote(width, height, *each) for each in pairwise(edges)])
    path = Path(to)
    path.write_bytes(f"P6 {width} {height} 255\n".encode() + b"".join(parts))
    print("PICTURE", path, path.stat().st_size)


if __name__ == "__main__":
    main(320, 240, 8, sys.argv[1] if len(sys.argv) > 1 else "/data/picture.ppm")
