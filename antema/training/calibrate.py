"""The whole of ``antema models calibrate``: what a network's logits are worth, and what it can be trusted with.

Probabilities get a temperature and an offset (Platt 1999; Guo et al., "On calibration of modern neural networks", ICML
2017) by maximum likelihood on micrographs that were held out from learning; those of a network that finds particles one
by one a temperature alone. On those micrographs, as they are and spoilt, it is also learned what quality to expect of
an image that looks like this one: the overlap with the truth (Dice), and of a network that finds particles one by one
their F1, if that is less.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logit
from scipy.stats import rankdata

from antema.analysis.proposed import proposed_particles
from antema.analysis.regions import touches_border
from antema.domain import AntemaError, Instance
from antema.nets import NetworkMaps, Segmenter, load
from antema.nets.calibration import Calibration, write_calibration
from antema.nets.card import find
from antema.nets.normalisation import finite
from antema.nets.polarity import EVIDENCE, chosen_polarity
from antema.nets.proposals import KIND as ONE_BY_ONE
from antema.nets.trust import WITHIN, TrustModel
from antema.training.instance_quality import POOR_F1
from antema.training.matching import iou_matrix, pairs
from antema.training.models import write_card
from antema.training.reliability import calibration as reliability
from antema.training.reliability import reliability_counts, write_reliability_diagram
from antema.training.sources import LabelledImage, read_set, split, true_instances
from antema.training.strangers import STRANGERS, stranger
from antema.training.tiles import resized

Array = NDArray[np.float64]

_PIXELS = 4096
"""Pixels of an image that the temperature is fitted to."""
_SPOILT = 3
"""Spoilt copies of each held-out image."""
_FOLDS = 5
_MATCHES, _MOSTLY = 0.5, 0.5
_STRANGER_PX = (256, 384, 512, 768, 1024)
"""Sides of pictures that are no micrographs."""

Seen = tuple[Array | None, NDArray[np.floating]]
"""Indicators and features of an image."""


@dataclass(frozen=True, eq=False)
class _Tried:
    """A held-out image, whole or spoilt, as the network saw it."""

    name: str
    quality: float
    measured: Array | None
    features: NDArray[np.floating]
    spoilt: bool


@dataclass(frozen=True, eq=False)
class _Judged:
    """How well the particles of an image were found.

    ``quality`` is the overlap with the truth, or the F1 of the particles where that is less and can be told;
    ``overlap`` what the network foretold for those that are not cut, ``is_right`` whether they match a true one.
    """

    quality: float
    overlap: Array = field(default_factory=lambda: np.zeros(0))
    is_right: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))


def calibrate(
    name: str,
    data_dirs: Sequence[Path],
    *,
    seed: int = 0,
    at_most: int = 120,
    partly_labelled: Sequence[Path] = (),
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Measure the model `name` and write ``trust.safetensors``, ``reliability.png`` and its card anew.

    Parameters
    ----------
    name : str
        A model whose networks sees micrographs at the scales of their particles.
    data_dirs : sequence of Path
        Sets as `antema.training.sources.read_set` takes them: those that the network learned from, or others of
        the same name. Held-out images give the temperature, the expected overlap and every number that is
        written down; the others the features that the network knows and the weights by which polarity is told.
    seed : int
        That of the training: it says which images were held out.
    at_most : int
        Images of each set that are looked at, of either kind.
    partly_labelled : sequence of Path
        Those of the sets in which not every particle has its label.
    progress : callable, optional
        Called with (done, all).

    Returns
    -------
    dict
        The card's new entry ``calibration``.

    Raises
    ------
    AntemaError
        Where the network gives no features, or the sets hold no image that was held out or none that was not.
    """
    card = find(name)
    raw = replace(load(name), calibration=None, threshold=0.5)
    if raw.native_scale or raw.network.features is None:
        msg = f"model {name}: expected one of this program's own networks, found an imported one"
        raise AntemaError(msg)
    # what training found burned into the images lies beside its checkpoint
    remembered = card.folder / "training" / "annotations.json"
    if not remembered.parent.is_dir():
        remembered = None
    one_by_one = card.content["architecture"]["kind"] == ONE_BY_ONE
    sets = (
        read_set(Path(folder), remembered=remembered, one_by_one=one_by_one, partly_labelled=folder in partly_labelled)
        for folder in data_dirs
    )
    learned, held_out = _images(sets, seed, at_most)
    n_strangers = max(len(learned), 10 * len(STRANGERS))
    steps = len(learned) + (2 + _SPOILT) * len(held_out) + n_strangers
    done = iter(range(1, steps + 1))

    def step() -> None:
        if progress:
            progress(next(done), steps)

    share = _shares(held_out)
    logits, labels, weights = _pixels(raw, held_out, share, step)
    # where particles end is what such a network was taught; an offset would move all of its outlines
    temperature, offset = fitted_temperature(logits, labels, weights, with_offset=not one_by_one)
    before, after = (
        reliability(_weighted_counts(expit(values), labels, weights))
        for values in (logits, logits / temperature + offset)
    )
    segmenter = replace(raw, calibration=Calibration("", temperature, offset, np.zeros(len(EVIDENCE))))

    rng = np.random.default_rng(seed)
    known, differences = [], []
    for image in learned:
        known.append(segmenter.measured(image.pixels)[1:])
        dark, bright = segmenter.views(image.pixels)
        differences.append(dark - bright)
        step()
    polarity_weights = fitted_polarity(np.array(differences))
    strangers = []
    for k in range(n_strangers):
        strangers.append(segmenter.measured(stranger(k, side_px=int(rng.choice(_STRANGER_PX))))[1:])
        step()

    tried: list[_Tried] = []
    judged: list[_Judged] = []
    odds: dict[str, list[float]] = {}
    for image in held_out:
        dark, bright = segmenter.views(image.pixels)
        odds.setdefault(_set_of(image), []).append(float(polarity_weights @ (dark - bright)))
        for spoilt, version in [(False, image), *((True, one) for one in _spoilt(image, rng))]:
            found, measured, features = segmenter.measured(version.pixels)
            one = _judged(found, version)
            tried.append(_Tried(image.name, one.quality, measured, np.asarray(features), spoilt))
            if not spoilt and image.atoms is None:  # what people drew
                judged.append(one)
            step()
    trust, predicted = fitted_trust(known, strangers, tried)

    names = " ".join(Path(each).name for each in data_dirs)
    partly = f" --partly-labelled {' '.join(Path(each).name for each in partly_labelled)}" if partly_labelled else ""
    confidence = fitted_confidence(judged)
    temperature, offset = round(temperature, 4), round(offset, 4)
    sha256 = write_calibration(card.folder, polarity_weights, trust)
    entry = {
        "sha256": sha256,
        "results_sha256": Calibration(sha256, temperature, offset, polarity_weights, confidence=confidence).digest(
            card.sha256
        ),
        "command": f"antema models calibrate {name} --data {names}{partly} --seed {seed} --at-most {at_most}",
        "seed": seed,
        "images": {each: sum(_set_of(image) == each for image in held_out) for each in sorted(odds)},
        "temperature": temperature,
        "offset": offset,
        "ece_before": round(before["ece"], 5),
        "ece_after": round(after["ece"], 5),
        "ece_unsure_before": round(before["ece_unsure"], 5),
        "ece_unsure_after": round(after["ece_unsure"], 5),
        "polarity": {each: _polarity_errors(np.array(values)) for each, values in sorted(odds.items())},
        "trust": _rank_correlations(tried, predicted),
    }
    if confidence:
        entry |= {"confidence": list(confidence), "particles": sum(len(one.overlap) for one in judged)}
    write_reliability_diagram([("as learned", before), ("calibrated", after)], card.folder / "reliability.png")
    content = json.loads((card.folder / "card.json").read_text("utf-8"))
    content |= {"calibration": entry, "threshold": 0.5, "threshold_chosen": "probabilities are calibrated: 1/2"}
    write_card(card.folder, content)
    load.cache_clear()
    return entry


def fitted_confidence(judged: Sequence[_Judged]) -> tuple[float, ...]:
    """Return steepness and offset that make it likeliest which particles match; none without both kinds of them.

    An image counts by the square root of its particles.
    """
    overlap = np.concatenate([np.zeros(0), *(one.overlap for one in judged)])
    right = np.concatenate([np.zeros(0, bool), *(one.is_right for one in judged)])
    if len(set(right.tolist())) < 2:
        return ()
    weights = np.concatenate([np.full(len(one.overlap), 1 / np.sqrt(max(len(one.overlap), 1))) for one in judged])
    inner = logit(np.clip(overlap, 1e-4, 1 - 1e-4))
    temperature, offset = fitted_temperature(inner, right, weights / weights.sum())
    return round(1 / temperature, 4), round(offset, 4)


def fitted_temperature(
    logits: Array, labels: NDArray[np.bool_], weights: Array, *, with_offset: bool = True
) -> tuple[float, float]:
    """Return temperature and offset that make `labels` likeliest: p = 1 / (1 + exp(-logit / temperature - offset)).

    Parameters
    ----------
    logits, labels, weights : ndarray, shape (n,)
        Of pixels.
    with_offset : bool
        Whether there may be one; 0 otherwise.
    """
    sign = np.where(labels, 1.0, -1.0)

    def loss(parameters: Array) -> tuple[float, Array]:
        z = parameters[0] * logits + parameters[1]
        slope = -weights * sign * expit(-sign * z)
        return float(-np.sum(weights * log_expit(sign * z))), np.array([slope @ logits, slope.sum()])

    steepness, offset = minimize(
        loss,
        np.array([1.0, 0.0]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.05, 20), (None, None) if with_offset else (0, 0)],
    ).x
    return float(1 / steepness), float(offset)


def fitted_polarity(differences: Array, *, penalty: float = 0.002) -> Array:
    """Return the weights of the evidence in the logarithm of the odds that particles are dark.

    A logistic regression without a constant: inverting an image swaps its views, so that evidence of neither kind
    means even odds.

    Parameters
    ----------
    differences : ndarray, shape (images, n)
        Evidence of the dark less that of the bright view of images with dark particles.
    penalty : float
        On the squares of the weights, in units of the spread of each kind of evidence.
    """
    scale = np.sqrt(np.mean(differences**2, axis=0)) + 1e-9
    x = differences / scale

    def loss(w: Array) -> tuple[float, Array]:
        z = x @ w
        return float(-log_expit(z).mean() + penalty * w @ w), -(expit(-z) @ x) / len(x) + 2 * penalty * w

    return np.asarray(minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B").x / scale)


def fitted_trust(
    known: Sequence[Seen], strangers: Sequence[Seen], tried: Sequence[_Tried], *, components: int = 64
) -> tuple[TrustModel, Array]:
    """Return what tells how far an image is to be trusted, and the score of each tried one.

    Parameters
    ----------
    known, strangers : sequence of (indicators, features)
        Of images that the network learned from, and of pictures that are no micrographs.
    tried : sequence
        Held-out images, as they are and spoilt.
    components : int
        Along how many directions, those of most variance, distances are measured.

    Returns
    -------
    TrustModel, ndarray
        The scores are those of models fitted without the image in question and its spoilt copies.
    """
    features = np.array([each[1] for each in known], float)
    mean, deviation = features.mean(axis=0), features.std(axis=0) + 1e-3
    _, size, vectors = np.linalg.svd((features - mean) / deviation, full_matrices=False)
    kept = min(components, len(known) // 4 + 1, int(np.count_nonzero(size > 1e-6 * size[0])))
    whitening = vectors[:kept].T / (size[:kept] / np.sqrt(len(features)))
    usual = np.array([each[0] for each in known if each[0] is not None])
    if not len(usual):
        msg = (
            "expected particles in some of the images that the network learned from, found none in any: teach it longer"
        )
        raise AntemaError(msg)
    none = np.zeros(usual.shape[1] + 1)
    bare = TrustModel(
        mean,
        deviation,
        whitening,
        held_out=np.ones(100),
        known=np.zeros(len(none) + len(mean)),
        centre=np.append(usual.mean(axis=0), 0),
        spread=np.append(usual.std(axis=0) + 1e-6, 1),
        low=none,
        high=none,
        weights=np.zeros(len(none) + 1),
    )
    looks = np.array([bare.appearance(*each) for each in (*known, *strangers)])
    target = np.arange(len(looks)) < len(known)
    share = np.where(target, 0.5 / len(known), 0.5 / max(len(strangers), 1))
    bare = replace(bare, known=_regression(looks[:, :-1], target.astype(float), share=share, penalty=0.02))
    distances = np.array([bare.distance(one.features) for one in tried])
    whole = np.array([not one.spoilt for one in tried])
    found = np.array([one.measured is not None for one in tried])
    bare = replace(bare, held_out=np.percentile(distances[whole], np.arange(100) + 0.5))
    rows = np.array([np.append(none[1:] if one.measured is None else one.measured, 0) for one in tried])
    rows[:, -1] = np.log(distances)
    quality = np.array([one.quality for one in tried])
    names = sorted({one.name for one in tried})
    fold = np.array([names.index(one.name) % _FOLDS for one in tried])

    def fitted(some: NDArray[np.bool_]) -> TrustModel:
        usual = rows[some & whole]
        model = replace(
            bare,
            centre=np.append(bare.centre[:-1], rows[some, -1].mean()),
            spread=np.append(bare.spread[:-1], rows[some, -1].std() + 1e-6),
            low=np.percentile(usual, 2, axis=0),
            high=np.percentile(usual, 98, axis=0),
        )
        return replace(
            model, weights=_regression(np.array([model.standardised(row) for row in rows[some]]), quality[some])
        )

    scores = np.full(len(tried), np.nan)
    for k in range(_FOLDS):
        model = fitted(found & (fold != k))
        for i in np.flatnonzero(fold == k).tolist():
            scores[i] = model.of(tried[i].measured, tried[i].features).score
    return fitted(found), scores


def _regression(x: Array, target: Array, *, share: Array | None = None, penalty: float = 0.003) -> Array:
    """Return the weights of a logistic regression of `target` (0 to 1) on `x` (n, m), that of a constant last."""
    share = np.full(len(x), 1 / len(x)) if share is None else share
    x = np.column_stack([x, np.ones(len(x))])
    ridge = np.append(np.full(x.shape[1] - 1, penalty), 0.0)

    def loss(w: Array) -> tuple[float, Array]:
        z = x @ w
        likelihood = target * log_expit(z) + (1 - target) * log_expit(-z)
        return float(-share @ likelihood + ridge @ w**2), x.T @ (share * (expit(z) - target)) + 2 * ridge * w

    return np.asarray(minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B").x)


def _images(
    sets: Iterable[list[LabelledImage]], seed: int, at_most: int
) -> tuple[list[LabelledImage], list[LabelledImage]]:
    learned: list[LabelledImage] = []
    held_out: list[LabelledImage] = []
    for one in sets:
        for kept, images in zip((learned, held_out), split(one, seed=seed), strict=True):
            with_particles = [image for image in images if image.particle.any()]
            kept += with_particles[:: -(-len(with_particles) // at_most) or 1]
    for images, kind in ((learned, "learned from"), (held_out, "held out")):
        if len(images) < 2:
            msg = f"expected images that were {kind} (seed {seed}), found {len(images)}"
            raise AntemaError(msg)
    return learned, held_out


def _set_of(image: LabelledImage) -> str:
    return image.name.split("/")[0]


def _shares(images: Sequence[LabelledImage]) -> list[float]:
    """Return what each image counts: a set as much as the square root of its size, as in training."""
    names = [_set_of(image) for image in images]
    return [1 / np.sqrt(names.count(name)) for name in names]


def _pixels(
    segmenter: Segmenter, images: Sequence[LabelledImage], shares: Sequence[float], step: Callable[[], None]
) -> tuple[Array, NDArray[np.bool_], Array]:
    """Return logits, labels and weights of some pixels of each image."""
    parts = []
    for k, (image, share) in enumerate(zip(images, shares, strict=True)):
        probability = segmenter.segment(image.pixels, polarity="dark").probability
        there = np.flatnonzero(np.ones(image.particle.size, bool) if image.trusted is None else image.trusted)
        chosen = np.random.default_rng(k).choice(there, min(_PIXELS, len(there)), replace=False)
        inner = np.clip(probability.ravel()[chosen].astype(np.float64), 1e-6, 1 - 1e-6)
        parts.append((logit(inner), image.particle.ravel()[chosen], np.full(len(chosen), share / len(chosen))))
        step()
    logits, labels, weights = (np.concatenate(part) for part in zip(*parts, strict=True))
    return logits, labels, weights / weights.sum()


def _weighted_counts(probability: Array, labels: NDArray[np.bool_], weights: Array) -> Array:
    """Return the counts of a reliability diagram with every image counting as much as it should."""
    total = np.zeros_like(reliability_counts(probability[:1], labels[:1]))
    for weight in np.unique(weights):
        some = weights == weight
        total += weight * len(weights) * reliability_counts(probability[some], labels[some])
    return total


def _spoilt(image: LabelledImage, rng: np.random.Generator) -> Iterator[LabelledImage]:
    """Yield the image with more noise, out of focus, and small: what a network finds hard."""
    values = finite(image.pixels)
    spread = float(values.std())
    strength = spread * np.exp(rng.uniform(np.log(0.3), np.log(8)))
    yield replace(image, pixels=(values + strength * rng.standard_normal(values.shape)).astype(np.float32))
    sigma = max(image.width_px, 4.0) * np.exp(rng.uniform(np.log(0.05), np.log(0.6)))
    yield replace(image, pixels=np.asarray(ndimage.gaussian_filter(values, sigma), np.float32))
    zoom = max(rng.uniform(2.5, 8.0) / max(image.width_px, 1.0), 64 / min(values.shape))
    if zoom >= 1:
        yield image
        return
    small = replace(
        image, pixels=resized(values, zoom), particle=resized(image.particle.astype(np.float32), zoom) > 0.5
    )
    if image.pages is not None:
        (h, w), (rows, columns) = small.particle.shape, image.particle.shape
        y, x = ((np.arange(n) + 0.5) * of / n for n, of in ((h, rows), (w, columns)))
        small = replace(small, pages=image.pages[:, y.astype(int)][:, :, x.astype(int)])
    trusted = None if image.trusted is None else resized(image.trusted.astype(np.float32), zoom) > 0.5
    yield replace(small, trusted=trusted)


def _dice(probability: NDArray[np.float32], image: LabelledImage) -> float:
    found, true = probability > 0.5, image.particle
    if image.trusted is not None:
        found, true = found & image.trusted, true & image.trusted
    return float(2 * np.count_nonzero(found & true) / max(np.count_nonzero(found) + np.count_nonzero(true), 1))


def _judged(found: NetworkMaps, image: LabelledImage) -> _Judged:
    """Return how well the particles of an image were found."""
    dice = _dice(found.probability, image)
    if found.proposals is None or image.pages is None:
        return _Judged(dice)
    particle, proposals = found.probability > 0.5, found.proposals
    proposed = proposed_particles(proposals, found.offsets, particle, least_area_px=1, contact=found.contact)
    told = [(Instance(one.x, one.y, one.mask, "measured"), one.confidence) for one in proposed if not one.is_clump]
    if image.trusted is not None:
        told = [(one, sure) for one, sure in told if _share_in(image.trusted, one) > _MOSTLY]
    instances, true = [one for one, _ in told], true_instances(image.pages)
    is_right = matched(instances, true)
    overlap = np.array([sure for _, sure in told], float)
    kept = np.array(
        [sure > 0 and not touches_border((one.x, one.y), one.mask.shape, particle.shape) for one, sure in told], bool
    )
    return _Judged(min(dice, f1_of(is_right, len(true))), overlap[kept], is_right[kept])


def matched(found: Sequence[Instance], true: Sequence[Instance]) -> NDArray[np.bool_]:
    """Return which found particles match a true one at an intersection over union of 0.5, shape (n_found,)."""
    result = np.zeros(len(found), bool)
    if found and true:
        result[pairs(iou_matrix(found, true), _MATCHES)[:, 0]] = True
    return result


def f1_of(is_right: NDArray[np.bool_], n_true: int) -> float:
    """Return the F1 of found particles of which some match; 1 where none is there and none found."""
    n = len(is_right) + n_true
    return 2 * float(np.count_nonzero(is_right)) / n if n else 1.0


def _share_in(mask: NDArray[np.bool_], one: Instance) -> float:
    return float(mask[one.y : one.y + one.h, one.x : one.x + one.w][one.mask].mean())


def _polarity_errors(log_odds: Array) -> dict[str, Any]:
    """Return how often the polarity of images with dark particles is told wrongly, as they are and inverted."""
    return {
        "images": len(log_odds),
        "flipped": sum(chosen_polarity(value) == "bright" for value in log_odds),
        "inverted_not_flipped": sum(chosen_polarity(-value) == "dark" for value in log_odds),
        "inverted_not_flipped_where_expected": sum(chosen_polarity(-value, "bright") == "dark" for value in log_odds),
        "wrong_by_even_odds": int(np.count_nonzero(log_odds < 0)),
    }


def _rank_correlations(tried: Sequence[_Tried], scores: Array) -> dict[str, Any]:
    """Return the rank correlation of score and quality by set, and over all, as they are and spoilt."""
    quality = np.array([one.quality for one in tried])
    sets = np.array([one.name.split("/")[0] for one in tried])
    whole = np.array([not one.spoilt for one in tried])

    def correlation(some: NDArray[np.bool_]) -> dict[str, Any]:
        n = int(np.count_nonzero(some))
        # ranks of constant values would be a warning
        varied = n > 3 and np.ptp(scores[some]) > 0 and np.ptp(quality[some]) > 0
        rank = np.corrcoef(rankdata(scores[some]), rankdata(quality[some]))[0, 1] if varied else np.nan
        return {
            "images": n,
            "spearman": round(float(rank), 3) if varied else None,
            "mean_score": round(float(scores[some].mean()), 3),
            "mean_quality": round(float(quality[some].mean()), 3),
            "poor_but_within": int(np.count_nonzero((quality[some] < POOR_F1) & (scores[some] >= WITHIN))),
        }

    result = {"all": correlation(whole), "with spoilt copies": correlation(np.ones(len(whole), bool))}
    for name in sorted(set(sets)):
        result[name] = correlation(whole & (sets == name))
        result[f"{name}, with spoilt copies"] = correlation(sets == name)
    return result
