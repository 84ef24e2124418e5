"""Errors whose message is one plain sentence for the user: what was expected and what was found."""

from collections.abc import Mapping


class AntemaError(Exception):
    """Base of every error that is shown to a user as it is."""


class CannotRead(AntemaError):
    """A file that cannot be opened as a micrograph (truncated, empty, of another kind, malformed)."""


class NotAnImage(CannotRead):
    """A readable file whose content is no micrograph: a spectrum, a diffraction pattern, an FFT.

    Parameters
    ----------
    message : str
        The sentence for the user.
    kind : str
        What it is in a word or two, for example ``diffraction pattern``.
    """

    def __init__(self, message: str, *, kind: str = "no image") -> None:
        super().__init__(message)
        self.kind = kind


class NoScale(AntemaError):
    """A micrograph without a usable pixel size was asked to be analysed."""


class CannotAnalyse(AntemaError):
    """A micrograph that was read but cannot give particles (constant grey value, too small)."""


class NotFound(AntemaError):
    """A sample, micrograph, analysis, job or model that does not exist."""


class AlreadyThere(AntemaError):
    """The same file content is already in a sample.

    Parameters
    ----------
    message : str
        The sentence for the user; it names the sample.
    micrograph_id, sample_id : int, optional
        Where the content is.
    """

    def __init__(self, message: str, *, micrograph_id: int | None = None, sample_id: int | None = None) -> None:
        super().__init__(message)
        self.micrograph_id = micrograph_id
        self.sample_id = sample_id


class CannotImport(AntemaError):
    """A file that holds no weights of a network that is known, or a model of that name is there already."""


class ChangedMeanwhile(AntemaError):
    """Somebody else has changed what a person wanted to change, since that person looked at it.

    Parameters
    ----------
    message : str
        The sentence for the user; it names who changed what to what.
    present : mapping of str to object
        What the fields in question hold now.
    """

    def __init__(self, message: str, *, present: Mapping[str, object]) -> None:
        super().__init__(message)
        self.present = present
