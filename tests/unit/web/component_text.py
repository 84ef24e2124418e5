"""What a Dash component shows, as text."""


def text_of(component: object) -> str:
    """Return everything that a component shows, in order, with | between its parts."""
    if component is None:
        return ""
    if isinstance(component, list | tuple):
        return "|".join(filter(None, map(text_of, component)))
    if isinstance(component, str | int | float):
        return str(component)
    return text_of(getattr(component, "children", None))
