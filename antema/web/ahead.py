"""What the page of a result asks first, computed and remembered before anybody asks."""

import logging

from antema.domain import QUANTITIES
from antema.web import sample_classes, sample_page

_log = logging.getLogger(__name__)


def remember_page(analysis_id: int) -> None:
    """Remember the numbers and plots that a result's page opens with, under its kept view.

    Nothing is lost where it fails, beside the reader's time: the page computes what is not remembered.
    """
    try:
        result = sample_page.load(analysis_id)
        view, column = result.analysis.view, QUANTITIES[0].column
        sample_page.statistics_table(result, view)
        sample_page.headline(result, view)
        sample_page.plain_distribution(result, column, view, log=False)
        if not sample_classes.unclassified(result):
            sample_classes.remembered_shares(result, view)
            sample_classes.remembered_sizes(result, column, view, log=False)
    except Exception:
        _log.exception("the page of result %s could not be computed ahead", analysis_id)
