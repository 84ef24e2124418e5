"""The dashboard: one Dash app over the store, the jobs and the reports."""

from antema.web.app import create_app

__all__ = ["create_app"]
