"""Make what the demo is shipped with anew: ``python -m antema.web.make_demo``.

Micrographs and their truth are simulated from a seed, which takes some minutes; ``--results-only`` leaves them as they
are and analyses them again, which is what other networks, another default recipe or algorithm ask for.
"""

import argparse
import logging
from pathlib import Path

from antema import nets
from antema.analysis import analyse, load_classifier, result_key
from antema.simulation.demo import DEMO_SEED, write_demo
from antema.storage.result_files import write_result
from antema.web.demo import FILES, read_shipped, samples_of, version
from antema.web.models_view import default_recipe

_log = logging.getLogger(__name__)


def main() -> None:
    """Write the demo's files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=FILES, help="where to (default: into the package)")
    parser.add_argument("--seed", type=int, default=DEMO_SEED, help="of the simulation (default: %(default)s)")
    parser.add_argument("--results-only", action="store_true", help="analyse the micrographs that are there")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if not options.results_only:
        write_demo(options.out, options.seed, progress=lambda n, of: _log.info("%d of %d simulated", n, of))
    write_results(options.out)


def write_results(folder: Path) -> None:
    """Analyse the demo's micrographs in a folder with the default recipe, and write the results beside them."""
    recipe = default_recipe()
    segmenter, classifier = nets.load(recipe.model), load_classifier(recipe)
    for sample in samples_of(folder):
        for name in sample["images"]:
            micrograph = read_shipped(folder, name, sample["pixel_size_nm"])
            result = analyse(micrograph, recipe, segmenter=segmenter, classifier=classifier)
            key = result_key(
                micrograph.sha256,
                sample["pixel_size_nm"],
                recipe,
                segmenter.sha256,
                crystallinity_sha256=None if classifier is None else classifier.sha256,
            )
            write_result(folder, Path(name).stem, result, key=key, version=version(recipe))
            _log.info("%s: %d objects", name, len(result.table))


if __name__ == "__main__":
    main()
