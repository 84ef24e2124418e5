"""How long the page of a sample takes, with and without the memory of numbers, alone and for fifty readers at once.

Run with ``python -m benchmarks.page_speed [--samples 50000x100 1000000x200] [--readers 50]`` from the checkout. Each
sample is PARTICLESxIMAGES, made up, in a store of its own that is thrown away. A page is what a browser asks for when
it opens one: every callback of the page that the server answers at loading, six at a time. The servers run under
gunicorn as docs/deploy.md says and have answered for a small sample before: what imports and compilation take is left
out. ``cold`` is the first reader of a sample, ``warm`` the median of those that follow, with memory emptied for the
cold ones; ``without`` is the same with ``ANTEMA_MEMORY_MB=0``, and ``ahead`` with what a job remembers of its result at
its end.
"""

import argparse
import contextlib
import hashlib
import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from antema.storage import Store
from tests.strategies.server import FLAGS, Server, free_port

_CONNECTIONS = 6  # of a browser to one host
_SMALL = (60, 3)


def make_sample(store: Store, n: int, n_images: int, seed: int) -> tuple[int, int]:
    """Return sample and analysis of about `n` particles in `n_images` images that differ a little."""
    import tifffile

    from antema.analysis import Analysis, analyse, result_key
    from antema.domain import Instance, Micrograph, PixelSize, Recipe
    from tests.strategies.stored import ThresholdSegmenter, discs

    rng, recipe, size = np.random.default_rng(seed), Recipe(), PixelSize(0.1, "file: a tag")
    pattern = analyse(Micrograph(discs(1), size, "x", "0" * 64, {}), recipe, segmenter=ThresholdSegmenter()).table
    sample = store.create_sample(f"{n} particles in {n_images} images", by="Ann")
    mask = np.ones((5, 5), bool)
    stored = []
    for place in range(n_images):
        pixels = rng.integers(0, 255, (64, 64), np.uint8)
        path = store.incoming_dir / f"image-{seed}-{place}.tif"
        tifffile.imwrite(path, pixels)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        micrograph = Micrograph(pixels, size, path.name, digest, {})
        stored.append(store.add_micrograph(sample.id, micrograph, path, filename=path.name, by="Ann"))
    job = store.start_job(sample.id, recipe, "Ann", images_total=n_images, images_skipped=0)
    for micrograph in stored:
        table = _table(pattern, n // n_images, rng)
        analysis = Analysis(
            micrograph.filename,
            micrograph.sha256,
            size,
            recipe,
            {"name": "default", "sha256": "5" * 64, "threshold": 0.5},
            table,
            [Instance(int(x), int(y), mask) for x, y in zip(table["bbox_x_px"], table["bbox_y_px"], strict=True)],
            np.zeros((64, 64), bool),
            {"total": 1.0},
            [],
            crystallinity_model={"name": "default", "sha256": "6" * 64},
        )
        store.save_result(
            job.analysis_id, micrograph.id, result_key(micrograph.sha256, 0.1, recipe, "5" * 64), analysis
        )
    for status in ("running", "done"):
        store.update_job(job.id, status=status)
    return sample.id, job.analysis_id


def _table(pattern: pd.DataFrame, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return a table of `n` objects with log-normal sizes, a twentieth of them dropped."""
    from antema.analysis import called
    from antema.domain import QUANTITIES

    table = pd.concat([pattern.head(1)] * n, ignore_index=True)
    size = rng.lognormal(np.log(8) + 0.05 * rng.normal(), 0.25, n)
    values = {quantity.column: rng.uniform(0.4, 1.0, n) for quantity in QUANTITIES}
    for column, factor in (("equivalent_diameter_nm", 1.0), ("feret_min_nm", 0.93), ("feret_max_nm", 1.1)):
        values[column] = factor * size * rng.normal(1, 0.02, n)
    values |= {"area_nm2": np.pi / 4 * size**2, "perimeter_nm": np.pi * size, "aspect_ratio": rng.uniform(1, 2, n)}
    values |= {"border_weight": rng.uniform(1, 1.2, n), "p_lattice_visible": rng.uniform(0, 1, n)}
    chances = rng.dirichlet([0.4, 0.4, 0.4], n)
    for place, name in enumerate(("amorphous", "monocrystalline", "polycrystalline")):
        values[f"p_{name}"] = chances[:, place]
    dropped = rng.random(n) < 0.05
    values |= {
        "confidence": chances.max(axis=1),
        "particle": np.arange(1, n + 1),
        "status": np.where(dropped, "dropped", "measured"),
        "drop_reason": np.where(dropped, "touches_border", ""),
        "crystallinity_reason": "",
        "bbox_x_px": rng.integers(0, 50, n),
        "bbox_y_px": rng.integers(0, 50, n),
        # as small beside the picture as so many particles are
        "bbox_w_px": 1,
        "bbox_h_px": 1,
    }
    full = table.assign(**values)
    named = called(full, 0.8)
    return named.assign(
        crystallinity=named["crystallinity"].where(~dropped, ""),
        crystallinity_reason=named["crystallinity_reason"].where(~dropped, ""),
    )


def requests_of_a_page(server: Server, sample: int, analysis: int, first_micrograph: int) -> list[tuple[str, bytes]]:
    """Return name and body of each request that a browser makes for the page of a sample."""
    known = {
        "sample-id.data": sample,
        "sample-analysis.value": analysis,
        "sample-changed.data": 0,
        "sample-jobs.data": [],
        "uploaded.data": None,
        "jobs-changed.data": 0,
        "micrographs-all.n_clicks": None,
        "micrographs-bare.n_clicks": None,
        "sample-quantity.value": "equivalent_diameter_nm",
        "sample-weighting.value": "number",
        "sample-border.value": False,
        "sample-exclusions.value": True,
        "sample-log.value": False,
        "sample-selection.data": None,
        "sample-by-class.value": False,
        "sample-certainty.value": 80,
        "sample-current.data": analysis,
        "sample-kept.data": 0,
        "sample-classes.hidden": False,
        "sample-made-current.data": 0,
        "sample-viewer-image.value": first_micrograph,
        "sample-overlay.value": True,
        "sample-grid.getRowsRequest": {"startRow": 0, "endRow": 100, "sortModel": [], "filterModel": {}},
    }
    found = []
    _, dependencies = server.get("/_dash-dependencies")
    for one in json.loads(dependencies):
        if one.get("clientside_function") or one.get("prevent_initial_call") or one.get("background"):
            continue
        if "sample-" not in one["output"] and "scale-words" not in one["output"]:
            continue
        body = {
            "output": one["output"],
            "outputs": _outputs(one["output"]),
            "inputs": [_asked_with(wanted, known, one["output"]) for wanted in one["inputs"]],
            "changedPropIds": [],
            "state": [_asked_with(wanted, known, one["output"]) for wanted in one["state"]],
            "parsedChangedPropsIds": [],
        }
        found.append((one["output"], json.dumps(body).encode()))
    return found


def _asked_with(wanted: dict[str, str], known: dict[str, object], output: str) -> object:
    """Return an input or state of a callback as the browser sends it."""
    name = f"{wanted['id']}.{wanted['property']}"
    if wanted["id"].startswith("{"):
        return []
    if name not in known:
        msg = f"{output}: expected inputs whose values at loading are known here, found {name}: add it to `known`"
        raise KeyError(msg)
    return {"id": wanted["id"], "property": wanted["property"], "value": known[name]}


def _outputs(output: str) -> object:
    """Return the outputs of a callback as the browser sends them."""
    if not output.startswith(".."):
        identity, _, name = output.rpartition(".")
        return {"id": identity, "property": name.partition("@")[0]}
    return [_outputs(one) for one in output[2:-2].split("...")]


def read_page(server: Server, requests: list[tuple[str, bytes]]) -> tuple[float, dict[str, float]]:
    """Return the seconds of a page, and those of each of its answers."""
    connections = [server.connection() for _ in range(_CONNECTIONS)]
    taken: dict[str, float] = {}
    waiting = list(reversed(requests))

    def work(connection: http.client.HTTPConnection) -> None:
        while waiting:
            name, body = waiting.pop()
            began = time.perf_counter()
            connection.request("POST", "/_dash-update-component", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
            if answer.status not in (200, 204):
                msg = f"{name}: expected an answer, found {answer.status}: {content[:300]!r}"
                raise RuntimeError(msg)
            taken[name] = time.perf_counter() - began

    began = time.perf_counter()
    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        for job in [pool.submit(work, connection) for connection in connections]:
            job.result()
    seconds = time.perf_counter() - began
    for connection in connections:
        connection.close()
    return seconds, taken


def main() -> None:
    """Print the seconds of a page, with and without the memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", nargs="+", default=["50000x100", "1000000x200"], metavar="PARTICLESxIMAGES")
    parser.add_argument("--readers", type=int, default=50, help="who read the first sample at once")
    parser.add_argument("--pages", type=int, default=2, help="pages that each of them opens")
    parser.add_argument("--warm", type=int, default=9, help="readers after the first")
    parser.add_argument("--only", choices=("without", "with", "ahead"), help="measure one of them")
    parser.add_argument("--detail", action="store_true", help="print the slowest answers of each page")
    parser.add_argument("--keep", type=Path, help="folder whose store is made once and used again")
    options = parser.parse_args()
    sizes = [tuple(map(int, one.split("x"))) for one in options.samples]
    with contextlib.ExitStack() as stack:
        data = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="antema-pages-")))
        made = _made(data, [_SMALL, *sizes])
        for name in ("without", "with", "ahead"):
            if options.only in (None, name):
                shutil.rmtree(data / "memory", ignore_errors=True)
                if name == "ahead":
                    _remember(data, [analysis for _, analysis, _ in made.values()])
                memory = {"ANTEMA_MEMORY_MB": "0"} if name == "without" else {}
                server = Server(
                    [sys.executable, "-m", "gunicorn", *FLAGS, "app:server"],
                    data,
                    free_port(),
                    data / "server.log",
                    **memory,
                )
                try:
                    server.wait_for_port()
                    server.wait_until_up()
                    _measure(server, name, made, options)
                finally:
                    server.stop()


def _remember(data: Path, analyses: list[int]) -> None:
    """Do what a job's process does at the job's end."""
    code = "import sys; from antema.web.ahead import remember_page; [remember_page(int(one)) for one in sys.argv[1:]]"
    began = time.perf_counter()
    command = [sys.executable, "-c", code, *map(str, analyses)]
    subprocess.run(command, env={**os.environ, "ANTEMA_DATA": str(data)}, check=True)
    print(f"ahead: {len(analyses)} pages remembered in {time.perf_counter() - began:.1f} s, imports among them")


def _made(data: Path, sizes: list[tuple[int, int]]) -> dict[str, list[int]]:
    from antema.storage import open_store

    known = data / "made.json"
    made = json.loads(known.read_text()) if known.exists() else {}
    with contextlib.closing(open_store(data)) as store:
        for seed, (n, n_images) in enumerate(sizes):
            name = f"{n}x{n_images}"
            if name not in made:
                sample, analysis = make_sample(store, n, n_images, seed + 10 * len(made))
                made[name] = [sample, analysis, store.micrographs(sample)[0].id]
                known.write_text(json.dumps(made))
    return {f"{n}x{n_images}": made[f"{n}x{n_images}"] for n, n_images in sizes}


def _measure(server: Server, name: str, made: dict[str, list[int]], options: argparse.Namespace) -> None:
    small, *others = made.items()
    for _ in range(8):  # both workers, all of their threads
        read_page(server, requests_of_a_page(server, *small[1]))
    for size, identity in others:
        requests = requests_of_a_page(server, *identity)
        cold, answers = read_page(server, requests)
        warm = [read_page(server, requests) for _ in range(options.warm)]
        middle = statistics.median(seconds for seconds, _ in warm)
        print(f"{name:8} memory  {size:>12}: cold {cold:6.2f} s, warm {middle:6.2f} s", flush=True)
        if options.detail:
            for output, seconds in sorted(answers.items(), key=lambda item: -item[1])[:12]:
                print(f"    {seconds:6.3f} s cold, {warm[-1][1][output]:6.3f} s warm  {output[:90]}")
    size, identity = others[0]
    requests = requests_of_a_page(server, *identity)
    if options.readers:
        with ThreadPoolExecutor(options.readers) as pool:
            jobs = [pool.submit(_reader, server, requests, options.pages) for _ in range(options.readers)]
            taken, errors = [], 0
            for job in jobs:
                try:
                    taken += job.result()
                except (OSError, RuntimeError, http.client.HTTPException) as error:
                    print(f"    {error}")
                    errors += 1
        print(
            f"{name:8} memory  {size:>12}: {options.readers} readers at once, a page p50 "
            f"{np.percentile(taken, 50) if taken else np.nan:.2f} s, p95 "
            f"{np.percentile(taken, 95) if taken else np.nan:.2f} s, {errors} with an error",
            flush=True,
        )


def _reader(server: Server, requests: list[tuple[str, bytes]], pages: int) -> list[float]:
    return [read_page(server, requests)[0] for _ in range(pages)]


if __name__ == "__main__":
    main()
