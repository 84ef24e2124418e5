"""`/samples`: every sample of the group, and where a new one is made."""

from typing import Any

import dash
import dash_ag_grid as dag
import dash_bootstrap_components as dbc
from dash import Input, Output, State, callback, html, no_update

from antema.domain import AntemaError
from antema.web.analyse_samples import analyse_button, analyse_modal
from antema.web.sample_form import FIELDS, sample_form, values_of
from antema.web.state import store
from antema.web.user import current_user

dash.register_page(__name__, path="/samples", title="Samples · ANTEMA")

_COLUMNS = [
    {"field": "name", "headerName": "Sample", "cellRenderer": "SampleLink", "flex": 2, "minWidth": 180},
    {"field": "material", "headerName": "Material", "flex": 1},
    {"field": "batch", "headerName": "Batch", "flex": 1},
    {"field": "synthesis_date", "headerName": "Synthesised", "flex": 1},
    {"field": "operator", "headerName": "Operator", "flex": 1},
    {"field": "micrographs", "headerName": "Micrographs", "type": "numericColumn", "flex": 1},
    {"field": "particles", "headerName": "Particles", "type": "numericColumn", "flex": 1},
    {
        "field": "median",
        "headerName": "Median diameter (nm)",
        "type": "numericColumn",
        "flex": 1,
        "minWidth": 170,
        "valueFormatter": {"function": "params.value == null ? '' : d3.format('.3r')(params.value)"},
    },
    {"field": "state", "headerName": "State", "flex": 1, "minWidth": 150},
]


def layout(new: str = "", **_: str) -> html.Div:
    """Return the list of samples."""
    return html.Div(
        [
            html.Div(
                [
                    html.H1("Samples"),
                    html.Div(
                        [
                            dbc.Switch(id="samples-archived", label="Show archived", value=False),
                            analyse_button(),
                            html.Button("New sample", id="sample-new", className="btn btn-primary"),
                        ],
                        className="actions",
                    ),
                ],
                className="page-head",
            ),
            dbc.Input(
                id="samples-search",
                type="search",
                placeholder="Find by name, material, batch, operator …",
                className="search",
            ),
            dag.AgGrid(
                id="samples-grid",
                columnDefs=_COLUMNS,
                rowData=[],
                getRowId="params.data.id + ''",
                columnSize="responsiveSizeToFit",
                dashGridOptions={
                    "theme": {"function": "themeQuartz"},
                    "domLayout": "autoHeight",
                    "pagination": True,
                    "paginationPageSize": 50,
                    # "select all" means those that the search leaves
                    "rowSelection": {"mode": "multiRow", "selectAll": "filtered"},
                    "localeText": {"noRowsToShow": "No sample yet. Make one, or load the demo from the start page."},
                },
                className="grid",
            ),
            sample_form("sample-create", "New sample", "Create", is_open=bool(new)),
            analyse_modal(),
        ]
    )


@callback(
    Output("samples-grid", "rowData"),
    Input("samples-archived", "value"),
    Input("jobs-changed", "data"),
)
def _rows(archived: bool, *_: object) -> list[dict[str, Any]]:
    from antema.web.overview import sample_rows

    return sample_rows(archived=archived)


@callback(Output("samples-grid", "dashGridOptions"), Input("samples-search", "value"), prevent_initial_call=True)
def _search(text: str | None) -> Any:  # noqa: ANN401 - Dash's Patch
    patch = dash.Patch()
    patch["quickFilterText"] = text or ""
    return patch


@callback(
    Output("sample-create-modal", "is_open"),
    Output("sample-create-error", "children", allow_duplicate=True),
    Input("sample-new", "n_clicks"),
    Input("sample-create-cancel", "n_clicks"),
    prevent_initial_call=True,
)
def _open(*_: int | None) -> tuple[bool, str]:
    return dash.ctx.triggered_id == "sample-new", ""


@callback(
    Output("url", "href", allow_duplicate=True),
    Output("sample-create-error", "children"),
    Input("sample-create-save", "n_clicks"),
    *[State(f"sample-create-{name}", "value") for name in FIELDS],
    prevent_initial_call=True,
)
def _create(clicks: int | None, *values: str | None) -> tuple[Any, Any]:
    if not clicks:
        return no_update, no_update
    try:
        sample = store().create_sample(**values_of(values), by=current_user())
    except AntemaError as error:
        return no_update, str(error)
    return f"/samples/{sample.id}", ""
