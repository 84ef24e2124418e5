import dash
import pytest

from antema.domain import AntemaError
from antema.web import shell
from antema.web.compare_choice import Choice
from antema.web.compare_samples import load
from antema.web.overview import sample_rows


def lose_particles(store, sample):
    for result in store.image_results(sample.current_analysis_id):
        result.parquet.unlink()


def test_a_lost_particle_file_does_not_empty_the_list(web_store, make_sample):
    lost, kept = make_sample("lost", 4.0, 1), make_sample("kept", 5.0, 1)
    lose_particles(web_store, lost)
    rows = {row["name"]: row for row in sample_rows(archived=False)}
    assert set(rows) == {"lost", "kept"}
    assert (rows["lost"]["median"], rows["lost"]["state"]) == (None, "particle file lost: analyse again")
    assert rows["kept"]["state"] == "analysed"
    table = web_store.particles(kept.current_analysis_id)
    median = table.loc[table["status"] == "measured", "equivalent_diameter_nm"].median()
    assert rows["kept"]["median"] == pytest.approx(median)
    assert isinstance(rows["kept"]["median"], float)


def test_a_comparison_goes_on_without_a_sample_whose_particles_are_lost(web_store, make_sample):
    samples = [make_sample(name, 4.0 + i, 1) for i, name in enumerate(("lost", "a", "b"))]
    lose_particles(web_store, samples[0])
    found = load(Choice.of([sample.id for sample in samples], None, None, log=False))
    assert [member.name for member in found.members] == ["a", "b"]
    assert "lost" in found.missing[0]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (AntemaError("expected this, found that"), "expected this, found that"),
        (KeyError("secret"), "Unexpected error: see the server's log."),
    ],
)
def test_a_failing_callback_says_so(error, words, caplog):
    app = dash.Dash("test", on_error=shell.report_error)
    app.layout = dash.html.Div([dash.html.Div(id="in"), dash.html.Div(id="out"), dash.dcc.Store(id="message")])

    @app.callback(dash.Output("out", "children"), dash.Input("in", "children"))
    def fail(_):
        raise error

    body = {
        "output": "out.children",
        "outputs": {"id": "out", "property": "children"},
        "inputs": [{"id": "in", "property": "children", "value": "x"}],
        "changedPropIds": ["in.children"],
    }
    answer = app.server.test_client().post("/_dash-update-component", json=body)
    assert answer.status_code == 200
    assert answer.json["sideUpdate"]["message"]["data"]["text"] == words
    assert "out" not in answer.json.get("response", {})
    assert caplog.records[-1].exc_info[1] is error
