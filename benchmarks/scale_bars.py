"""How well burned-in scale bars are found, measured and read, and what the boxes of all that is burned in hide.

    python benchmarks/scale_bars.py ../shared/data/emps-bf-train/images --labels tests/golden/scale_bars.csv \
        --instances ../shared/data/emps-bf-train/instances

The labels are a table with the columns `file, length_px, label, length_nm` (empty where an image has no bar, or its bar
no legible label). Images without a row there are read too, for time and for what is hidden.
"""

import argparse
import csv
import time
from pathlib import Path

import numpy as np
from PIL import Image

from antema.imaging import find_annotations, read


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path, help="folder of images")
    parser.add_argument("--labels", type=Path, help="table of bars measured by hand")
    parser.add_argument("--instances", type=Path, help="folder of instance maps of the same names")
    parser.add_argument("--labelled-only", action="store_true", help="leave out images without a row in the table")
    parser.add_argument("--each", action="store_true", help="print a line per image")
    arguments = parser.parse_args()
    truth = {}
    if arguments.labels is not None:
        with arguments.labels.open(newline="") as file:
            truth = {row["file"]: row for row in csv.DictReader(file)}
    files = sorted(path for path in arguments.images.iterdir() if path.suffix.lower() in {".png", ".tif", ".jpg"})
    if arguments.labelled_only:
        files = [path for path in files if path.name in truth]

    bars = found = readable = read_right = offered = wrong = without = false_bars = 0
    particle = hidden = boxed = pixels_of_all = 0
    seconds: list[float] = []
    for path in files:
        pixels = read(path).pixels
        begin = time.perf_counter()
        annotations = find_annotations(pixels)
        seconds.append(time.perf_counter() - begin)
        bar = annotations.scale_bar
        remark = ""
        offered += bar is not None and bar.length_nm is not None
        if (row := truth.get(path.name)) is not None:
            length_nm = float(row["length_nm"]) if row["length_nm"] else None
            if not row["length_px"]:
                without += 1
                false_bars += bar is not None
                remark = "false bar" if bar is not None else ""
            else:
                bars += 1
                near = bar is not None and abs(bar.length_px / float(row["length_px"]) - 1) <= 0.02
                found += near
                remark = "" if near else f"bar of {row['length_px']} px missed"
            readable += length_nm is not None
            if bar is not None and length_nm is not None:
                read_right += bar.length_nm == length_nm
            if bar is not None and bar.length_nm is not None:
                is_wrong = length_nm is None or bar.length_nm != length_nm
                wrong += is_wrong
                remark += " wrong length" if is_wrong else ""
        covered = annotations.mask(pixels.shape)
        boxed += int(covered.sum())
        pixels_of_all += covered.size
        if arguments.instances is not None:
            labelled = np.asarray(Image.open(arguments.instances / path.name)) > 0
            particle += int(labelled.sum())
            hidden += int((labelled & covered).sum())
        if arguments.each:
            print(
                path.name, bar and (bar.length_px, bar.label, bar.length_nm), len(annotations.boxes), remark, flush=True
            )

    print(
        f"{len(files)} images, {np.mean(seconds):.2f} s each "
        f"(median {np.median(seconds):.2f}, longest {max(seconds):.2f})"
    )
    print(f"boxes cover {boxed / pixels_of_all:.2%} of the images")
    if particle:
        print(f"boxes cover {hidden / particle:.2%} of the labelled particles' area")
    if truth:
        print(f"bars found within 2 %    {found} of {bars} ({found / max(bars, 1):.1%})")
        print(f"labels read right        {read_right} of {readable} ({read_right / max(readable, 1):.1%})")
        print(
            f"wrong lengths offered    {wrong} of {bars + without} images with a row "
            f"({wrong / max(bars + without, 1):.1%})"
        )
        print(f"bars where there is none {false_bars} of {without}")
    print(f"lengths offered          {offered}")


if __name__ == "__main__":
    main()
