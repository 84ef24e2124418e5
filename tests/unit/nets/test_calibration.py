from dataclasses import replace

import numpy as np

from antema.nets.calibration import Calibration
from antema.nets.polarity import EVIDENCE


def test_other_probabilities_are_another_network():
    first = Calibration("a" * 64, 1.5, 0.1, np.zeros(len(EVIDENCE)))
    # temperature and offset stand in the card, not in the file whose digest this is
    others = [replace(first, **change) for change in ({"sha256": "b" * 64}, {"temperature": 1.6}, {"offset": 0.2})]
    assert len({each.digest("c" * 64) for each in (first, *others)} | {first.digest("d" * 64)}) == 5
    assert replace(first).digest("c" * 64) == first.digest("c" * 64)
