"""A classifier of crystallinity that needs no network."""

from dataclasses import dataclass, field

import numpy as np

from antema.domain import CRYSTALLINITIES
from antema.nets.classified import Classified, EvidenceMap


@dataclass
class DrawsClasses:
    """Says of each particle what chance gives, and counts how often it was asked.

    Parameters
    ----------
    classes : tuple of str
        What it draws from.
    certainties : tuple of float
        Largest probabilities that it draws from; the rest is shared by the other two classes.
    least_area_px : int
        Particles of fewer pixels are too small for it.
    p_lattice : float
        What it says of every lattice.
    """

    classes: tuple[str, ...] = CRYSTALLINITIES
    certainties: tuple[float, ...] = (0.7, 0.9, 0.99)
    least_area_px: int = 0
    p_lattice: float = 0.9
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))
    name: str = "drawn-classes"
    sha256: str = "c" * 64
    asked: int = 0

    def classify(self, pixels, instances, pixel_size_nm, *, progress=None):
        """Answer for every instance."""
        assert pixels.ndim == 2
        assert pixel_size_nm > 0
        self.asked += 1
        n = len(instances)
        places = [CRYSTALLINITIES.index(name) for name in self.rng.choice(self.classes, n)]
        certain = self.rng.choice(self.certainties, n)
        probabilities = np.repeat((1 - certain)[:, None] / 2, 3, axis=1)
        probabilities[np.arange(n), places] = certain
        small = np.array([instance.area_px < self.least_area_px for instance in instances], dtype=bool)
        probabilities[small] = np.nan
        if progress is not None:
            progress(0.5)
            progress(1.0)
        evidence = [evidence_of(*one) for one in zip(probabilities, instances, strict=True)]
        return Classified(
            probabilities,
            np.where(small, np.nan, self.p_lattice),
            tuple("too_small" if one else "" for one in small),
            tuple(None if hindered else one for hindered, one in zip(small, evidence, strict=True)),
        )


def evidence_of(probabilities, instance):
    """Return a map of 4 x 5 places whose mean is what the probabilities are made of; one place is outside."""
    values = np.tile(np.log(probabilities), (4, 5, 1)).astype(np.float16)
    values[0, 0] = np.nan
    return EvidenceMap(float(instance.x), float(instance.y), float(instance.w), float(instance.h), values)
