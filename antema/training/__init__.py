"""Networks learned and evaluated. JAX is imported when work begins, not when this package is."""

from antema.training.classical import classical_baseline
from antema.training.crystallinity import train_crystallinity
from antema.training.evaluate import evaluate_segmentation
from antema.training.evaluate_crystallinity import evaluate_crystallinity
from antema.training.field_crops import crops_of_fields
from antema.training.train import train_segmentation

__all__ = [
    "classical_baseline",
    "crops_of_fields",
    "evaluate_crystallinity",
    "evaluate_segmentation",
    "train_crystallinity",
    "train_segmentation",
]
