"""How neutral atoms scatter electrons: Lobato's and Van Dyck's factors, and what an atom is on a coarse grid."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from antema.simulation.optics import Optics

_LOBATO: dict[int, tuple[tuple[float, ...], tuple[float, ...]]] = {
    1: (  # H
        (0.00647384848835291, -0.490192576780229, 0.573284160390876, -0.37940330148399, 0.554426474774079),
        (2.78519885379148, 2.77620428330644, 2.77538591050625, 2.76759302867258, 2.76511897642927),
    ),
    6: (  # C
        (124.466088621343, -220.352857078963, 195.235352280479, -98.1079361269799, 0.0142023041213623),
        (2.42120849256005, 2.30537943752425, 2.04851932106564, 1.93352552917547, 0.0768976818478339),
    ),
    7: (  # N
        (58.1327150702556, -147.542409087812, 130.143065649639, -39.6195674084154, 0.010595776333148),
        (1.70044856413471, 1.5590385260174, 1.41576827473146, 1.27841818205455, 0.0565587798474805),
    ),
    8: (  # O
        (29.9474045242362, -77.6101266255278, 99.8817764623144, -51.2127005505673, 0.00819618954446032),
        (1.3028398788001, 1.15794105258309, 1.00988549338025, 0.943327971433266, 0.0433197611321825),
    ),
    14: (  # Si
        (2.87189142611612, -2.06173501195173, 2.17114024204478, -0.0663073633058801, 0.00301070709670513),
        (5.08487103642989, 0.429178185305126, 0.366485434192162, 0.119710611296903, 0.0143994536128397),
    ),
    16: (  # S
        (2.67971415610199, -0.474252822230755, 0.514835948989687, -0.0958360024990722, 0.00248871963818935),
        (3.06889121199971, 0.378216702185809, 0.188721811902548, 0.0923370590031494, 0.0111920877241144),
    ),
    22: (  # Ti
        (8.57595775238129, -210.331563465304, 206.097172601541, 0.0477773948977261, 0.00050571648448032),
        (6.00780668875581, 2.60285856745213, 2.55352345051105, 0.0711429484024153, 0.00485628439383726),
    ),
    26: (  # Fe
        (3.79810090836859, -91.6893549381687, 91.4454252155429, 0.0272754344027604, 0.00030337985438377),
        (5.31712645899433, 1.49713094884748, 1.4680924180441, 0.0427247850128954, 0.00332791855231874),
    ),
    29: (  # Cu
        (1.75207145212145, -43.0410523492124, 44.0705915543573, 0.0186876154088144, 0.00020172732479162),
        (6.18750497986187, 1.00266263628976, 0.98538431135303, 0.0302984703916117, 0.00255855598748879),
    ),
    30: (  # Zn
        (2.46637110499459, -61.4678541332537, 62.0176945237481, 0.0164160173931416, 0.00017248711759538),
        (4.91028078493815, 0.967898520322992, 0.951283834775355, 0.0269600967667566, 0.00234109611046253),
    ),
    34: (  # Se
        (3.64905047801926, -43.6851662221238, 43.6920288601154, 0.00844902284199144, 3.7861147411e-05),
        (3.25043267112593, 0.609666201650289, 0.596971300802123, 0.0148554512740362, 0.00133625587356563),
    ),
    46: (  # Pd
        (0.642159796182687, 2.97914814426328, 0.16815442600427, 0.00133744213878407, 1.9141096825e-07),
        (5.97479750263406, 1.43359432541277, 0.0909868401172677, 0.00362410137116162, 0.00018068891441605),
    ),
    47: (  # Ag
        (1.55317216680389, 2.63930364699988, 0.142015486956788, 0.0010085046009976, 1.9463842997e-07),
        (8.15620235758956, 1.21600887481801, 0.0790098864915873, 0.00296547901363949, 0.00017459309591915),
    ),
    48: (  # Cd
        (61.530785199286, -78.6016741201582, 21.550129260277, 0.137685015664191, 0.00032464493094652),
        (3.11468102533247, 2.76016983388574, 1.93551312324722, 0.0722468347260293, 0.00117001629624684),
    ),
    78: (  # Pt
        (2.04021563975728, 2.89922634624825, 0.636344083815797, 0.0132071919595408, 5.673821925001e-05),
        (6.65819429609627, 1.41337923778932, 0.174000104502179, 0.010068780453021, 0.00040307710569222),
    ),
    79: (  # Au
        (1.6759346706487, 3.00486602969729, 0.595340013161635, 0.0117163186623094, 4.296782976398e-05),
        (5.52231093211402, 1.38007223007196, 0.162229237655945, 0.00901814890416575, 0.00037927766747767),
    ),
}
"""Amplitudes in Å and widths in Å² by atomic number: table 1 of the reference below."""

ELEMENTS: tuple[int, ...] = tuple(_LOBATO)
"""Atomic numbers with known scattering factors."""


def lobato_terms(numbers: Sequence[int]) -> NDArray[np.float32]:
    """Return the coefficients of each element's scattering factor.

    Parameters
    ----------
    numbers : sequence of int
        Atomic numbers.

    Returns
    -------
    ndarray, shape (len(numbers), 2, 5)
        Amplitudes in nm and widths in nm².

    Raises
    ------
    ValueError
        For an element that is not tabulated.
    """
    unknown = sorted(set(map(int, numbers)) - set(_LOBATO))
    if unknown:
        msg = f"Scattering factors are known for Z in {ELEMENTS}; found Z = {unknown}."
        raise ValueError(msg)
    amplitudes_and_widths = np.array([_LOBATO[int(z)] for z in numbers], np.float64).reshape(-1, 2, 5)
    return (amplitudes_and_widths * np.array([0.1, 0.01])[:, None]).astype(np.float32)


def scattering_factor_nm(z: int, g_per_nm: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the electron scattering factor of a neutral atom in the first Born approximation.

    Parameters
    ----------
    z : int
        Atomic number.
    g_per_nm : ndarray
        Spatial frequency in 1/nm (the reciprocal of a period, without 2 pi).

    Returns
    -------
    ndarray
        Scattering factor in nm, without the relativistic mass.

    References
    ----------
    .. [1] I. Lobato, D. Van Dyck, Acta Cryst. A 70 (2014) 636: f(g) = sum of a (2 + b g²) / (1 + b g²)².
    """
    amplitudes, widths = np.asarray(lobato_terms([z])[0], np.float64)
    g2 = np.asarray(g_per_nm, np.float64)[..., None] ** 2
    return np.asarray((amplitudes * (2 + widths * g2) / (1 + widths * g2) ** 2).sum(axis=-1))


class AtomFactors(NamedTuple):
    """What atoms do to a wave on a grid, as `antema.simulation.waves` takes it.

    Parameters
    ----------
    terms : ndarray of float32, shape (elements, 2, 5)
        `lobato_terms`.
    beyond : ndarray of complex64, shape (elements, m)
        What comes to the phase of each in rad nm², at frequencies from 0 on in equal steps.
    step_per_nm : float
        That step.
    """

    terms: NDArray[np.float32]
    beyond: NDArray[np.complex64]
    step_per_nm: float


_TABLE = 256


def atom_factors(
    numbers: Sequence[int], optics: Optics, pixel_size_nm: float, *, thin_atoms: bool = False
) -> AtomFactors:
    """Return what atoms of these elements do to a wave that is sampled at `pixel_size_nm`.

    A heavy atom shifts the phase of a wave by several rad in its core. On a grid that does not resolve the core, the
    band-limited phase is small there, and its exponential is not the band-limited transmission: too much passes
    unscattered, and what is scattered beyond the grid's frequencies is not missing. Here each atom has the complex
    phase whose exponential is its own transmission exp(i phase) limited to the band, after Glauber's and Molière's
    theory of strong scattering; at fine sampling this is the phase itself. `docs/simulation.md` compares both.

    Parameters
    ----------
    numbers : sequence of int
        Atomic numbers.
    optics : Optics
        For its voltage.
    pixel_size_nm : float
        Edge of a pixel.
    thin_atoms : bool
        Whether to leave all this out: phases of the first Born approximation, without any loss.

    Raises
    ------
    ValueError
        For an element that is not tabulated.

    References
    ----------
    .. [1] E. Zeitler, H. Olsen, Phys. Rev. 136 (1964) A1546: complex amplitudes of single atoms in this theory.
    """
    terms = lobato_terms(numbers)
    step = 0.75 / pixel_size_nm / (_TABLE - 1)  # to beyond the corners of the grid's frequencies
    if thin_atoms:
        return AtomFactors(terms, np.zeros((len(terms), _TABLE), np.complex64), step)
    rows = [_beyond_born(int(z), optics.voltage_kv, float(pixel_size_nm)) for z in numbers]
    return AtomFactors(terms, np.stack(rows), step)


@lru_cache(maxsize=512)
def _beyond_born(z: int, voltage_kv: float, pixel_size_nm: float) -> NDArray[np.complex64]:
    """Return the transform of an atom's complex phase on the grid, less that of its plain phase, by frequency."""
    from scipy.special import j0, k0, k1

    optics = Optics(voltage_kv=voltage_kv)
    amplitudes, widths = np.asarray(lobato_terms([z])[0], np.float64)
    rate = 2 * np.pi / np.sqrt(widths)
    most = 0.5 / pixel_size_nm
    reach_nm = max(24 * pixel_size_nm, 0.3)
    samples = int(12 * most * reach_nm) + 120
    # the phase beside the atom, from the two-dimensional transforms of 1 / (1 + b g²) and its square
    r = np.concatenate([np.geomspace(1e-6, 1e-3, 50)[:-1], np.geomspace(1e-3, reach_nm, 3 * samples)])
    ring = 2 * np.pi * r * np.gradient(r)
    kr = rate * r[:, None]
    phase = (amplitudes * rate**2 / (2 * np.pi) * (k0(kr) + 0.5 * kr * k1(kr))).sum(axis=1)
    phase *= optics.lorentz_factor * optics.wavelength_nm
    g = np.linspace(0, most, samples)
    band = j0(2 * np.pi * g[:, None] * r) @ (ring[:, None] * np.stack([np.exp(1j * phase) - 1, phase], axis=1))
    weights = 2 * np.pi * g * g[1]
    weights[-1] /= 2
    # seen through the band: transmission and phase
    place = np.linspace(0, reach_nm, 2 * samples)
    seen = j0(2 * np.pi * g * place[:, None]) @ (weights[:, None] * band)
    beyond = -1j * np.log1p(seen[:, 0]) - seen[:, 1]
    frequency = np.linspace(0, 1.5 * most, _TABLE)
    return (j0(2 * np.pi * frequency[:, None] * place) @ (2 * np.pi * place * place[1] * beyond)).astype(np.complex64)
