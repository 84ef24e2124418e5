"""The camera: electrons counted, blurred and written down, with what remains of its faults after correction."""

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from antema.simulation.fourier import Image, fast_length, long_waves


@dataclass(frozen=True, kw_only=True)
class Camera:
    """The camera.

    A modulation transfer function is (1 - tail) exp(-2 (pi sigma f)²) + tail exp(-2 pi reach f) with f in cycles a
    pixel: a Gaussian core (pixel and scintillator) and the long tail of electrons and light scattered sideways.

    Parameters
    ----------
    dose_e_px : float
        Electrons a pixel where the beam passes freely.
    signal_mtf_px : float
        Sigma of the core that the image sees, in pixels.
    signal_tail : float
        Part of the signal in the tail, 0 to 1.
    noise_mtf_px, noise_tail : float
        The same for the counting noise, which sees a weaker blur than the signal.
    tail_px : float
        Reach of both tails in pixels.
    read_noise_e : float
        Standard deviation of the read-out noise in electrons, white.
    shading : float
        Standard deviation of the uneven illumination.
    streaks : float
        Standard deviation of the gain errors of columns and of rows that correction left.
    dead_share, hot_share : float
        Share of pixels that see too little, and of pixels that see too much.
    drift_px : tuple of float
        How far the specimen moves along x and y during the exposure.
    gain, offset : float
        Grey values per electron and at no electron.
    bits : int
        8 or 16; grey values are cut at the largest one.
    full_well_e : float or None
        Electrons at which a pixel saturates.
    """

    dose_e_px: float = 200.0
    signal_mtf_px: float = 0.7
    signal_tail: float = 0.0
    noise_mtf_px: float = 0.4
    noise_tail: float = 0.0
    tail_px: float = 2.0
    read_noise_e: float = 0.0
    shading: float = 0.0
    streaks: float = 0.0
    dead_share: float = 0.0
    hot_share: float = 0.0
    drift_px: tuple[float, float] = (0.0, 0.0)
    gain: float = 20.0
    offset: float = 100.0
    bits: int = 16
    full_well_e: float | None = None

    def record(self, rng: np.random.Generator, intensity: Image) -> NDArray[np.generic]:
        """Return the grey values of a relative `intensity` (1 in the free beam), uint16 or uint8 of its shape."""
        expected = blurred(drifted(intensity, self.drift_px), self.signal_mtf_px, self.signal_tail, self.tail_px)
        if self.shading > 0:
            expected = expected * np.exp(self.shading * long_waves(rng, expected.shape, waves=1.5))
        expected = np.maximum(expected, 0) * np.float32(self.dose_e_px)
        noise = rng.poisson(expected).astype(np.float32) - expected
        electrons = expected + blurred(noise, self.noise_mtf_px, self.noise_tail, self.tail_px)
        if self.read_noise_e > 0:
            electrons += self.read_noise_e * rng.standard_normal(electrons.shape, dtype=np.float32)
        electrons = self._faulty(rng, electrons)
        if self.full_well_e is not None:
            electrons = np.minimum(electrons, self.full_well_e)
        grey = np.rint(electrons * np.float32(self.gain) + np.float32(self.offset))
        return np.clip(grey, 0, 2**self.bits - 1).astype(np.uint8 if self.bits == 8 else np.uint16)

    def _faulty(self, rng: np.random.Generator, electrons: Image) -> Image:
        h, w = electrons.shape
        if self.streaks > 0:
            columns, rows = rng.normal(1, self.streaks, (1, w)), rng.normal(1, self.streaks, (h, 1))
            electrons = electrons * (columns * rows).astype(np.float32)
        for share, dead in ((self.dead_share, True), (self.hot_share, False)):
            n = int(rng.binomial(electrons.size, share)) if share > 0 else 0
            at = rng.integers(0, electrons.size, n)
            level = rng.uniform(0, 0.8, n) if dead else 1 + rng.lognormal(-0.5, 0.8, n)
            electrons.ravel()[at] *= level.astype(np.float32)
        return electrons


def mtf(cycles_per_px: NDArray[np.floating], sigma_px: float, tail: float, tail_px: float) -> NDArray[np.floating]:
    """Return a modulation transfer function as `Camera` describes it, 1 at no frequency."""
    core = np.exp(-2 * (np.pi * sigma_px * cycles_per_px) ** 2)
    return core if tail <= 0 else (1 - tail) * core + tail * np.exp(-2 * np.pi * tail_px * cycles_per_px)


def blurred(image: Image, sigma_px: float, tail: float = 0.0, tail_px: float = 2.0) -> Image:
    """Return `image` (h, w) after a camera's blur; beyond its edges the image goes on mirrored."""
    if sigma_px <= 0 and tail <= 0:
        return image
    # an even kernel and mirrored edges: the cosine transform does it without padding
    y, x = (np.arange(n, dtype=np.float32) / (2 * n) for n in image.shape)
    transfer = mtf(np.sqrt(y[:, None] ** 2 + x[None] ** 2), sigma_px, tail, tail_px)
    return np.asarray(fft.idctn(np.asarray(fft.dctn(np.asarray(image, np.float32))) * transfer), np.float32)


def drifted(image: Image, drift_px: tuple[float, float]) -> Image:
    """Return `image` (h, w) averaged along a straight path of `drift_px` (x, y) whose middle is where it was."""
    if not any(drift_px):
        return image
    reach = int(np.ceil(max(map(abs, drift_px)))) + 2
    padded = np.pad(np.asarray(image, np.float32), reach, mode="symmetric")
    full = (fast_length(padded.shape[0]), fast_length(padded.shape[1]))
    rest = [(0, full[0] - padded.shape[0]), (0, full[1] - padded.shape[1])]
    padded = np.pad(padded, rest, mode="symmetric")
    y, x = np.fft.fftfreq(full[0])[:, None], np.fft.rfftfreq(full[1])[None]
    along = np.sinc(x * drift_px[0] + y * drift_px[1]).astype(np.float32)
    moved = np.asarray(fft.irfft2(np.asarray(fft.rfft2(padded)) * along, s=full), np.float32)
    return moved[reach : reach + image.shape[0], reach : reach + image.shape[1]]


ANTEMA_BLUR_PX = 2.0


def antema_blur(pixels: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return `pixels` blurred as ANTEMA does before it exports them: 9 x 9 pixels of a Gaussian with sigma 2 px."""
    soft = ndimage.gaussian_filter(pixels.astype(np.float32), ANTEMA_BLUR_PX, radius=4, mode="nearest")
    return np.rint(soft).astype(pixels.dtype)


def jpeg_coded(grey: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Return an 8-bit image after JPEG of this quality (1 to 95)."""
    from PIL import Image as Pillow

    stream = io.BytesIO()
    Pillow.fromarray(grey).save(stream, "JPEG", quality=quality)
    return np.asarray(Pillow.open(stream))
