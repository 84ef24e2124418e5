"""What is shown of a micrograph stays where the user put it: zoom and place outlast every new drawing."""

from dash import Input, Output, clientside_callback, dcc

# Plotly keeps a view by `uirevision` for some gestures only, and not for the wheel where one axis is held to the other.
# The view is taken over here, in the browser, which alone knows it; a particle to be brought into view lies in the
# layout's meta as [x0, x1, y0, y1]. A double click goes back to the whole picture: by itself Plotly would go back to
# the view that was taken over.
_KEEP = """(figure) => {
    if (!figure) return window.dash_clientside.no_update;
    const graph = document.querySelector("#%s .js-plotly-plot");
    const shown = graph && graph.layout;
    const revision = figure.layout.uirevision;
    if (!revision || !shown || !shown.xaxis || !shown.xaxis.range || shown.uirevision !== revision) return figure;
    const whole = {"xaxis.range": [...figure.layout.xaxis.range], "yaxis.range": [...figure.layout.yaxis.range]};
    if (!graph.antemaWhole) {
        graph.on("plotly_doubleclick", () => {
            setTimeout(() => window.Plotly.relayout(graph, structuredClone(graph.antemaWhole)), 0);
        });
    }
    graph.antemaWhole = whole;
    const box = figure.layout.meta && figure.layout.meta.bring;
    const holding = (range, low, high) => {
        if (Math.min(...range) <= low && high <= Math.max(...range)) return range;
        const shift = (low + high - range[0] - range[1]) / 2;
        return range.map((end) => end + shift);
    };
    for (const [name, first] of [["xaxis", 0], ["yaxis", 2]]) {
        const range = [...shown[name].range];
        figure.layout[name].range = box ? holding(range, box[first], box[first + 1]) : range;
        figure.layout[name].autorange = false;
    }
    return figure;
}"""


def drawn(graph: str) -> str:
    """Return the id of the store that takes the new drawing of a viewer."""
    return f"{graph}-drawn"


def drawn_store(graph: str) -> dcc.Store:
    """Return the store that takes the new drawing of a viewer."""
    return dcc.Store(id=drawn(graph))


def keep_view(graph: str) -> None:
    """Let a viewer show what its store takes, in the view that it has."""
    clientside_callback(_KEEP % graph, Output(graph, "figure"), Input(drawn(graph), "data"))
