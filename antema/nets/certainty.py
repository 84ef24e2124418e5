"""What the logits of a classifier are worth as probabilities."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Certainty:
    """How the logits of a classifier become calibrated probabilities.

    Parameters
    ----------
    temperature : float
        What the classes' logits are divided by.
    offsets : tuple of float
        What is then added for each class.
    lattice_temperature, lattice_offset : float
        The same for the logit of a visible lattice.
    """

    temperature: float = 1.0
    offsets: tuple[float, float, float] = (0.0, 0.0, 0.0)
    lattice_temperature: float = 1.0
    lattice_offset: float = 0.0

    def probabilities(self, logits: NDArray[np.floating]) -> Floats:
        """Return the probabilities (n, 3) of the classes, from logits (n, 3 or more)."""
        return softmax(np.asarray(logits, np.float64)[:, :3] / self.temperature + np.array(self.offsets), axis=1)

    def lattice(self, logits: NDArray[np.floating]) -> Floats:
        """Return the probability (n,) that a lattice could be seen, from logits (n, 4)."""
        return np.asarray(expit(np.asarray(logits, np.float64)[:, 3] / self.lattice_temperature + self.lattice_offset))

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "temperature": self.temperature,
            "offsets": list(self.offsets),
            "lattice_temperature": self.lattice_temperature,
            "lattice_offset": self.lattice_offset,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Certainty":
        """Return what `to_dict` gave; other entries are ignored."""
        first, second, third = (float(value) for value in values["offsets"])
        return cls(
            float(values["temperature"]),
            (first, second, third),
            float(values["lattice_temperature"]),
            float(values["lattice_offset"]),
        )

    def digest(self, weights_sha256: str) -> str:
        """Return what names a network of these weights with this certainty: other probabilities are another result."""
        numbers = (self.temperature, *self.offsets, self.lattice_temperature, self.lattice_offset)
        return hashlib.sha256(" ".join([weights_sha256, *(number.hex() for number in numbers)]).encode()).hexdigest()


def fitted(logits: NDArray[np.floating], classes: NDArray[np.int64], visible: Floats) -> Certainty:
    """Return the certainty under which held-out particles are likeliest.

    A temperature and an offset for each class (bias-corrected temperature scaling: A. Alexandari, A. Kundaje,
    A. Shrikumar, ICML 2020): few numbers, which a few hundred particles determine.

    Parameters
    ----------
    logits : ndarray, shape (n, 4)
        Of particles that the network did not learn from.
    classes : ndarray of int, shape (n,)
        What they are.
    visible : ndarray, shape (n,)
        1 where their lattice can be seen, 0 where not, NaN where that is not known.
    """
    from scipy.optimize import minimize
    from scipy.special import log_softmax

    logits = np.asarray(logits, np.float64)

    def prior(numbers: Floats) -> float:
        # a normal distribution around no change, worth little: few particles that are all told right want no end
        return float((numbers**2).sum()) / (2 * len(classes))

    def loss(numbers: Floats) -> float:
        scaled = logits[:, :3] * np.exp(-numbers[0]) + np.array([numbers[1], numbers[2], 0.0])
        return prior(numbers) - float(log_softmax(scaled, axis=1)[np.arange(len(classes)), classes].mean())

    found = minimize(loss, np.zeros(3), method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-7, "maxiter": 2000}).x
    known = np.isfinite(visible)
    lattice = np.zeros(2)
    if known.any() and 0 < visible[known].mean() < 1:

        def lattice_loss(numbers: Floats) -> float:
            z = logits[known, 3] * np.exp(-numbers[0]) + numbers[1]
            return prior(numbers) + float(np.mean(np.logaddexp(0, z) - visible[known] * z))

        lattice = minimize(lattice_loss, np.zeros(2), method="Nelder-Mead").x
    offsets = (round(float(found[1]), 4), round(float(found[2]), 4), 0.0)
    return Certainty(
        round(float(np.exp(found[0])), 4), offsets, round(float(np.exp(lattice[0])), 4), round(float(lattice[1]), 4)
    )
