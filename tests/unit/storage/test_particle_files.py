import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from antema.analysis import measure
from antema.domain import PARTICLE_COLUMNS, NotFound
from antema.nets.classified import EvidenceMap
from antema.storage.particle_files import (
    TABLE_COLUMNS,
    ParticleFile,
    pack_mask,
    read_evidence,
    read_instances,
    read_particles,
    read_provenance,
    unpack_mask,
    write_particles,
)
from tests.strategies.stored import random_instance


@given(hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=20)))
def test_masks_survive_packing(mask):
    packed = pack_mask(mask)
    assert len(packed) == -(-mask.size // 8)
    np.testing.assert_array_equal(unpack_mask(packed, *mask.shape), mask)


@given(hnp.arrays(bool, (5, 9)))
def test_masks_of_any_memory_layout_survive(mask):
    np.testing.assert_array_equal(unpack_mask(pack_mask(mask.T), 9, 5), mask.T)
    np.testing.assert_array_equal(unpack_mask(pack_mask(mask[::-1, ::2]), 5, 5), mask[::-1, ::2])


def table_of(n: int, image: str = "a.tif") -> pd.DataFrame:
    """Return a table of `n` invented particles."""
    empty = measure(np.zeros((40, 40), bool), 0.1)
    rng = np.random.default_rng(n)
    values = {column: rng.random(n) for column in PARTICLE_COLUMNS}
    values |= {column: np.arange(n) for column in PARTICLE_COLUMNS if empty[column].dtype == "int64"}
    values |= {"sample": "", "image": image, "status": "measured", "drop_reason": "", "crystallinity": ""}
    values |= {"particle": np.arange(1, n + 1), "separated": np.arange(n) % 2 == 0, "convention": "contour"} | {
        "crystallinity_reason": ""
    }
    return pd.DataFrame(values, columns=list(PARTICLE_COLUMNS)).astype(empty.dtypes.to_dict())


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)), max_size=6), st.integers(0, 1000))
def test_a_result_comes_back_from_its_file(tmp_path_factory, shapes, seed):
    rng = np.random.default_rng(seed)
    instances = [random_instance(rng, height, width) for height, width in shapes]
    table = table_of(len(instances))
    path = tmp_path_factory.mktemp("particles") / "a.parquet"
    write_particles(path, table, instances, {"image": "a.tif", "pixel_size_nm": 0.1})
    assert read_provenance(path) == {"image": "a.tif", "pixel_size_nm": 0.1}
    for found, expected in zip(read_instances(path), instances, strict=True):
        np.testing.assert_array_equal(found.mask, expected.mask)
        assert (found.x, found.y, found.status, found.drop_reason) == (expected.x, expected.y, "measured", "")
    read = read_particles([ParticleFile(path, "S", "renamed.tif", 4)])
    assert tuple(read.columns) == TABLE_COLUMNS
    expected = table.assign(sample="S", image="renamed.tif", micrograph_id=4, exclusion_reason="")
    pd.testing.assert_frame_equal(read, expected.astype(read.dtypes.to_dict()))


def test_many_files_make_one_table_in_order(tmp_path):
    rng = np.random.default_rng(0)
    files = []
    for place, n in enumerate((3, 0, 2)):
        path = tmp_path / f"{9 - place}.parquet"
        write_particles(path, table_of(n), [random_instance(rng, 3, 3) for _ in range(n)], {})
        files.append(ParticleFile(path, "S", f"image {place}", 10 - place))
    read = read_particles(files)
    assert read["micrograph_id"].tolist() == [10, 10, 10, 8, 8]
    assert read["image"].tolist() == ["image 0"] * 3 + ["image 2"] * 2
    assert read["particle"].tolist() == [1, 2, 3, 1, 2]


def test_types_do_not_depend_on_what_is_there(tmp_path):
    path = tmp_path / "none.parquet"
    write_particles(path, table_of(0), [], {})
    full = tmp_path / "some.parquet"
    write_particles(full, table_of(1), [random_instance(np.random.default_rng(0), 2, 2)], {})
    tables = [read_particles([]), *(read_particles([ParticleFile(p, "S", "i", 1)]) for p in (path, full))]
    for table in tables:
        assert table.dtypes.to_dict() == tables[-1].dtypes.to_dict()
        assert tuple(table.columns) == TABLE_COLUMNS


def test_exclusions_drop_with_their_reason(tmp_path):
    path = tmp_path / "a.parquet"
    write_particles(path, table_of(3), [random_instance(np.random.default_rng(0), 2, 2)] * 3, {})
    read = read_particles([ParticleFile(path, "S", "i", 1, exclusions=((2, "dirt; 'quoted'"),))])
    assert read["status"].tolist() == ["measured", "dropped", "measured"]
    assert read["drop_reason"].tolist() == ["", "excluded_by_user", ""]
    assert read["exclusion_reason"].tolist() == ["", "dirt; 'quoted'", ""]


def test_columns_that_an_analysis_adds_are_kept(tmp_path):
    plain, more = tmp_path / "plain.parquet", tmp_path / "more.parquet"
    instances = [random_instance(np.random.default_rng(0), 2, 2)] * 2
    write_particles(plain, table_of(2), instances, {})
    write_particles(more, table_of(2).assign(lattice_nm=[7.0, 8.0]), instances, {})
    read = read_particles([ParticleFile(plain, "S", "i", 1), ParticleFile(more, "S", "j", 2)])
    assert tuple(read.columns) == (*TABLE_COLUMNS, "lattice_nm")
    assert read["lattice_nm"].tolist()[2:] == [7.0, 8.0]
    assert read["lattice_nm"].isna().tolist() == [True, True, False, False]


def test_values_that_do_not_apply_stay_empty(tmp_path):
    path = tmp_path / "a.parquet"
    table = table_of(2).assign(perimeter_nm=[np.nan, 2.0], drop_reason=["too_small", ""])
    write_particles(path, table, [random_instance(np.random.default_rng(0), 2, 2)] * 2, {})
    read = read_particles([ParticleFile(path, "S", "i", 1)])
    assert np.isnan(read["perimeter_nm"][0])
    assert read["drop_reason"].tolist() == ["too_small", ""]


@pytest.mark.parametrize(
    ("table", "n_instances", "message"),
    [
        (table_of(2), 1, "one mask per row"),
        (table_of(2).drop(columns="circularity"), 2, "circularity"),
        (table_of(2).assign(particle=[1, 1]), 2, "number of its own"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(tmp_path, table, n_instances, message):
    instances = [random_instance(np.random.default_rng(0), 2, 2)] * n_instances
    with pytest.raises(ValueError, match=message):
        write_particles(tmp_path / "a.parquet", table, instances, {})


def test_numbers_that_an_earlier_version_did_not_measure_are_not_there(tmp_path):
    table = table_of(2)
    rng = np.random.default_rng(0)
    instances = [random_instance(rng, 3, 4), random_instance(rng, 5, 2)]
    old, new = tmp_path / "old.parquet", tmp_path / "new.parquet"
    write_particles(new, table, instances, {})
    added = ["eccentricity", "contrast", "edge_width_nm", "border_weight"]
    pq.write_table(pq.read_table(new).drop_columns(added), old)
    alone = read_particles([ParticleFile(old, "S", "a.tif", 1)])
    assert tuple(alone.columns) == TABLE_COLUMNS
    assert alone[added].isna().all(axis=None)
    both = read_particles([ParticleFile(old, "S", "a.tif", 1), ParticleFile(new, "S", "b.tif", 2)])
    assert tuple(both.columns) == TABLE_COLUMNS
    assert both[added].isna().all(axis=1).tolist() == [True, True, False, False]
    assert (both[added].dtypes == "float64").all()


def test_evidence_comes_back_for_each_particle(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(4, 5, 3)).astype(np.float16)
    values[0, 0] = np.nan
    evidence = [EvidenceMap(1.5, 2.0, 7.25, 9.0, values), None]
    path = tmp_path / "a.parquet"
    write_particles(path, table_of(2), [random_instance(rng, 3, 3) for _ in range(2)], {}, evidence)
    found = read_evidence(path, 1)
    assert (found.x, found.y, found.w, found.h) == (1.5, 2.0, 7.25, 9.0)
    np.testing.assert_array_equal(found.values, values)
    assert found.values.dtype == np.float16
    assert read_evidence(path, 2) is None
    with pytest.raises(NotFound, match="none with the number 3"):
        read_evidence(path, 3)
    assert tuple(read_particles([ParticleFile(path, "S", "a", 1)]).columns) == TABLE_COLUMNS
    with pytest.raises(ValueError, match="expected evidence for every row or none"):
        write_particles(path, table_of(2), [random_instance(rng, 3, 3) for _ in range(2)], {}, evidence[:1])


def test_files_of_before_are_read_alone_and_beside_new_ones(tmp_path):
    rng = np.random.default_rng(1)
    new, old = tmp_path / "new.parquet", tmp_path / "old.parquet"
    for path in (new, old):
        write_particles(path, table_of(2), [random_instance(rng, 3, 3) for _ in range(2)], {})
    later = [c for c in pq.read_schema(old).names if c.startswith("evidence")] + [
        "p_lattice_visible",
        "crystallinity_reason",
    ]
    assert len(later) == 7
    pq.write_table(pq.read_table(old).drop_columns(later), old)
    alone = read_particles([ParticleFile(old, "S", "old", 1)])
    both = read_particles([ParticleFile(old, "S", "old", 1), ParticleFile(new, "S", "new", 2)])
    for table in (alone, both):
        assert tuple(table.columns) == TABLE_COLUMNS
        rows = table.loc[table["image"] == "old"]
        assert rows["p_lattice_visible"].isna().all()
        assert rows["crystallinity_reason"].eq("").all()
    assert both["p_lattice_visible"].notna().sum() == 2
    assert read_evidence(old, 1) is None
    assert len(read_instances(old)) == 2
