"""The installed models as the pages need them."""

from antema import nets


def segmentation_models() -> list[tuple[str, str]]:
    """Return (name, title) of the segmentation models, the default first."""
    cards = [card for card in nets.models() if card.task == "segmentation"]
    return [("default", "Default"), *[(card.name, card.title) for card in cards]]


def crystallinity_available() -> bool:
    """Whether a crystallinity model is installed."""
    return any(card.task == "crystallinity" for card in nets.models())
