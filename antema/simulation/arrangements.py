"""Where particles lie in a field: apart, touching, overlapping, in chains, clusters and rafts."""

import numpy as np
from numpy.typing import NDArray

from antema.simulation.fourier import long_waves

ARRANGEMENTS = ("separate", "overlapping", "chains", "clusters", "raft", "dense")
Places = NDArray[np.float64]


def arranged(
    rng: np.random.Generator,
    outlines: list[Places],
    size: tuple[float, float],
    arrangement: str,
    *,
    overlap: float = 0.1,
    square: bool = False,
) -> Places:
    """Return a centre for each outline, nan where it found no room.

    Parameters
    ----------
    rng : Generator
        Source of the places.
    outlines : list of ndarray, shape (n, 2)
        Corners of each particle around its own centre.
    size : tuple of float
        Width and height of the field, in the unit of the outlines.
    arrangement : str
        ``separate``: nowhere nearer than their circumscribed circles. ``overlapping``: a share `overlap` lies over
        another one. ``chains`` and ``clusters``: each touches one placed before, the last of its chain or any;
        a share `overlap` of them overlaps it. ``raft``: on a lattice, with faults and vacancies, sometimes in two
        layers. ``dense``: at random, kept apart by less than their size, as many as there are.
    overlap : float
        A share, 0 to 1.
    square : bool
        Whether rafts have a square lattice instead of a hexagonal one.

    Returns
    -------
    ndarray, shape (n, 2)
        x and y.

    Raises
    ------
    ValueError
        For an unknown arrangement.
    """
    if arrangement not in ARRANGEMENTS:
        msg = f"expected an arrangement out of {', '.join(ARRANGEMENTS)}, found {arrangement!r}"
        raise ValueError(msg)
    reach = np.array([np.hypot(*corners.T).max() for corners in outlines])
    if arrangement == "raft":
        return _raft(rng, reach, outlines, size, square=square, layers=2 if rng.random() < overlap else 1)
    if arrangement in ("chains", "clusters"):
        return _aggregates(rng, outlines, reach, size, chains=arrangement == "chains", overlap=overlap)
    gap = 0.6 if arrangement == "dense" else 1.04
    return _scattered(rng, outlines, reach, size, gap=gap, overlap=0.0 if arrangement == "separate" else overlap)


def contact(one: Places, other: Places, direction: Places) -> float:
    """Return how far `other` is to be moved along `direction` for a line across it to part it from `one`."""
    return float((one @ direction).max() + (other @ -direction).max())


def _scattered(
    rng: np.random.Generator,
    outlines: list[Places],
    reach: Places,
    size: tuple[float, float],
    *,
    gap: float,
    overlap: float,
    tries: int = 40,
) -> Places:
    result = np.full((len(outlines), 2), np.nan)
    placed: list[int] = []
    grid = _Cells(2 * float(reach.max(initial=1)) * max(gap, 1))
    for k, own in enumerate(reach):
        if placed and rng.random() < overlap:
            other = placed[int(rng.integers(len(placed)))]
            found = result[other] + _beside(rng, outlines[other], outlines[k], rng.uniform(0.5, 1.02))
        else:
            for _ in range(tries):
                found = rng.uniform(0, 1, 2) * size
                near = grid.near(found)
                if not near or (np.hypot(*(result[near] - found).T) > (reach[near] + own) * gap).all():
                    break
            else:
                continue
        result[k] = found
        placed.append(k)
        grid.add(k, found)
    return result


def _aggregates(
    rng: np.random.Generator,
    outlines: list[Places],
    reach: Places,
    size: tuple[float, float],
    *,
    chains: bool,
    overlap: float,
    tries: int = 12,
) -> Places:
    result = np.full((len(outlines), 2), np.nan)
    grid = _Cells(2 * float(reach.max(initial=1)))
    length = max(2.0, float(np.exp(rng.normal(np.log(8), 0.8))))
    group: list[int] = []
    heading = rng.uniform(0, 2 * np.pi)
    for k in range(len(outlines)):
        if not group or rng.random() < 1 / length:
            group, heading = [], rng.uniform(0, 2 * np.pi)
            result[k] = rng.uniform(0.1, 0.9, 2) * size
        else:
            for _ in range(tries):
                other = group[-1] if chains else group[int(rng.integers(len(group)))]
                angle = heading + rng.normal(0, 0.5) if chains else rng.uniform(0, 2 * np.pi)
                over = rng.uniform(0.55, 0.97) if rng.random() < overlap else rng.uniform(0.99, 1.04)
                found = result[other] + _beside(rng, outlines[other], outlines[k], over, angle)
                others = [n for n in grid.near(found) if n != other]
                # circles in the corners' stead would keep cubes apart
                free = not others or (np.hypot(*(result[others] - found).T) > 0.8 * (reach[others] + reach[k])).all()
                if not ((found > 0) & (found < size)).all():
                    heading += np.pi / 3  # a chain turns at the edge
                elif free or rng.random() < 0.2 * overlap:
                    heading, result[k] = angle, found
                    break
            else:
                continue
        group.append(k)
        grid.add(k, result[k])
    return result


def _beside(rng: np.random.Generator, one: Places, other: Places, share: float, angle: float | None = None) -> Places:
    angle = rng.uniform(0, 2 * np.pi) if angle is None else angle
    direction = np.array([np.cos(angle), np.sin(angle)])
    return direction * contact(one, other, direction) * share


def _raft(
    rng: np.random.Generator,
    reach: Places,
    outlines: list[Places],
    size: tuple[float, float],
    *,
    square: bool,
    layers: int,
) -> Places:
    n = len(outlines)
    width = 2 * float(np.median(reach))
    if square:
        width = float(np.median([np.ptp(corners @ _AXIS) for corners in outlines]))
    pitch = width * rng.uniform(1.0, 1.22)
    step = np.array([[1.0, 0], [0, 1]]) if square else np.array([[1.0, 0], [0.5, np.sqrt(3) / 2]])
    if square and rng.random() < 0.3:
        step[1, 0] = rng.uniform(0, 0.5)  # rows shifted, as bricks are
    turn = 0.0 if square else rng.uniform(0, np.pi / 3)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    half = int(np.hypot(*size) / pitch) + 2
    at = np.stack(np.meshgrid(np.arange(-half, half + 1), np.arange(-half, half + 1)), axis=-1).reshape(-1, 2)
    lattice = at @ step @ rotation * pitch
    sheets = [lattice + np.asarray(size) / 2 + rng.uniform(-0.5, 0.5, 2) * pitch for _ in range(layers)]
    points = np.concatenate(sheets)
    points = points[((points > -pitch) & (points < np.asarray(size) + pitch)).all(axis=1)]
    # islands: the lattice points where a smooth random pattern is highest
    cells = (64, 64)
    pattern = long_waves(rng, cells, waves=rng.uniform(0.5, 2.5))
    place = np.clip((points / np.asarray(size) * 64).astype(int), 0, 63)
    wanted = pattern[place[:, 1], place[:, 0]] + rng.normal(0, 0.15, len(points))
    chosen = points[np.argsort(-wanted, kind="stable")][: int(n * rng.uniform(0.93, 1.0))]
    chosen = chosen[rng.permutation(len(chosen))] + rng.normal(0, rng.uniform(0.01, 0.06) * pitch, (len(chosen), 2))
    result = np.full((n, 2), np.nan)
    result[: len(chosen)] = chosen
    return result


_AXIS = np.array([1.0, 0.0])


class _Cells:
    """Numbers of points by square cell, to find those near another point."""

    def __init__(self, edge: float) -> None:
        self.edge = edge
        self.cells: dict[tuple[int, int], list[int]] = {}

    def add(self, number: int, point: Places) -> None:
        self.cells.setdefault(self._cell(point), []).append(number)

    def near(self, point: Places) -> list[int]:
        column, row = self._cell(point)
        return [n for dx in (-1, 0, 1) for dy in (-1, 0, 1) for n in self.cells.get((column + dx, row + dy), ())]

    def _cell(self, point: Places) -> tuple[int, int]:
        return int(point[0] // self.edge), int(point[1] // self.edge)
