"""How much a network's trust in an image is worth: by contrast-to-noise of its particles, and on photographs.

Run it as ``python -m benchmarks.trust --simulated DIR --page docs/models.md``. DIR is a set that ``antema simulate
micrographs`` wrote with seeds that the model's training did not use. The photographs are those that scikit-image brings
along; of a picture in colour the mean of its channels is taken. None of them is a micrograph of particles, though two,
marked so, are pictures of blobs that a network of this kind may well take for such.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antema.analysis.descriptors import contrasts
from antema.domain.trust import VERDICTS
from antema.nets import Segmenter, expected_polarity, load
from antema.training.cases import truth_of
from antema.training.evaluate import read_case
from antema.training.sources import image_pairs
from antema.training.tables import as_markdown, as_text, number, put

BANDS = ((0.0, 0.5), (0.5, 1.0), (1.0, 2.0), (2.0, 4.0), (4.0, np.inf))
PHOTOGRAPHS = (
    *("astronaut", "brick", "camera", "cell", "chelsea", "clock", "coffee", "coins", "colorwheel", "grass", "gravel"),
    *(
        "horse",
        "hubble_deep_field",
        "immunohistochemistry",
        "microaneurysms",
        "moon",
        "page",
        "retina",
        "rocket",
        "text",
    ),
)
BLOBS = ("cell", "coins")


def by_contrast(segmenter: Segmenter, folder: Path, at_most: int) -> list[list[str]]:
    """Return a row for each band of the particles' median contrast-to-noise: trust beside overlap with the truth."""
    pairs = image_pairs(folder)
    found: list[tuple[float, float, float, str]] = []
    for pair in pairs[:: -(-len(pairs) // at_most)]:
        case = read_case(*pair)
        pixels, true = case.micrograph.pixels, truth_of(case).mask
        contrast = contrasts(case.instances, pixels)
        if not np.isfinite(contrast).any():
            continue
        seen = segmenter.segment(pixels, expected=expected_polarity(case.micrograph.metadata))
        mask = seen.probability > segmenter.threshold
        dice = 2 * np.count_nonzero(mask & true) / max(np.count_nonzero(mask) + np.count_nonzero(true), 1)
        assert seen.trust is not None
        found.append((float(np.nanmedian(contrast)), seen.trust.score, dice, seen.trust.verdict))
    rows = [["contrast-to-noise", "fields", "mean score", "mean Dice", "least Dice", *VERDICTS, "score apart by"]]
    for low, high in BANDS:
        band = [each for each in found if low <= each[0] < high]
        if not band:
            continue
        score, dice = (np.array([each[k] for each in band]) for k in (1, 2))
        verdicts = [each[3] for each in band]
        rows.append(
            [
                f"over {low:g}" if np.isinf(high) else f"{low:g} to {high:g}",
                str(len(band)),
                *(number(value) for value in (score.mean(), dice.mean(), dice.min())),
                *(str(verdicts.count(each)) for each in VERDICTS),
                number(float(np.abs(score - dice).mean())),
            ]
        )
    return rows


def on_photographs(segmenter: Segmenter) -> list[list[str]]:
    """Return a row for each photograph: score, verdict, and the share of it that was taken for particle."""
    from skimage import data

    rows = [["picture", "score", "verdict", "taken for particle"]]
    for name in PHOTOGRAPHS:
        pixels = _grey(getattr(data, name)())
        seen = segmenter.segment(pixels)
        assert seen.trust is not None
        share = float((seen.probability > segmenter.threshold).mean())
        words = f"{name} (blobs)" if name in BLOBS else name
        rows.append([words, number(seen.trust.score), seen.trust.verdict, f"{100 * share:.0f} %"])
    return rows


def _grey(picture: NDArray[np.generic]) -> NDArray[np.float32]:
    values = picture.astype(np.float32)
    return values[..., :3].mean(axis=-1) if values.ndim == 3 else values


def _counted(rows: Sequence[Sequence[str]]) -> str:
    verdicts = [row[2] for row in rows[1:]]
    return ", ".join(f"{verdicts.count(each)} {each}" for each in VERDICTS)


def _within(rows: Sequence[Sequence[str]]) -> str:
    return ", ".join(row[0].replace("_", " ") for row in rows[1:] if row[2] == VERDICTS[0])


def main() -> None:
    parser = argparse.ArgumentParser(description="What trust is worth by contrast, and on photographs.")
    parser.add_argument("--simulated", type=Path, required=True, metavar="DIR")
    parser.add_argument("--model", default="default")
    parser.add_argument("--at-most", type=int, default=100, metavar="N", help="simulated fields looked at (100)")
    parser.add_argument("--page", type=Path, metavar="FILE.md")
    options = parser.parse_args()
    segmenter = load(options.model)
    if segmenter.calibration is None or segmenter.calibration.trust is None:
        parser.error(f"model {segmenter.name}: expected one that antema models calibrate has measured")
    fields = by_contrast(segmenter, options.simulated, options.at_most)
    print(f"{segmenter.name} on {options.simulated.name}\n{as_text(fields)}\n", flush=True)
    pictures = on_photographs(segmenter)
    print(f"{segmenter.name} on photographs: {_counted(pictures)}\n{as_text(pictures)}")
    if options.page:
        words = f'Photographs: {_counted(pictures)}. "Within" are {_within(pictures)}.'
        put(options.page, "trust", f"{as_markdown(fields)}\n\n{words}")


if __name__ == "__main__":
    main()
