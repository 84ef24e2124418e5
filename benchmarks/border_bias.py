"""How far statistics lie from the truth when particles that the image's edge cuts are dropped, kept or corrected for.

Run with ``python -m benchmarks.border_bias`` from the checkout. Ellipses with lognormal equivalent diameters, of random
axis ratio and angle and at most a third of the image long, lie anywhere on a plane without regard to each other. Images
are cut out of it. No pixel is drawn: what lies wholly inside is known exactly, what the edge cuts is measured by the
area inside.

- ``kept``: cut ones are measured as they are seen;
- ``dropped``: they are dropped;
- ``corrected``: they are dropped, and each particle counts by the inverse of the chance that one of its bounding box
  lies wholly inside (`antema.stats.border_correction`).

The truth is the distribution that the particles were drawn from. Printed are errors of each statistic of all images of
a run together, in per cent of the truth, averaged over the runs, with the Monte Carlo standard error of that average.
"""

import argparse
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antema import stats

AREA_GRID = 24
"""Points along each axis of an ellipse, with which the area inside the image is counted."""

STATISTICS = ("mean", "D50", "D90")
METHODS = ("kept", "dropped", "corrected")


@dataclass(frozen=True)
class Particles:
    """Ellipses in a plane; lengths in units of the image's edge.

    Parameters
    ----------
    diameter : ndarray, shape (n,)
        Equivalent diameters.
    ratio, angle : ndarray, shape (n,)
        Long over short axis, and the angle of the long one in radians.
    """

    diameter: NDArray[np.float64]
    ratio: NDArray[np.float64]
    angle: NDArray[np.float64]

    @property
    def axes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Long and short half-axes."""
        return self.diameter / 2 * np.sqrt(self.ratio), self.diameter / 2 / np.sqrt(self.ratio)

    @property
    def box(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Width and height of the bounding boxes."""
        (a, b), c, s = self.axes, np.cos(self.angle), np.sin(self.angle)
        return 2 * np.hypot(a * c, b * s), 2 * np.hypot(a * s, b * c)

    def __getitem__(self, chosen: NDArray[np.bool_]) -> "Particles":
        return Particles(self.diameter[chosen], self.ratio[chosen], self.angle[chosen])


def draw(n: int, median: float, gsd: float, rng: np.random.Generator) -> Particles:
    """Return particles of lognormal equivalent diameter, longest axis at most a third of the image."""
    kept: list[Particles] = []
    while sum(p.diameter.size for p in kept) < n:
        size = rng.lognormal(np.log(median), np.log(gsd), 2 * n)
        some = Particles(size, rng.uniform(1, 1.5, size.size), rng.uniform(0, np.pi, size.size))
        kept.append(some[2 * some.axes[0] <= 1 / 3])
    together = Particles(*(np.concatenate([getattr(p, name) for p in kept]) for name in ("diameter", "ratio", "angle")))
    return together[np.arange(together.diameter.size) < n]


def area_inside(particles: Particles, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of each ellipse's area that lies in the unit square, by counting points."""
    axis = (np.arange(AREA_GRID) + 0.5) / AREA_GRID * 2 - 1
    u, v = (grid.ravel() for grid in np.meshgrid(axis, axis))
    disc = u**2 + v**2 <= 1
    u, v = u[disc], v[disc]
    (a, b), c, s = particles.axes, np.cos(particles.angle), np.sin(particles.angle)
    px = x[:, None] + (a * c)[:, None] * u - (b * s)[:, None] * v
    py = y[:, None] + (a * s)[:, None] * u + (b * c)[:, None] * v
    return np.mean((px > 0) & (px < 1) & (py > 0) & (py < 1), axis=1)


def images(
    n_images: int, median: float, gsd: float, density: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return diameter as measured, border weight, and whether it is whole, of every particle seen on so many images.

    Images are independent and particles know nothing of each other, so all are drawn at once.
    """
    margin = 1 / 6  # no particle reaches further from its centre
    n = rng.poisson(n_images * density * (1 + 2 * margin) ** 2)
    particles = draw(n, median, gsd, rng)
    x, y = rng.uniform(-margin, 1 + margin, (2, n))
    w, h = particles.box
    whole = (x > w / 2) & (x < 1 - w / 2) & (y > h / 2) & (y < 1 - h / 2)
    near = ~whole & (x > -w / 2) & (x < 1 + w / 2) & (y > -h / 2) & (y < 1 + h / 2)
    share = np.where(whole, 1.0, 0.0)
    share[near] = area_inside(particles[near], x[near], y[near])
    seen = share > 0
    weight = 1 / ((1 - w) * (1 - h))
    return (particles.diameter * np.sqrt(share))[seen], weight[seen], whole[seen]


def numbers(diameter: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weighted mean, median and D90."""
    return np.array(
        [np.average(diameter, weights=weights), *stats.weighted_quantiles(diameter, [0.5, 0.9], weights)],
    )


def estimates(
    diameter: NDArray[np.float64], weight: NDArray[np.float64], inside: NDArray[np.bool_], weighting: str
) -> NDArray[np.float64]:
    """Return the statistics by each method: shape (3 methods, 3 statistics)."""
    by_size = stats.weights(diameter, weighting)
    correction = stats.border_correction(weight[inside], border_dropped=True)
    assert correction.factors is not None
    return np.array(
        [
            numbers(diameter, by_size),
            numbers(diameter[inside], by_size[inside]),
            numbers(diameter[inside], by_size[inside] * correction.factors),
        ]
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--images", type=int, default=200, help="images of a run")
    parser.add_argument("--density", type=float, default=60.0, help="particles per image area")
    parser.add_argument("--median", type=float, default=0.08, help="median diameter, in image edges")
    parser.add_argument("--gsd", type=float, default=1.5, help="geometric standard deviation")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    population = draw(4_000_000, arguments.median, arguments.gsd, rng).diameter
    truth = {name: numbers(population, stats.weights(population, name)) for name in ("number", "volume")}
    errors: dict[str, list[NDArray[np.float64]]] = {name: [] for name in truth}
    for _ in range(arguments.runs):
        found = images(arguments.images, arguments.median, arguments.gsd, arguments.density, rng)
        for name in truth:
            errors[name].append(100 * (estimates(*found, name) / truth[name] - 1))
    print(
        f"error in % of the truth: {arguments.runs} runs of {arguments.images} images, {arguments.density:g} particles "
        f"per image area, median {arguments.median:g} of the image's edge, GSD {arguments.gsd:g}, seed {arguments.seed}"
    )
    print(f"{'weighting':>9} {'statistic':>9} {'truth':>7}" + "".join(f" {method:>16}" for method in METHODS))
    for name, of_runs in errors.items():
        every = np.array(of_runs)
        mean, error = every.mean(axis=0), every.std(axis=0, ddof=1) / np.sqrt(arguments.runs)
        for column, statistic in enumerate(STATISTICS):
            cells = "".join(f" {m:+8.2f} +- {e:4.2f}" for m, e in zip(mean[:, column], error[:, column], strict=True))
            print(f"{name:>9} {statistic:>9} {truth[name][column]:7.4f}{cells}")


if __name__ == "__main__":
    main()
