"""What was measured of a network after training: what its logits are worth, and how it tells the polarity."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from antema.domain import AntemaError
from antema.nets.card import ModelCard
from antema.nets.polarity import chosen_polarity
from antema.nets.trust import TrustModel

CALIBRATION_FILE = "trust.safetensors"


@dataclass(frozen=True, eq=False)
class Calibration:
    """What was measured of a network.

    Parameters
    ----------
    sha256 : str
        Digest of the file that it was read from.
    temperature, offset : float
        A logit divided by the one plus the other is that of a calibrated probability.
    polarity_weights : ndarray, shape (n,)
        What each of `antema.nets.polarity.EVIDENCE` adds to the logarithm of the odds.
    trust : TrustModel or None
        What the images were like; None for a network without features.
    confidence : tuple of float
        Steepness and offset by which the logit of the overlap that a network foretells for a particle becomes that of
        its confidence; none for networks that foretell none, or where it was not measured.
    """

    sha256: str
    temperature: float
    offset: float
    polarity_weights: NDArray[np.float64]
    trust: TrustModel | None = None
    confidence: tuple[float, ...] = ()

    def confidence_of(self, overlap: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return how sure particles are for which a network foretells these overlaps; themselves if that is unknown."""
        if not self.confidence:
            return overlap
        steepness, offset = self.confidence
        inner = np.clip(overlap.astype(np.float64), 1e-4, 1 - 1e-4)
        return expit(steepness * logit(inner) + offset).astype(np.float32)

    def polarity(self, dark: NDArray[np.float64], bright: NDArray[np.float64], expected: str) -> str:
        """Return ``dark`` or ``bright``, from `antema.nets.polarity.evidence` of both views of an image."""
        return chosen_polarity(float(self.polarity_weights @ (dark - bright)), expected)

    def digest(self, weights_sha256: str) -> str:
        """Return what names the network with this calibration: other probabilities are another result."""
        # the card has the numbers
        parts = (
            weights_sha256,
            self.sha256,
            *(each.hex() for each in (self.temperature, self.offset, *self.confidence)),
        )
        return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def read_calibration(card: ModelCard) -> Calibration | None:
    """Return what was measured of the model of `card`, None where nothing was.

    Raises
    ------
    AntemaError
        Where the file is absent or not the one of the card.
    """
    entry: dict[str, Any] | None = card.content.get("calibration")
    if entry is None:
        return None
    from safetensors.numpy import load

    path = card.folder / CALIBRATION_FILE
    content = path.read_bytes() if path.is_file() else b""
    found = hashlib.sha256(content).hexdigest()
    if found != entry.get("sha256"):
        msg = f"model {card.name}: expected the {CALIBRATION_FILE} that its card describes, found another or none"
        raise AntemaError(f"{msg} (antema models calibrate {card.name} writes it anew)")
    arrays = {name: array.astype(np.float64) for name, array in load(content).items()}
    weights = arrays.pop("polarity_weights")
    trust = TrustModel(**arrays) if arrays else None
    confidence = tuple(float(each) for each in entry.get("confidence", ()))
    return Calibration(found, float(entry["temperature"]), float(entry["offset"]), weights, trust, confidence)


def write_calibration(folder: Path, polarity_weights: NDArray[np.float64], trust: TrustModel | None) -> str:
    """Write what was measured into the model's folder; return the sha256 of the file for the card."""
    from safetensors.numpy import save

    arrays = {"polarity_weights": polarity_weights} | ({} if trust is None else vars(trust))
    content = save({name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()})
    path = folder / CALIBRATION_FILE
    path.write_bytes(content)
    path.chmod(0o644)
    return hashlib.sha256(content).hexdigest()
