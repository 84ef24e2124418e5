import json

from plotly.utils import PlotlyJSONEncoder

from antema.domain import DROP_REASONS, PARTICLE_COLUMNS, QUANTITIES, RECIPE_FIELDS, UNKNOWN_REASONS
from antema.imaging import supported_suffixes
from antema.imaging.palette import CRYSTALLINITY_COLOURS, OUTLINE_COLOURS, SAMPLE_COLOURS
from antema.web.help_page import FILES, NUMBERS, REASONS, UNKNOWN, help_page

_BOOKKEEPING = {"sample", "image", "particle", "status", "drop_reason", "convention"}
PAGE = json.dumps(help_page(), cls=PlotlyJSONEncoder, ensure_ascii=False)


def test_every_measured_column_is_explained():
    explained = {column for _, columns, _ in NUMBERS for column in columns.split(", ")}
    assert explained == set(PARTICLE_COLUMNS) - _BOOKKEEPING
    assert {quantity.column for quantity in QUANTITIES} <= explained


def test_every_reason_is_explained_with_the_parameter_that_decides_it():
    assert set(REASONS) == set(DROP_REASONS)
    names = {field.name for field in RECIPE_FIELDS}
    for _, parameter in REASONS.values():
        assert parameter is None or parameter in names
    for reason, words in DROP_REASONS.items():
        assert f'"{reason}"' in PAGE
        assert words in PAGE


def test_every_reason_for_unknown_is_explained():
    assert set(UNKNOWN) == set(UNKNOWN_REASONS)
    for reason, explanation in UNKNOWN.items():
        assert explanation in PAGE
        assert UNKNOWN_REASONS[reason][1:] in PAGE


def test_every_recipe_parameter_and_colour_is_there():
    for field in RECIPE_FIELDS:
        assert field.label in PAGE
        assert field.help in PAGE
    for colour in (*OUTLINE_COLOURS.values(), *CRYSTALLINITY_COLOURS.values(), *SAMPLE_COLOURS):
        assert f'"backgroundColor": "{colour}"' in PAGE


def test_the_files_named_are_files_that_are_looked_for():
    named = {f".{suffix}" for _, suffixes, _ in FILES for suffix in suffixes}
    assert named <= supported_suffixes
    same = {".tiff", ".jpeg", ".hdf5", ".mrcs", ".map", ".rec", ".st", ".ali"}
    assert supported_suffixes - named <= same


def test_the_contents_lead_to_sections_of_the_page_and_nowhere_else():
    anchors = {part.split('"')[0] for part in PAGE.split('"href": "')[1:]}
    sections = {anchor for anchor in anchors if anchor.startswith("#")}
    assert len(sections) == 11
    for anchor in sections:
        assert f'"id": "{anchor[1:]}"' in PAGE
    assert anchors - sections == {"/samples?new=1", "/jobs", "/compare"}
    assert "http" not in PAGE
