"""The installed models as the pages need them."""

from antema import nets
from antema.domain import Recipe

_TASKS = {"model": "segmentation", "crystallinity_model": "crystallinity"}
"""What a field of the recipe chooses a model for."""


def models_to_choose() -> dict[str, list[tuple[str, str]]]:
    """Return (name, title) of the installed models by the recipe's field that chooses one, the default first."""
    cards = sorted(nets.models(), key=lambda card: not card.default)
    return {field: [(c.name, c.title) for c in cards if c.task == task] for field, task in _TASKS.items()}


def default_recipe() -> Recipe:
    """Return the default recipe with the default networks by their own names."""
    return Recipe(**{field: models[0][0] for field, models in models_to_choose().items() if models})


def crystallinity_available() -> bool:
    """Whether a crystallinity model is installed."""
    return bool(models_to_choose()["crystallinity_model"])
