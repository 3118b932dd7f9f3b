"""Sample data for a first workspace: photographs, a short video and a text file.

The photographs are those that scikit-image ships: public domain or CC0, each with its source in
``skimage/data/README.txt``. The video is a slow pan over one of them.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import av
import numpy as np
import skimage.data
from PIL import Image

PHOTOS = ("astronaut.png", "camera.png", "chelsea.png", "coffee.png", "rocket.jpg", "coins.png")
SCIENCE = (
    "hubble_deep_field.jpg",
    "retina.jpg",
    "moon.png",
    "brick.png",
    "grass.png",
    "gravel.png",
    "cell.png",
)
FRAMES, FRAMES_PER_SECOND = 50, 25
WIDTH, HEIGHT = 320, 240


def copy(names: tuple[str, ...], folder: Path) -> None:
    """Copy photographs that the installed scikit-image holds."""
    source = Path(skimage.data.__file__).parent
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        shutil.copyfile(source / name, folder / name)


def pan(photo: Path, video: Path) -> None:
    """Write two seconds of video, frames of ``HEIGHT`` x ``WIDTH`` x 3, that move over ``photo``."""
    pixels = np.asarray(Image.open(photo).convert("RGB"))
    with av.open(str(video), "w") as out:
        stream = out.add_stream("mpeg4", rate=FRAMES_PER_SECOND)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for step in range(FRAMES):
            left = (pixels.shape[1] - WIDTH) * step // FRAMES
            cut = np.ascontiguousarray(pixels[:HEIGHT, left : left + WIDTH])
            out.mux(stream.encode(av.VideoFrame.from_ndarray(cut, format="rgb24")))
        out.mux(stream.encode())


def main(root: Path) -> None:
    """Put the samples under ``root``: ``photos`` and ``science``; what is there is left alone."""
    if (root / "science" / "pan.mp4").exists():
        return
    copy(PHOTOS, root / "photos")
    copy(SCIENCE, root / "science")
    pan(root / "science" / "hubble_deep_field.jpg", root / "science" / "pan.mp4")
    (root / "science" / "about.txt").write_text("Sample data; photographs of scikit-image.\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
