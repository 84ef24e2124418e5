"""What people changed, as a colleague would tell it."""

from typing import Any

from dash import html

from antema.storage import Edit
from antema.web.format import pixel_size


def edit_words(edit: Edit) -> list[Any]:
    """Return who changed what, why and when."""
    words: list[Any] = [html.B(edit.who), f" {_deed(edit)}"]
    if edit.why:
        words.append(html.I(f" “{edit.why}”"))
    words.append(html.Span(f" · {edit.at:%Y-%m-%d %H:%M} UTC", className="quiet"))
    return words


def _deed(edit: Edit) -> str:
    before, after = edit.before, edit.after
    match edit.what:
        case "add micrograph":
            nm = after.get("file_pixel_size_nm")
            return f"added {after['filename']}, " + (
                "whose file tells no scale" if nm is None else f"{pixel_size(nm)} by its file"
            )
        case "set pixel size":
            return f"changed the scale from {_scale(before)} to {_scale(after)}"
        case "choose image":
            other = after.get("title") or f"image {(after.get('image') or 0) + 1}"
            return f"chose another image of the file, {other}, {_scale(after)}"
        case "move micrograph":
            return f"moved it from the sample {before['sample']} to {after['sample']}"
        case "leave micrograph out":
            return "left it out:"  # the reason follows
        case "take micrograph back":
            return "took it back"
        case "delete micrograph":
            return "put it into the bin"
        case "take micrograph out of bin":
            return "took it out of the bin"
        case "exclude particle":
            return f"excluded particle {after['particle']}"
        case "restore particle":
            return f"took particle {after['particle']} back"
        case _:
            return edit.what


def _scale(values: Any) -> str:  # noqa: ANN401 - one side of an edit
    nm, source = values.get("pixel_size_nm"), str(values.get("source") or "")
    return "none" if nm is None else f"{pixel_size(nm)}" + (f" ({source})" if source else "")
