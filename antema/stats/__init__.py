"""Distributions, intervals, comparisons: numpy arrays in, plain dataclasses with ready sentences out.

Particles of one image are not independent: they share a focus, a spot on the grid, a threshold. Every interval and
every test here therefore treats the image as the unit that was sampled, wherever there is more than one image.
"""

from antema.stats.border import CUT_KEPT, MOST_FACTOR, BorderCorrection, border_correction
from antema.stats.clusters import factorise
from antema.stats.comparison import Comparison, cliffs_delta, compare, holm
from antema.stats.counting import Enough, enough
from antema.stats.coverage import Coverage, coverage
from antema.stats.distribution import Histogram, ecdf, histogram, kde
from antema.stats.estimate import Estimate, count_text, format_number
from antema.stats.permutation import LEAST_IMAGES_FOR_A_TEST
from antema.stats.quantiles import weighted_quantiles
from antema.stats.share_comparison import ShareComparison, ShareDifference, compare_shares
from antema.stats.shares import Shares, share_interval
from antema.stats.summary import (
    BOOTSTRAP,
    FEW_IMAGES,
    MANY_IMAGES,
    NO_INTERVAL,
    ONE_IMAGE,
    STATISTICS,
    Summary,
    summarise,
    summary_of,
)
from antema.stats.weighting import WEIGHTINGS, weighting_words, weights

__all__ = [
    "BOOTSTRAP",
    "CUT_KEPT",
    "FEW_IMAGES",
    "LEAST_IMAGES_FOR_A_TEST",
    "MANY_IMAGES",
    "MOST_FACTOR",
    "NO_INTERVAL",
    "ONE_IMAGE",
    "STATISTICS",
    "WEIGHTINGS",
    "BorderCorrection",
    "Comparison",
    "Coverage",
    "Enough",
    "Estimate",
    "Histogram",
    "ShareComparison",
    "ShareDifference",
    "Shares",
    "Summary",
    "border_correction",
    "cliffs_delta",
    "compare",
    "compare_shares",
    "count_text",
    "coverage",
    "ecdf",
    "enough",
    "factorise",
    "format_number",
    "histogram",
    "holm",
    "kde",
    "share_interval",
    "summarise",
    "summary_of",
    "weighted_quantiles",
    "weighting_words",
    "weights",
]
