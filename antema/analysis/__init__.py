"""From a micrograph to its particle table: segment, clean, separate, measure, classify."""

from antema.analysis.classification import Classifier, called, load_classifier
from antema.analysis.instance_maps import instance_pages, instances_tiff, numbered_instances, read_instances
from antema.analysis.naming import ALGORITHM_VERSION, result_key
from antema.analysis.outline import outline
from antema.analysis.pipeline import Analysis, analyse, analyse_mask, analyse_segmentation, measure
from antema.analysis.regions import Region, clean
from antema.analysis.segmentation import Segmentation, Segmenter, segment
from antema.analysis.separation import Detected, ProbabilityMap, separate

__all__ = [
    "ALGORITHM_VERSION",
    "Analysis",
    "Classifier",
    "Detected",
    "ProbabilityMap",
    "Region",
    "Segmentation",
    "Segmenter",
    "analyse",
    "analyse_mask",
    "analyse_segmentation",
    "called",
    "clean",
    "instance_pages",
    "instances_tiff",
    "load_classifier",
    "measure",
    "numbered_instances",
    "outline",
    "read_instances",
    "result_key",
    "segment",
    "separate",
]
