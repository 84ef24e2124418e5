"""Lattices against the powder diffraction files' spacings and the textbooks' extinctions."""

import numpy as np
import pytest

from antema.domain.lattices import LATTICES, alloy, finest_sampling_needed_nm
from antema.domain.material_names import classes_caution, material_named


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        # powder diffraction files 4-784, 8-459, 21-1272, 21-1276, 19-629, 33-664, 34-394, 5-592, 27-1402, 36-1451
        ("Au", {"{111}": 0.2355, "{200}": 0.2039, "{220}": 0.1442, "{311}": 0.1230}),
        ("CdSe", {"{100}": 0.372, "{002}": 0.351, "{101}": 0.329, "{102}": 0.2554, "{110}": 0.2151}),
        ("TiO2 anatase", {"{101}": 0.352, "{103}": 0.2431, "{004}": 0.2378, "{200}": 0.1892}),
        ("TiO2 rutile", {"{110}": 0.3247, "{101}": 0.2487, "{200}": 0.2297, "{211}": 0.1687}),
        ("Fe3O4", {"{111}": 0.4852, "{220}": 0.2967, "{311}": 0.2532, "{400}": 0.2099, "{511}/{333}": 0.1616}),
        ("Fe2O3 corundum", {"{012}": 0.3684, "{104}": 0.2700, "{110}": 0.2519, "{113}": 0.2207}),
        ("CeO2", {"{111}": 0.3123, "{200}": 0.2706, "{220}": 0.1913}),
        ("PbS", {"{111}": 0.3429, "{200}": 0.2969, "{220}": 0.2099}),
        ("Si", {"{111}": 0.3136, "{220}": 0.1920, "{311}": 0.1638}),
        ("ZnO", {"{100}": 0.2814, "{002}": 0.2603, "{101}": 0.2476, "{102}": 0.1911}),
    ],
)
def test_spacings_are_those_of_the_powder_diffraction_files(key, expected):
    found = {one.name: one.spacing_nm for one in LATTICES[key].reflections()}
    for name, spacing in expected.items():
        assert found[name] == pytest.approx(spacing, rel=2e-3)


@pytest.mark.parametrize(
    ("key", "absent"),
    [
        ("Au", ["{100}", "{110}", "{210}", "{211}"]),
        ("Fe", ["{100}", "{111}", "{210}"]),
        ("Si", ["{200}", "{222}", "{420}"]),
        ("CdSe", ["{001}", "{111}", "{003}"]),
        ("TiO2 rutile", ["{100}", "{001}"]),
        ("Fe2O3 corundum", ["{001}", "{003}", "{100}", "{101}"]),
        ("Fe3O4", ["{100}", "{110}", "{200}"]),
    ],
)
def test_extinct_planes_are_not_offered(key, absent):
    names = {name for one in LATTICES[key].reflections() for name in one.name.split("/")}
    assert names.isdisjoint(absent)


def test_families_are_whole():
    sizes = {one.name: len(one.indices) for one in LATTICES["Au"].reflections()}
    assert (sizes["{111}"], sizes["{200}"], sizes["{220}"], sizes["{311}"]) == (8, 6, 12, 24)
    for lattice in LATTICES.values():
        for one in lattice.reflections():
            lengths = np.linalg.norm(lattice.places_per_nm(np.array(one.indices, float)), axis=1)
            assert lengths == pytest.approx(1 / one.spacing_nm)
            assert {tuple(-i for i in indices) for indices in one.indices} == set(one.indices)


def test_spacings_fall():
    for lattice in LATTICES.values():
        spacings = [one.spacing_nm for one in lattice.reflections()]
        assert spacings == sorted(spacings, reverse=True)
        assert lattice.largest_spacing_nm == spacings[0]


def test_cells_hold_as_many_atoms_as_their_formula_says():
    titanium, oxygen = LATTICES["TiO2 rutile"].sites
    assert len(oxygen) == 2 * len(titanium)
    iron, oxygen = LATTICES["Fe2O3 corundum"].sites
    assert (len(iron), len(oxygen)) == (12, 18)
    for lattice in LATTICES.values():
        assert len(np.unique(np.round(lattice.basis % 1, 6), axis=0)) == len(lattice.basis)


def test_an_alloy_lies_between_its_metals():
    mixed = alloy({"Ag": 1, "Pt": 3})
    expected = 0.25 * LATTICES["Ag"].largest_spacing_nm + 0.75 * LATTICES["Pt"].largest_spacing_nm
    assert mixed.largest_spacing_nm == pytest.approx(expected)
    with pytest.raises(ValueError, match="one structure"):
        alloy({"Au": 1, "Fe": 1})


def test_an_unknown_material_is_taken_for_gold():
    assert finest_sampling_needed_nm(None) == pytest.approx(0.1177, abs=1e-4)
    assert finest_sampling_needed_nm(LATTICES["Fe3O4"]) > 0.24


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gold, thiolate-capped", "gold"),
        ("Goldnanopartikel", "gold"),
        ("AuNPs 2 nm", "gold"),
        ("Au25(SR)18", "gold"),
        ("silica-coated gold", "gold"),
        ("gold on carbon film", "gold"),
        ("PVP-capped silver", "silver"),
        ("Pt on CeO2", "platinum"),
        ("TiO2-supported Pt", "platinum"),
        ("AgPt", "silver-platinum alloy (Ag 50 % Pt 50 %)"),
        ("Silber-Platin 1:3", "silver-platinum alloy (Ag 25 % Pt 75 %)"),
        ("AuCu3", "gold-copper alloy (Au 25 % Cu 75 %)"),
        ("CdSe/ZnS quantum dots", "CdSe (wurtzite)"),
        ("CdSe, zinc blende", "CdSe (zinc blende)"),
        ("TiO₂ (rutile)", "titania (rutile)"),
        ("Titandioxid", "titania (anatase)"),
        ("α-Fe2O3", "hematite"),
        ("Fe2O3", "maghemite"),
        ("Eisenoxid, Ölsäure", "magnetite"),
        ("CoO", "cobalt(II) oxide"),
        ("gold grid, ceria", "ceria"),
        ("ceria, Cu grid", "ceria"),
    ],
)
def test_materials_are_found_in_what_people_write(text, expected):
    found = material_named(text)
    assert found is not None
    assert found.name == expected


@pytest.mark.parametrize(
    "text", ["", "latex beads", "silica", "SiO2", "silicone oil", "copper oxide", "NaCl", "carbon", "As is"]
)
def test_what_is_not_known_is_not_guessed(text):
    assert material_named(text) is None


@pytest.mark.parametrize("text", ["", "latex beads", "gold, thiolate-capped", "AgPt 1:3", "Cu nanocubes"])
def test_what_a_classifier_learned_needs_no_caution(text):
    assert classes_caution(text) == ""


@pytest.mark.parametrize(
    ("text", "named"), [("CdSe quantum dots", "CdSe"), ("nickel oxide", "nickel oxide"), ("Fe", "iron")]
)
def test_classes_of_another_structure_are_called_a_guess(text, named):
    assert classes_caution(text).count(named) == 1
    assert classes_caution(text).endswith("a guess.")
