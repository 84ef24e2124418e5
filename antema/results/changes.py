"""What has become of a result's micrographs since, and what people took out of it: one sentence each.

A result stays as it was computed; these sentences stand beside its numbers, the same ones on every page and report.
"""

from collections.abc import Sequence

from antema.stats import count_text
from antema.storage import AnalysisRow, ImageResult, Store, StoredMicrograph

_MOST_NAMED = 4


def changes_since(
    images: Sequence[ImageResult], micrographs: Sequence[StoredMicrograph], *, is_active: bool = False
) -> list[str]:
    """Return what has changed since a result was computed.

    Parameters
    ----------
    images : sequence of ImageResult
        How each micrograph of the result went.
    micrographs : sequence of StoredMicrograph
        The micrographs that its sample has now.
    is_active : bool
        Whether it is still being computed: what is not in it yet may come.
    """
    total = sum(image.status == "done" for image in images)
    done = [image for image in images if image.status == "done"]
    sentences: list[str] = []
    moved = [image for image in done if "moved" in image.changes]
    if moved:
        where = ", ".join(dict.fromkeys(image.moved_to for image in moved))
        sentences.append(f"{_of(moved, total)} since been moved to {where}: {_names(moved)}; analyse again.")
    scaled = [image for image in done if "scale" in image.changes]
    if scaled:
        sentences.append(f"{_of(scaled, total)} another pixel size since: {_names(scaled)}; analyse again.")
    others = [image for image in done if "image" in image.changes]
    if others:
        sentences.append(
            f"{_of(others, total)} since become another image of the file: {_names(others)}; analyse again."
        )
    tried = {image.micrograph_id for image in images}
    added = [m for m in micrographs if m.id not in tried and m.is_analysable]
    if added and not is_active:
        verb = "is" if len(added) == 1 else "are"
        n = count_text(len(added), "micrograph")
        sentences.append(f"{n} of the sample {verb} not in this result: {_names(added)}; analyse again.")
    return sentences


def exclusion_note(images: Sequence[ImageResult], *, applied: bool) -> str:
    """Return what people took out of a result and whether that acts on the numbers; empty where they took nothing.

    Parameters
    ----------
    images : sequence of ImageResult
        How each micrograph went, exclusions applied (`antema.storage.Store.image_results`).
    applied : bool
        Whether the numbers are without what was taken out.
    """
    done = [image for image in images if image.status == "done"]
    left_out = [image for image in done if image.left_out_reason]
    n_excluded = sum(image.n_excluded for image in done if not image.left_out_reason)
    parts: list[str] = []
    if left_out:
        reasons = ", ".join(f"{one.filename}: {one.left_out_reason}" for one in left_out[:_MOST_NAMED])
        more = f" and {len(left_out) - _MOST_NAMED} more" if len(left_out) > _MOST_NAMED else ""
        parts.append(f"{len(left_out)} of {count_text(len(done), 'micrograph')} ({reasons}{more})")
    if n_excluded:
        parts.append(count_text(n_excluded, "particle"))
    if not parts:
        return ""
    what = " and ".join(parts)
    verb = "was" if len(parts) == 1 and len(left_out) + n_excluded == 1 else "were"
    effect = (
        "the numbers are without that" if applied else "exclusions are switched off: the numbers are with all of it"
    )
    return f"{what} {verb} taken out by people; {effect}."


def notes_of(store: Store, analysis: AnalysisRow, *, exclusions: bool = True) -> list[str]:
    """Return what was taken out of a stored result and what has changed since, one sentence each."""
    images, micrographs = store.image_results(analysis.id), store.micrographs(analysis.sample_id)
    note = exclusion_note(images, applied=exclusions)
    is_active = analysis.status in ("queued", "running")
    return [*([note] if note else []), *changes_since(images, micrographs, is_active=is_active)]


def _of(some: Sequence[ImageResult], total: int) -> str:
    return f"{len(some)} of {count_text(total, 'micrograph')} {'has' if len(some) == 1 else 'have'}"


def _names(some: Sequence[ImageResult | StoredMicrograph]) -> str:
    names = ", ".join(one.filename for one in some[:_MOST_NAMED])
    return f"{names} and {len(some) - _MOST_NAMED} more" if len(some) > _MOST_NAMED else names
