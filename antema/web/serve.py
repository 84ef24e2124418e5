"""Start the development server of the dashboard."""

import dash

from antema.web.state import settings


def serve(app: dash.Dash, *, host: str | None = None, port: int | None = None) -> None:
    """Serve until interrupted."""
    where = host or settings().host, port or settings().port
    print(
        f"ANTEMA is at http://{where[0]}:{where[1]} (data in {settings().data.resolve()}); Ctrl-C stops it.", flush=True
    )
    app.run(host=where[0], port=where[1], debug=False)
