import numpy as np
import pytest
from scipy.spatial import cKDTree

from antema.simulation.crystals import THERMAL_NM
from antema.simulation.domains import along_beam, grown, neighbours_nm
from antema.simulation.materials import METALS
from antema.simulation.shapes import body_of

GOLD = METALS["Au"]


def particle(structure, shape="sphere", diameter_nm=3.0, seed=1, material=GOLD):
    rng = np.random.default_rng(seed)
    return grown(rng, material, body_of(shape, diameter_nm, rng), shape, structure)


def bond_directions(places_nm, bond_nm):
    """Return how many directions bonds have, each that more than 1 % of them have within 10 degrees."""
    pairs = cKDTree(places_nm).query_pairs(1.15 * bond_nm, output_type="ndarray")
    bonds = places_nm[pairs[:, 0]] - places_nm[pairs[:, 1]]
    bonds /= np.linalg.norm(bonds, axis=1, keepdims=True)
    bonds = np.concatenate([bonds, -bonds])
    found, least = 0, 0.01 * len(bonds)
    while len(bonds):
        like = bonds @ bonds[0] > np.cos(np.radians(10))
        found += int(like.sum() > least)
        bonds = bonds[~like]
    return found


@pytest.mark.parametrize(
    ("structure", "shape", "domains", "crystallinity"),
    [
        ("crystal", "sphere", 1, "monocrystalline"),
        ("crystal", "cuboctahedron", 1, "monocrystalline"),
        ("twin", "octahedron", 2, "polycrystalline"),
        ("multiply twinned", "decahedron", 5, "polycrystalline"),
        ("multiply twinned", "icosahedron", 20, "polycrystalline"),
        ("packed", "sphere", 0, "amorphous"),
        ("glass", "cube", 0, "amorphous"),
    ],
)
def test_the_class_follows_from_the_domains(structure, shape, domains, crystallinity):
    one = particle(structure, shape)
    assert one.domains == domains
    assert one.crystallinity == crystallinity


@pytest.mark.parametrize(("structure", "least", "most"), [("crystal", 12, 12), ("twin", 18, 18), ("stitched", 19, 36)])
def test_crystals_have_the_bonds_of_their_domains(structure, least, most):
    for seed in range(4):
        one = particle(structure, seed=seed)
        assert least <= bond_directions(one.atoms.places_nm, neighbours_nm(GOLD)) <= most


def test_stitched_particles_have_two_or_three_domains_and_atoms_beside_each_other():
    several = [particle("stitched", diameter_nm=1.2, seed=seed) for seed in range(12)]
    assert {one.domains for one in several} == {2, 3}
    for one in several:
        assert one.crystallinity == "polycrystalline"
        nearest = cKDTree(one.atoms.places_nm).query(one.atoms.places_nm, k=2)[0][:, 1]
        assert nearest.min() > 0.75 * neighbours_nm(GOLD) - 8 * THERMAL_NM
        # nearly a whole ball of the crystal's density
        assert len(one.atoms.z) > 0.75 * np.pi / 6 * 1.2**3 * 4 / GOLD.lattice_nm**3


@pytest.mark.parametrize(("structure", "density"), [("packed", 0.62), ("glass", 0.95)])
def test_amorphous_gold_keeps_its_least_distance_and_has_its_density(structure, density):
    one = particle(structure, diameter_nm=4.0)
    nearest = cKDTree(one.atoms.places_nm).query(one.atoms.places_nm, k=2)[0][:, 1]
    assert nearest.min() >= 0.248 - 1e-5
    crystal = np.pi / 6 * 4.0**3 * 4 / GOLD.lattice_nm**3
    assert len(one.atoms.z) / crystal == pytest.approx(density, rel=0.06)


def test_other_metals_keep_a_distance_in_proportion():
    platinum = METALS["Pt"]
    one = particle("packed", material=platinum)
    nearest = cKDTree(one.atoms.places_nm).query(one.atoms.places_nm, k=2)[0][:, 1]
    assert nearest.min() == pytest.approx(0.248 * platinum.lattice_nm / GOLD.lattice_nm, rel=0.02)


@pytest.mark.parametrize("direction", [(0, 0, 1), (1, 1, 0), (0, 0, -1), (1, -2, 3)])
def test_a_direction_comes_to_lie_along_the_beam(direction):
    direction = np.array(direction, float)
    rotation = along_beam(np.random.default_rng(5), direction)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)
    np.testing.assert_allclose(rotation @ direction, [0, 0, np.linalg.norm(direction)], atol=1e-9)


@pytest.mark.parametrize(
    ("structure", "shape"), [("crystal", "icosahedron"), ("multiply twinned", "cube"), ("liquid", "sphere")]
)
def test_what_cannot_be_is_refused(structure, shape):
    with pytest.raises(ValueError, match="expected"):
        particle(structure, shape)
