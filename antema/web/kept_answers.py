"""Answers of callbacks that only read, given again as they are while nobody has written anything into the database.

Many readers of one sample ask the same. What they are answered depends on what they ask and on the database alone,
whose version tells at once whether anything in it has changed.
"""

import hashlib
import http
import json
from collections import OrderedDict
from threading import Lock
from typing import cast

import dash
import flask

from antema.web.state import memory, store

READING = frozenset(
    {
        "sample-address",
        "sample-border",
        "sample-cards",
        "sample-downloads",
        "sample-exclusions-words",
        "sample-grid",
        "sample-headline",
        "sample-histogram",
        "sample-jobs",
        "sample-make-current",
        "sample-name",
        "sample-offer",
        "sample-plot-shares",
        "sample-plot-sizes",
        "sample-selection-words",
        "sample-statistics",
        "sample-trust-words",
        "sample-unclassified-words",
        "sample-viewer-drawn",
        "sample-viewer-offer",
        "scale-words",
    }
)
"""First outputs of the callbacks that may be answered so: they write nothing, know no user and look at no clock."""

_PATH = "_dash-update-component"
_SAID_BESIDE = b'"sideUpdate"'
_MOST_ASKED = 16 * 2**10  # bytes of a question and of an answer that are worth the room
_MOST_ANSWERED = 512 * 2**10
_MOST_KEPT = 64 * 2**20


class KeptAnswers:
    """Answers by the digest of what was asked, each with the version of the database that it was read from."""

    def __init__(self, most_bytes: int = _MOST_KEPT) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._answers: OrderedDict[str, tuple[object, bytes]] = OrderedDict()
        self._lock = Lock()

    def get(self, asked: str, version: object) -> bytes | None:
        """Return the answer; None where there is none or the database has changed since."""
        with self._lock:
            found = self._answers.get(asked)
            if found is None or found[0] != version:
                return None
            self._answers.move_to_end(asked)
            return found[1]

    def put(self, asked: str, version: object, answer: bytes) -> None:
        """Keep an answer; those not asked for longest make room."""
        with self._lock:
            known = self._answers.pop(asked, None)
            self._bytes += len(answer) - (0 if known is None else len(known[1]))
            self._answers[asked] = version, answer
            while self._bytes > self._most_bytes:
                self._bytes -= len(self._answers.popitem(last=False)[1][1])


def keep_answers(app: dash.Dash) -> None:
    """Let an app give kept answers; after whatever refuses a request, so that nothing gets past it."""
    kept, server = KeptAnswers(), cast("flask.Flask", app.server)

    @server.before_request
    def _known() -> flask.Response | None:
        request = flask.request
        is_asked = request.method == "POST" and request.path.endswith(f"/{_PATH}")
        if not is_asked or not memory().remembers or (request.content_length or _MOST_ASKED) >= _MOST_ASKED:
            return None
        body = request.get_data()
        if _first_output(body) not in READING:
            return None
        # read before the answer is made: what is written meanwhile makes it out of date at once
        asked, version = hashlib.sha256(body).hexdigest(), store().version()
        answer = kept.get(asked, version)
        if answer is None:
            flask.g.kept_as = asked, version
            return None
        return flask.Response(answer, mimetype="application/json")

    @server.after_request
    def _keep(response: flask.Response) -> flask.Response:
        kept_as = flask.g.pop("kept_as", None)
        is_whole = response.status_code == http.HTTPStatus.OK and not response.direct_passthrough
        if kept_as is not None and is_whole and (response.content_length or _MOST_ANSWERED) < _MOST_ANSWERED:
            answer = response.get_data()
            # what failed says so beside the answer, and is to be tried again
            if _SAID_BESIDE not in answer:
                asked, version = kept_as
                kept.put(asked, version, answer)
        return response


def _first_output(body: bytes) -> str:
    """Return the id of the first output of a callback that is asked for; empty where nothing can be understood."""
    try:
        output = json.loads(body)["output"]
        return str(output).removeprefix("..").partition("...")[0].rpartition(".")[0]
    except (ValueError, TypeError, KeyError):
        return ""
