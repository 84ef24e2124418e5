"""Networks: their architecture, their weights on disk and their use on whole micrographs.

JAX is imported when a network is loaded, not when this package is.
"""

from antema.nets.card import BrokenModel, ModelCard, broken_models, models, verify
from antema.nets.device import choose_device, device_name
from antema.nets.polarity import expected_polarity
from antema.nets.segmenter import Segmentation, Segmenter, load

__all__ = [
    "BrokenModel",
    "ModelCard",
    "Segmentation",
    "Segmenter",
    "broken_models",
    "choose_device",
    "device_name",
    "expected_polarity",
    "load",
    "models",
    "verify",
]
