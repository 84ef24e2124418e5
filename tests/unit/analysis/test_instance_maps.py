import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from antema.analysis import instance_pages, instances_tiff, numbered_instances, read_instances
from antema.analysis.morphology import tight
from antema.domain import AntemaError, CannotRead, Instance


@st.composite
def instance_lists(draw):
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    instances = []
    for _ in range(draw(st.integers(0, 8))):
        h, w = rng.integers(1, 12, 2)
        mask = rng.random((h, w)) < 0.8
        mask[0, 0] = True
        dx, dy, mask = tight(mask)
        instances.append(Instance(int(rng.integers(0, 20)) + dx, int(rng.integers(0, 20)) + dy, mask))
    return instances


@settings(max_examples=40, deadline=None)
@given(instance_lists())
def test_a_written_map_gives_the_instances_back(tmp_path_factory, instances):
    path = tmp_path_factory.mktemp("maps") / "map.tif"
    instances_tiff(instances, (32, 40), path)
    found = read_instances(path)
    assert [(i.x, i.y, i.mask.tolist()) for i in found] == [(i.x, i.y, i.mask.tolist()) for i in instances]


@settings(max_examples=40, deadline=None)
@given(instance_lists())
def test_each_instance_is_whole_on_exactly_one_page(instances):
    pages = instance_pages(instances, (32, 40))
    for number, instance in enumerate(instances, start=1):
        counts = [int(np.count_nonzero(page == number)) for page in pages]
        assert sorted(counts, reverse=True)[0] == instance.area_px
        assert sum(counts) == instance.area_px


def test_instances_apart_share_a_page_and_overlapping_ones_do_not(tmp_path):
    box = np.ones((5, 5), dtype=bool)
    instances = [Instance(0, 0, box), Instance(3, 3, box), Instance(20, 20, box)]
    instances_tiff(instances, (32, 32), tmp_path / "map.tif")
    with tifffile.TiffFile(tmp_path / "map.tif") as file:
        assert len(file.pages) == 2
        assert {page.dtype for page in file.pages} == {np.dtype(np.uint16)}
        assert {page.shape for page in file.pages} == {(32, 32)}
        assert set(np.unique(file.pages[0].asarray())) == {0, 1, 3}


def test_nothing_found_is_one_empty_page(tmp_path):
    instances_tiff([], (16, 24), tmp_path / "map.tif")
    assert tifffile.imread(tmp_path / "map.tif").shape == (16, 24)
    assert read_instances(tmp_path / "map.tif") == []


def test_more_than_sixteen_bits_can_number_is_refused(tmp_path):
    dot = np.ones((1, 1), dtype=bool)
    instances = [Instance(i % 300, i // 300, dot) for i in range(65_536)]
    with pytest.raises(AntemaError, match="at most 65535 objects"):
        instances_tiff(instances, (300, 300), tmp_path / "map.tif")
    assert not (tmp_path / "map.tif").exists()
    assert instance_pages(instances[:-1], (300, 300)).max() == 65_535


@pytest.mark.parametrize("corner", [(-1, 0), (0, -1), (14, 0), (0, 14)])
def test_an_instance_outside_the_image_is_refused(corner):
    with pytest.raises(AntemaError, match="does not lie in an image of 16 x 16 px"):
        instance_pages([Instance(*corner, np.ones((4, 4), dtype=bool))], (16, 16))


def test_numbers_keep_their_gaps_and_may_not_repeat():
    page = np.zeros((8, 8), dtype=np.uint16)
    page[0, 0], page[4, 4] = 7, 3
    assert list(numbered_instances(page)) == [3, 7]
    with pytest.raises(AntemaError, match="found 7 on two"):
        numbered_instances(np.stack([page, page * (page == 7)]))


def test_numbers_may_be_as_large_as_colours():
    page = np.zeros((8, 8), dtype=np.uint32)
    page[0, :3], page[4:6, 4] = 4_000_000_000, 3
    found = numbered_instances(page)
    assert [(number, i.x, i.y, i.mask.shape) for number, i in found.items()] == [
        (3, 4, 4, (2, 1)),
        (4_000_000_000, 0, 0, (1, 3)),
    ]


def test_other_files_are_refused_by_name(tmp_path):
    (tmp_path / "text.tif").write_text("no image")
    tifffile.imwrite(tmp_path / "grey.tif", np.zeros((8, 8), dtype=np.float32))
    tifffile.imwrite(tmp_path / "rgb.tif", np.zeros((8, 8, 3), dtype=np.uint8), photometric="rgb")
    for name in ("text.tif", "grey.tif", "rgb.tif", "absent.tif"):
        with pytest.raises(CannotRead, match=name):
            read_instances(tmp_path / name)
