import numpy as np
import pytest
from scipy.spatial import cKDTree

from antema.simulation.crystals import decahedral, filled, icosahedral, possible_structures
from antema.simulation.materials import COMPOUNDS, MATERIALS, METALS, absorption_per_nm, cross_section_nm2
from antema.simulation.shapes import body_of

BONDS_NM = {
    "CdSe": ("Cd", "Se", 0.263),
    "TiO2": ("O", "Ti", 0.1934),
    "Fe3O4": ("Fe", "O", 0.189),
    "ZnO": ("O", "Zn", 0.1974),
}
DENSITIES = {"Au": 19.3, "Ag": 10.5, "Cu": 8.96, "CdSe": 5.67, "TiO2": 3.9, "Fe3O4": 5.2, "ZnO": 5.61}
WEIGHTS = {"Au": 196.97, "Ag": 107.87, "Cu": 63.55, "Cd": 112.41, "Se": 78.97}
WEIGHTS |= {"Ti": 47.87, "O": 16.0, "Fe": 55.85, "Zn": 65.38}


def ball(material, structure="crystal", diameter_nm=3.0, shape="sphere", seed=1):
    rng = np.random.default_rng(seed)
    body = body_of(shape, diameter_nm, rng)
    return filled(rng, body, body.reach_nm, material, shape, structure)


@pytest.mark.parametrize("name", DENSITIES)
def test_a_crystal_has_its_mass(name):
    grams = sum(WEIGHTS[one.symbol] * n for one, n in MATERIALS[name].atoms_per_nm3.items()) * 1e21 / 6.02214e23
    assert grams == pytest.approx(DENSITIES[name], rel=0.02)


@pytest.mark.parametrize("name", COMPOUNDS)
def test_unlike_atoms_are_neighbours_at_the_length_of_their_bond(name):
    material = COMPOUNDS[name]
    atoms = ball(material)
    symbols = np.array([{one.z: one.symbol for one in material.species}[z] for z in atoms.z])
    distance, neighbour = cKDTree(atoms.places_nm).query(atoms.places_nm, k=2)
    first, second, bond_nm = BONDS_NM[name]
    assert distance[:, 1].min() == pytest.approx(bond_nm, rel=0.01)
    nearest = distance[:, 1] < 1.02 * bond_nm
    pairs = {tuple(sorted(pair)) for pair in zip(symbols[nearest], symbols[neighbour[nearest, 1]], strict=True)}
    assert pairs == {(first, second)}
    assert atoms.radii_nm.max() == material.radius_nm


@pytest.mark.parametrize("name", MATERIALS)
def test_a_ball_has_as_many_atoms_as_its_volume_asks(name):
    atoms = ball(MATERIALS[name], diameter_nm=4.0)
    per_nm3 = MATERIALS[name].atoms_per_nm3
    assert len(atoms.z) == pytest.approx(np.pi / 6 * 64 * sum(per_nm3.values()), rel=0.03)
    for one in per_nm3:
        of_kind = (atoms.z == one.z) & (atoms.radii_nm == one.radius_nm)
        assert of_kind.mean() == pytest.approx(per_nm3[one] / sum(per_nm3.values()), abs=0.03)


@pytest.mark.parametrize(("grown", "nearest", "farthest"), [(decahedral, 1.0, 1.0181), (icosahedral, 0.9752, 1.0255)])
def test_multiply_twinned_lattices_have_twelve_neighbours_at_the_right_distance(grown, nearest, farthest):
    places = grown(1.0, 8.0)
    inner = np.linalg.norm(places, axis=1) < 6
    distance = cKDTree(places).query(places[inner], k=14)[0]
    assert distance[:, 1].min() == pytest.approx(nearest, abs=2e-4)
    assert distance[:, 12].max() == pytest.approx(farthest, abs=2e-4)
    assert distance[:, 13].min() > 1.3  # the next shell of fcc lies at 1.41
    density = inner.sum() / (4 / 3 * np.pi * 6**3)
    assert density == pytest.approx(np.sqrt(2), rel=0.04)


@pytest.mark.parametrize("shells", [2, 4])
def test_an_icosahedron_has_mackays_magic_numbers(shells):
    places = icosahedral(1.0, shells + 0.5)
    corner = np.sort(np.linalg.norm(places, axis=1))
    edge = corner[1]  # a shell's corners lie at multiples of the first one's
    from antema.simulation.shapes import icosahedron, icosahedron_faces

    face = icosahedron_faces()[0] @ icosahedron()[0][icosahedron()[1][0]][0]
    inside = (places @ icosahedron_faces().T <= shells * edge * face + 1e-6).all(axis=1)
    assert np.count_nonzero(inside) == {2: 55, 4: 309}[shells]


def test_a_twin_mirrors_its_crystal():
    atoms = ball(METALS["Au"], "twin", 3.0)
    distance = cKDTree(atoms.places_nm).query(atoms.places_nm, k=13)[0]
    assert distance[:, 1].min() == pytest.approx(METALS["Au"].lattice_nm / np.sqrt(2), rel=1e-6)
    # atoms of the mirror keep their twelve neighbours; across it some lie at sqrt(8/3) of the neighbours' distance, as
    # in a hexagonal packing and nowhere in fcc
    plain = ball(METALS["Au"], "crystal", 3.0)

    def pairs_within(one, share):
        return len(cKDTree(one.places_nm).query_pairs(share * METALS["Au"].lattice_nm / np.sqrt(2)))

    assert pairs_within(atoms, 1.2) == pytest.approx(pairs_within(plain, 1.2), rel=0.05)
    assert pairs_within(plain, 1.65) == pairs_within(plain, 1.6)
    assert pairs_within(atoms, 1.65) > pairs_within(atoms, 1.6) + 10


def test_only_fcc_metals_are_twinned_many_times():
    assert possible_structures(METALS["Au"], "icosahedron") == ("multiply twinned",)
    assert possible_structures(COMPOUNDS["Fe3O4"], "icosahedron") == ()
    assert "twin" not in possible_structures(COMPOUNDS["ZnO"], "sphere")


def test_scattering_past_the_aperture_follows_rutherford_far_out():
    # beyond screening, d sigma / d Omega = (2 Z gamma / (a0 (2 pi theta / lambda)^2))^2
    wavelength_nm, gamma, theta = 0.0025079, 1.3914, 0.6
    q = 2 * np.pi * theta / wavelength_nm
    exact = np.pi * theta**2 * (2 * 79 * gamma / (0.0529177 * q**2)) ** 2
    # the integral ends at 90 degrees
    assert cross_section_nm2(79, 200.0, 600.0) == pytest.approx(exact * (1 - (0.6 / (np.pi / 2)) ** 2), rel=0.05)
    gold, smaller = (absorption_per_nm(METALS["Au"], 200.0, angle) for angle in (10.0, 30.0))
    assert 1 / 30 < gold < 1 / 8  # mean free path of 8 to 30 nm
    assert smaller < gold
