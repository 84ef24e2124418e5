"""Draw ``docs/simulation/fields.png``: ``python docs/make_fields_picture.py``.

Two simulated fields of each kind at half their size, with the outlines of the truth on the right half of each; none of
the kind ``crystallinity``, whose lattices are lost at half their size.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from antema.imaging import to_8bit
from antema.imaging.palette import ORANGE, rgb
from antema.imaging.pictures import outline_indices
from antema.simulation import KINDS, SimulatedField

OUT = Path(__file__).parent / "simulation" / "fields.png"
SEEDS = {
    "metal": (2, 5),
    "semiconductor": (4, 6),
    "large": (1, 2),
    "dense": (1, 2),
    "annular": (2, 3),
    "solids": (1, 2),
    "scenes": (5, 13),
}
SHAPE = (360, 480)
COLUMNS, LINE_PX = 4, 16
GREYS = 32
"""Few enough for a small file; the next number of the palette is the outlines'."""


def panel(field: SimulatedField, title: str) -> Image.Image:
    """Return a field at half its size below a line of text, numbers of the palette."""
    h, w = SHAPE
    grey = to_8bit(field.pixels).reshape(h // 2, 2, w // 2, 2).mean(axis=(1, 3)) * GREYS / 256
    outline = outline_indices(SHAPE, field.instances, width_px=2).reshape(h // 2, 2, w // 2, 2).any(axis=(1, 3))
    outline[:, : w // 4] = False
    picture = Image.new("P", (w // 2, h // 2 + LINE_PX), GREYS - 1)
    picture.paste(Image.fromarray(np.where(outline, GREYS, grey).astype(np.uint8)), (0, LINE_PX))
    ImageDraw.Draw(picture).text((4, 2), title, fill=0, font=ImageFont.load_default(11))
    return picture


def palette() -> NDArray[np.uint8]:
    """Return grey values and the colour of outlines, uint8 (GREYS + 1, 3)."""
    greys = np.linspace(0, 255, GREYS).astype(np.uint8)
    return np.concatenate([np.stack([greys] * 3, axis=1), np.array([rgb(ORANGE)], np.uint8)])


def main() -> None:
    """Draw the picture."""
    assert set(SEEDS) | {"mixed", "crystallinity"} == set(KINDS)
    panels = []
    for kind, seeds in SEEDS.items():
        for seed in seeds:
            field = KINDS[kind](seed, shape=SHAPE)
            scale = f", {field.pixel_size_nm:.3f} nm/px" if field.pixel_size_nm else ""
            panels.append(panel(field, f"{kind}, seed {seed}{scale}"))
    (w, h), gap = panels[0].size, 4
    rows = -(-len(panels) // COLUMNS)
    whole = Image.new("P", (COLUMNS * (w + gap) - gap, rows * (h + gap) - gap), GREYS - 1)
    for k, each in enumerate(panels):
        whole.paste(each, (k % COLUMNS * (w + gap), k // COLUMNS * (h + gap)))
    whole.putpalette(palette().ravel().tolist())
    whole.save(OUT, optimize=True)


if __name__ == "__main__":
    main()
