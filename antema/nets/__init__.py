"""Networks: their architecture, their weights on disk and their use on whole micrographs.

JAX is imported when a network is loaded, not when this package is.
"""

from antema.nets.card import BrokenModel, ModelCard, broken_models, models, verify
from antema.nets.classified import Classified, EvidenceMap
from antema.nets.classifier import Classifier, load_classifier
from antema.nets.device import choose_device, device_name
from antema.nets.polarity import expected_polarity
from antema.nets.segmenter import NetworkMaps, Segmenter, load

__all__ = [
    "BrokenModel",
    "Classified",
    "Classifier",
    "EvidenceMap",
    "ModelCard",
    "NetworkMaps",
    "Segmenter",
    "broken_models",
    "choose_device",
    "device_name",
    "expected_polarity",
    "load",
    "load_classifier",
    "models",
    "verify",
]
