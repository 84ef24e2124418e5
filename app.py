"""The dashboard's entry point: `python app.py`, or `gunicorn -c python:antema.web.gunicorn_conf app:server`.

It builds the server and does nothing else, because a spawned job may import it again.
"""

if __name__ == "__main__":
    from antema.web.serve import serve

    serve()
else:
    from antema.web import create_app

    app = create_app()
    server = app.server
