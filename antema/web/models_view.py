"""The installed models as the pages need them."""

from antema import nets
from antema.domain import Recipe


def segmentation_models() -> list[tuple[str, str]]:
    """Return (name, title) of the segmentation models, the default first."""
    cards = [card for card in nets.models() if card.task == "segmentation"]
    return [(card.name, card.title) for card in sorted(cards, key=lambda card: not card.default)]


def default_recipe() -> Recipe:
    """Return the default recipe with the default network by its own name."""
    models = segmentation_models()
    return Recipe(model=models[0][0]) if models else Recipe()


def crystallinity_available() -> bool:
    """Whether a crystallinity model is installed."""
    return any(card.task == "crystallinity" for card in nets.models())
