"""Made-up but realistic samples for the reports."""

import hashlib
import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from antema.domain import DROP_REASONS, PARTICLE_COLUMNS, Recipe, View
from antema.reports import ReportImage, SampleReport

NASTY = "Au@#let x = 1 *bold* _it_ $a^2$ <label> \\ [x] äöüß µ"


def descriptors(rng, d, aspect, *, factors):
    return {
        "eccentricity": (1 - 1 / aspect**2) ** 0.5,
        "orientation_deg": 180 * rng.random(),
        "mean_grey": rng.normal(90, 10),
        "contrast": abs(rng.normal(4, 1)),
        "nearest_neighbour_nm": rng.gamma(4, 2.5),
        "overlap_fraction": max(0.0, rng.normal(-0.05, 0.1)),
        "edge_width_nm": rng.gamma(9, 0.03),
        "border_weight": 1 / (1 - d / 60) ** 2 if factors else np.nan,
    }


def particle_table(n_images, per_image=40, *, seed=0, mean_nm=4.0, crystallinity=False, factors=True, name="Au-1"):
    rng, more = np.random.default_rng(seed), np.random.default_rng(seed + 1)
    rows = []
    for image in range(n_images):
        shift = rng.normal(0, 0.12)
        for particle in range(1, per_image + 1):
            d, aspect = rng.normal(mean_nm + shift, 0.14 * mean_nm), 1 + abs(rng.normal(0.12, 0.08))
            dropped = rng.random() < 0.2
            p = rng.dirichlet([0.3, 1, 2])
            names = ("amorphous", "monocrystalline", "polycrystalline")
            rows.append(
                {
                    "sample": name,
                    "image": f"img_{image:03d}.dm4",
                    "particle": particle,
                    "status": "dropped" if dropped else "measured",
                    "drop_reason": str(rng.choice(list(DROP_REASONS))) if dropped else "",
                    "separated": bool(rng.random() < 0.2),
                    "area_nm2": np.pi * d * d / 4,
                    "equivalent_diameter_nm": d,
                    "feret_min_nm": d / aspect**0.5,
                    "feret_max_nm": d * aspect**0.5,
                    "aspect_ratio": aspect,
                    "perimeter_nm": 3.2 * d,
                    "circularity": min(1.0, rng.normal(0.93, 0.03)),
                    "convexity": min(1.0, rng.normal(0.98, 0.008)),
                    "solidity": 0.97,
                    "centroid_x_nm": 60 * rng.random(),
                    "centroid_y_nm": 60 * rng.random(),
                    "bbox_x_px": int(rng.integers(900)),
                    "bbox_y_px": int(rng.integers(900)),
                    "bbox_w_px": 40,
                    "bbox_h_px": 41,
                    "crystallinity": names[int(p.argmax())] if crystallinity else None,
                    "p_amorphous": p[0] if crystallinity else np.nan,
                    "p_monocrystalline": p[1] if crystallinity else np.nan,
                    "p_polycrystalline": p[2] if crystallinity else np.nan,
                    "confidence": p.max() if crystallinity else np.nan,
                    "p_lattice_visible": 0.9 if p[0] < 0.5 else 0.3,
                    "crystallinity_reason": "",
                    "convention": "contour",
                    **descriptors(more, d, aspect, factors=factors),
                }
            )
    return pd.DataFrame(rows, columns=list(PARTICLE_COLUMNS))


def picture(width=300, height=200):
    ramp = np.linspace(0, 255, width * height).reshape(height, width).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(ramp).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


def make_report(
    n_images=8, *, name="Au-1", pictures=0, weighting="number", border=False, failed=0, recipe=None, **table
):
    particles = particle_table(n_images, name=name, **table)
    measured = particles[particles["status"] == "measured"]["image"].value_counts()
    dropped = particles[particles["status"] == "dropped"]["image"].value_counts()
    images = [
        ReportImage(
            name=f"img_{k:03d}.dm4",
            sha256=hashlib.sha256(str(k).encode()).hexdigest(),
            pixel_size_nm=0.06398699,
            pixel_size_source="user: Jörg" if k == 0 else "file: DM calibration",
            png=picture() if k < pictures else b"",
            n_measured=int(measured.get(f"img_{k:03d}.dm4", 0)),
            n_dropped=int(dropped.get(f"img_{k:03d}.dm4", 0)),
        )
        for k in range(n_images)
    ]
    images += [
        ReportImage(f"bad_{k}.ser", status="failed", error=f"bad_{k}.ser: expected a micrograph, found a spectrum.")
        for k in range(failed)
    ]
    return SampleReport(
        sample={
            "name": name,
            "material": "Au on carbon",
            "batch": "B-17",
            "synthesis_date": "2024-03-07",
            "operator": "J. Müller",
            "notes": "",
            "properties": {"ligand": "dodecanethiol"},
        },
        table=particles,
        images=images,
        recipe=recipe or Recipe(),
        view=View(weighting=weighting, border_weighted=border),
        model={"name": "default", "title": "U-Net", "sha256": "ab" * 32, "metrics": {"iou": 0.91}},
        provenance={"date": "2026-11-21T09:30:00+00:00", "who": "J. Müller", "software": "antema 0.1.0"},
    )


@pytest.fixture(name="make_report", scope="session")
def _make_report():
    return make_report


@pytest.fixture(scope="session")
def sample_report():
    """Eight images with classes, three of them pictured, one failed."""
    return make_report(8, pictures=3, failed=1, crystallinity=True)


@pytest.fixture(scope="session")
def nasty_name():
    return NASTY
