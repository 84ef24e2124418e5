"""What stands on every page: navigation, who is working, progress of the jobs, messages.

Progress lives here and is read from the job table, so that it survives navigation and a closed tab.
"""

import logging
import uuid
from typing import Any

import dash
import dash_bootstrap_components as dbc
from dash import Input, Output, State, dcc, html, no_update

from antema import jobs
from antema.domain import AntemaError
from antema.web.background import run_demo, run_jobs
from antema.web.jobs_view import is_own, job_badge, places, to_show
from antema.web.state import settings, store
from antema.web.user import COOKIE, current_user

_log = logging.getLogger(__name__)

_LINKS = (
    ("Samples", "/samples"),
    ("Compare", "/compare"),
    ("Jobs", "/jobs"),
    ("Models", "/models"),
    ("Bin", "/bin"),
    ("Help", "/help"),
)
_SHELL_JOBS = 3
_LATEST_JOBS = 50
_GONE = (
    "The server does not answer: the numbers below are not updated, and may not be those of what is chosen. This page "
    "asks again by itself."
)
_POLL_MS = 1500


def layout() -> html.Div:
    """Return the shell with the place where pages go."""
    return html.Div(
        [
            dcc.Location(id="url", refresh="callback-nav"),
            dcc.Store(id="theme", storage_type="local", data="light"),
            dcc.Store(id="job-request"),
            dcc.Store(id="job-finished"),
            dcc.Store(id="jobs-changed"),
            dcc.Store(id="demo-request"),
            dcc.Store(id="demo-finished"),
            dcc.Store(id="message"),
            dcc.Store(id="uploaded"),
            dcc.Interval(id="poll", interval=_POLL_MS),
            _navigation(),
            # shown by assets/connection.js
            html.Div(_GONE, className="gone-bar", role="alert"),
            html.Div(id="shell-jobs", className="shell-jobs", role="status"),
            html.Div(id="demo-progress", className="shell-jobs", role="status"),
            html.Div(dbc.Toast(id="toast", is_open=False, dismissable=True, duration=8000), className="toast-place"),
            html.Main(dash.page_container, className="container-fluid page"),
        ]
    )


def _navigation() -> html.Header:
    links = [dcc.Link(label, href=href, className="nav-link", id=f"nav-{label.lower()}") for label, href in _LINKS]
    who = (
        html.Span(id="user-name", className="user-name")
        if settings().forwarded_user_header
        else dbc.Input(
            id="user-name", placeholder="Your name", debounce=True, size="sm", className="user-input", maxlength=80
        )
    )
    return html.Header(
        [
            dcc.Link([html.I(className="bi bi-record-circle"), " ANTEMA"], href="/", className="brand"),
            html.Nav(links, className="links"),
            html.Div(
                [
                    html.I(className="bi bi-person", title="Who is working: kept with what you change"),
                    who,
                    html.Button(
                        html.I(className="bi bi-circle-half"),
                        id="theme-toggle",
                        className="btn btn-sm btn-link",
                        title="Light or dark",
                    ),
                ],
                className="tools",
            ),
        ],
        className="shell-bar",
    )


def message(text: str, kind: str = "danger") -> dict[str, str]:
    """Return a value for the shell's message store."""
    return {"text": text, "kind": kind, "id": uuid.uuid4().hex}


def report_error(error: Exception) -> None:
    """Log what a callback raised and show the user a sentence on it: no callback fails without a word."""
    _log.error("a callback failed", exc_info=error)
    text = str(error) if isinstance(error, AntemaError) else "Unexpected error: see the server's log."
    dash.set_props("message", {"data": message(text)})


def register_shell(app: dash.Dash) -> None:
    """Register the shell's callbacks."""
    app.callback(
        Output("job-finished", "data"),
        Input("job-request", "data"),
        background=True,
        interval=1000,
        prevent_initial_call=True,
    )(run_jobs)
    app.callback(
        Output("demo-finished", "data"),
        Input("demo-request", "data"),
        background=True,
        interval=500,
        progress=Output("demo-progress", "children"),
        prevent_initial_call=True,
    )(run_demo)

    # Its news are set from aside and are no outputs: while an output is awaited, Dash holds back all that hangs on it,
    # and drops an answer once the same is asked again. On a machine that answers more slowly than this asks, a page
    # would then wait for ever.
    @app.callback(Input("poll", "n_intervals"), State("jobs-changed", "data"))
    def show_jobs(_: int | None, seen: dict[str, Any] | None) -> None:
        recent = to_show(store(), _LATEST_JOBS)
        if any(job.is_active for job in recent):
            jobs.recover(store())
            recent = to_show(store(), _LATEST_JOBS)
        reader = current_user()
        line = places(store().line()) if any(job.is_active for job in recent) else {}
        state = {
            "reader": reader,
            "jobs": [[job.id, job.status, job.images_done, job.images_failed, line.get(job.id)] for job in recent],
        }
        if state == seen and not any(job.current_share for job in recent):
            return
        # the reader's own first, then those at work before those that wait
        active = [job for job in recent if job.is_active]
        active.sort(key=lambda job: (not is_own(job, reader), line.get(job.id, 0)))
        rows = [job_badge(job, line, is_own=is_own(job, reader)) for job in active[:_SHELL_JOBS]]
        if len(active) > _SHELL_JOBS:
            rows.append(dcc.Link(f"and {len(active) - _SHELL_JOBS} more", href="/jobs"))
        dash.set_props("shell-jobs", {"children": rows})
        if state != seen:
            dash.set_props("jobs-changed", {"data": state})

    @app.callback(
        Output("message", "data", allow_duplicate=True),
        Input({"type": "cancel-job", "job": dash.ALL}, "n_clicks"),
        prevent_initial_call=True,
    )
    def cancel_job(clicks: list[int | None]) -> Any:  # noqa: ANN401 - Dash's no_update
        if not any(clicks) or not isinstance(dash.ctx.triggered_id, dict):
            return no_update
        try:
            job = jobs.cancel(store(), dash.ctx.triggered_id["job"], by=current_user())
        except AntemaError as error:
            return message(str(error))
        waited = job.status == "cancelled"
        words = "Cancelled before it began." if waited else "The job stops after the image it is working on."
        return message(words, "info")

    @app.callback(
        Output("toast", "children"),
        Output("toast", "header"),
        Output("toast", "icon"),
        Output("toast", "is_open"),
        Input("message", "data"),
        prevent_initial_call=True,
    )
    def show_message(content: dict[str, str] | None) -> tuple[Any, ...]:
        if not content:
            return no_update, no_update, no_update, False
        header = {"danger": "That did not work", "info": "Note", "success": "Done"}[content["kind"]]
        return content["text"], header, content["kind"], True

    if settings().forwarded_user_header:

        @app.callback(Output("user-name", "children"), Input("url", "pathname"))
        def show_user(_: str) -> str:
            return current_user()

    else:
        app.clientside_callback(
            f"""(name) => {{
                const kept = document.cookie.split("; ").find((c) => c.startsWith("{COOKIE}="));
                if (name === undefined || name === null)
                    return kept ? decodeURIComponent(kept.slice({len(COOKIE) + 1})) : window.dash_clientside.no_update;
                document.cookie = "{COOKIE}=" + encodeURIComponent(name) + "; path=/; max-age=31536000; SameSite=Lax";
                return window.dash_clientside.no_update;
            }}""",
            Output("user-name", "value"),
            Input("user-name", "value"),
        )
    app.clientside_callback(
        """(clicks, theme) => {
            const now = clicks && window.dash_clientside.callback_context.triggered_id === "theme-toggle"
                ? (theme === "dark" ? "light" : "dark") : theme || "light";
            document.documentElement.setAttribute("data-bs-theme", now);
            document.body.dataset.agThemeMode = now;
            return now === theme ? window.dash_clientside.no_update : now;
        }""",
        Output("theme", "data"),
        Input("theme-toggle", "n_clicks"),
        Input("theme", "data"),
    )
    app.clientside_callback(
        """(path) => {
            document.querySelectorAll(".links .nav-link").forEach((a) =>
                a.classList.toggle("active", path.startsWith(new URL(a.href).pathname)));
            return window.dash_clientside.no_update;
        }""",
        Output("url", "hash"),
        Input("url", "pathname"),
    )
