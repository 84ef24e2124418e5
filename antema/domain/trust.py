"""Whether an image is of the kind that a network knows."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

VERDICTS = ("within", "doubtful", "outside")

_WARNINGS = {
    "within": "",
    "doubtful": "The network is not at home with images like this one; look at its outlines.",
    "outside": "The network knows no images like this one; do not trust its outlines unseen.",
}


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

    @property
    def verdict_words(self) -> str:
        """The verdict as a sentence; empty where the image is within what the network knows."""
        return _WARNINGS[self.verdict]

    @property
    def warning(self) -> str:
        """What a reader has to know before the numbers, with the reasons; empty where nothing speaks against them."""
        return " ".join((self.verdict_words, *self.reasons)) if self.verdict_words else ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {**asdict(self), "reasons": list(self.reasons)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Trust":
        """Return what `to_dict` gave."""
        return cls(float(values["score"]), str(values["verdict"]), tuple(values["reasons"]))
