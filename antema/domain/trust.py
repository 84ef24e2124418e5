"""Whether an image is of the kind that a network knows."""

from dataclasses import dataclass

VERDICTS = ("within", "doubtful", "outside")


@dataclass(frozen=True)
class Trust:
    """How far a network's answer on one image can be trusted.

    Parameters
    ----------
    score : float
        From 0, nothing like what the network was taught and tried on, to 1.
    verdict : str
        One of `VERDICTS`: within what the network knows, at its border, or out of its depth.
    reasons : tuple of str
        What speaks against the image, in plain sentences, the weightiest first; empty where nothing does.
    """

    score: float
    verdict: str
    reasons: tuple[str, ...] = ()
