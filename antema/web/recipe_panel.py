"""The side panel where a recipe is set."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from antema.domain import RECIPE_FIELDS, AntemaError, Recipe, RecipeField

_GROUPS = (
    ("Segmentation", ("model", "threshold", "polarity", "outline")),
    (
        "Cleaning",
        ("min_diameter_nm", "min_area_px", "hole_diameter_nm", "drop_border", "leave_out_annotations", "max_holes"),
    ),
    (
        "Separation",
        (
            "separation",
            "convexity_threshold",
            "convexity_lower_bound",
            "marker_diameter_nm",
            "marker_area_px",
            "watershed_depth_px",
            "least_seen",
        ),
    ),
    ("Measuring", ("convention",)),
    ("Crystallinity", ("crystallinity", "crystallinity_model")),
)
_WORDS = {
    "uecs": "UECS",
    "arcs": "Arcs",
    "watershed": "Watershed",
    "network": "Network",
    "none": "None",
    "visible": "Visible",
    "atoms": "Atoms",
    "contour": "Contour",
    "antema": "ANTEMA",
    "auto": "Auto",
    "dark": "Dark",
    "bright": "Bright",
}


Models = Mapping[str, Sequence[tuple[str, str]]]


def recipe_panel(models: Models) -> dbc.Offcanvas:
    """Return the panel; `models` are (name, title) of the models at hand, by the field that chooses among them."""
    fields = {field.name: field for field in RECIPE_FIELDS}
    body: list[Any] = [
        html.P("ANTEMA's defaults unless you change them. The recipe is kept with each result.", className="quiet")
    ]
    for title, names in _GROUPS:
        body.append(html.H6(title, className="panel-heading"))
        body += [_control(fields[name], models) for name in names]
    if not models["crystallinity_model"]:
        body.append(html.P("No crystallinity model is installed: particles stay unclassified.", className="quiet"))
    body.append(
        html.Button("Back to the defaults", id="recipe-reset", className="btn btn-outline-secondary btn-sm mt-3")
    )
    return dbc.Offcanvas(body, id="recipe-panel", title="Recipe", placement="end", is_open=False, className="recipe")


def control_value(field: RecipeField, value: object) -> object:
    """Return what a field's control shows for a recipe's value."""
    return [field.name] if value is True else [] if value is False else value


def controls_of(recipe: Recipe) -> dict[str, Any]:
    """Return what every field's control shows for a recipe."""
    return {field.name: control_value(field, getattr(recipe, field.name)) for field in RECIPE_FIELDS}


def recipe_from_controls(ids: Sequence[dict[str, str]], values: Sequence[Any]) -> Recipe:
    """Return the recipe that the controls show.

    Raises
    ------
    AntemaError
        For an empty or out-of-range number, naming the field.
    """
    default = Recipe()
    chosen: dict[str, Any] = {}
    for control, value in zip(ids, values, strict=True):
        name = str(control.get("field"))
        if not hasattr(default, name):
            msg = f"Recipe: expected a parameter that there is, found {name[:80]!r}"
            raise AntemaError(msg)
        if isinstance(getattr(default, name), bool):
            chosen[name] = bool(value)
        elif value is None and name != "threshold":
            field = next(field for field in RECIPE_FIELDS if field.name == name)
            if field.minimum is None:
                msg = f"{field.label}: expected a choice, found none"
                raise AntemaError(msg)
            msg = f"{field.label}: expected a number from {field.minimum:g} to {field.maximum:g}, found none"
            raise AntemaError(msg)
        else:
            chosen[name] = value
    return Recipe.from_dict(chosen)


def _control(field: RecipeField, models: Models) -> html.Div:
    identity = {"type": "recipe", "field": field.name}
    value: Any = control_value(field, getattr(Recipe(), field.name))
    if field.name in models:
        # the network itself, not "default", so that a result says which one made it
        at_hand = models[field.name] or [(str(value), "none installed")]
        options = [{"label": title, "value": name} for name, title in at_hand]
        control = dcc.Dropdown(
            options, at_hand[0][0], id=identity, clearable=False, searchable=False, disabled=not models[field.name]
        )
    elif field.choices:
        control = dcc.RadioItems(
            [{"label": _WORDS.get(choice, choice), "value": choice} for choice in field.choices],
            value,
            id=identity,
            className="choices",
            inline=True,
        )
    elif isinstance(getattr(Recipe(), field.name), bool):
        return html.Div(
            dbc.Checklist([{"label": field.label, "value": field.name}], value, id=identity, switch=True),
            className="field",
            title=field.help,
        )
    else:
        number = dbc.Input(
            id=identity,
            type="number",
            value=value,
            # no min and max: the browser would send nothing for a value outside, and the recipe's own check would
            # have no number to name
            step="any",
            placeholder="the model's own" if field.name == "threshold" else "",
            size="sm",
        )
        control = dbc.InputGroup([number, dbc.InputGroupText(field.unit)] if field.unit else [number], size="sm")
    label = html.Div(field.label, className="field-label")
    return html.Div([label, control], className="field", title=field.help, role="group", **{"aria-label": field.label})
