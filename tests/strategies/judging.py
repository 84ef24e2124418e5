"""A segmenter that says of each image what a network would say beside its map."""

from dataclasses import dataclass, field, replace

import numpy as np

from antema.analysis import Segmentation
from antema.domain import Trust
from tests.strategies.stored import ThresholdSegmenter

STRANGE = Trust(0.12, "outside", ("Its particles are 3 px wide, and the network knows 8 to 500 px.", "It is noisy."))
DOUBTFUL = Trust(0.44, "doubtful", ("It is far out of focus.",))
KNOWN = Trust(0.93, "within")


@dataclass
class Judge(ThresholdSegmenter):
    """Takes bright for particle, gives out its verdicts one after another, and tells of its progress."""

    trusts: list[Trust | None] = field(default_factory=lambda: [STRANGE, KNOWN, DOUBTFUL])
    asked: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    shares: tuple[float, ...] = (0.25, 1.0)
    calls: int = 0
    delay_s: float = 0.0

    def segment(self, pixels, *, polarity="auto", expected="dark", progress=None):
        probability = self.probability(pixels)
        self.asked.append(polarity)
        self.expected.append(expected)
        for share in self.shares if progress else ():
            progress(share)
        covered = np.zeros(pixels.shape, dtype=bool)
        said = Segmentation(pixels, probability, covered, ("Seen at half its width.",), scales=(1.0, 0.5))
        return replace(said, trust=self.trusts[(self.calls - 1) % len(self.trusts)], polarity="bright")
