"""Networks: their architecture, their weights on disk and their use on whole micrographs.

JAX is imported when a network is loaded, not when this package is.
"""

from antema.nets.card import ModelCard, models, verify
from antema.nets.device import choose_device, device_name
from antema.nets.segmenter import Segmentation, Segmenter, load

__all__ = ["ModelCard", "Segmentation", "Segmenter", "choose_device", "device_name", "load", "models", "verify"]
