"""A job's process with a slow segmenter that writes down what it is asked: ``slow_job.py JOB DATA LOG DELAY_S``.

Tests kill it. With a delay below 0 it gets stuck in compiled code, where no signal handler of Python runs. The log gets
a line ``begin DIGEST`` and a line ``end DIGEST`` for each image that is segmented.
"""

import hashlib
import sys
import time
from pathlib import Path

import antema.nets
from antema import jobs
from tests.strategies.stored import ThresholdSegmenter


class SlowSegmenter(ThresholdSegmenter):
    def __init__(self, log: Path, delay_s: float) -> None:
        super().__init__()
        self.log = log
        self.pause_s = delay_s

    def probability(self, pixels):
        name = hashlib.sha256(pixels.tobytes()).hexdigest()
        self._write(f"begin {name} {time.monotonic()}")
        if self.pause_s < 0:
            hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)
        time.sleep(self.pause_s)
        result = super().probability(pixels)
        self._write(f"end {name} {time.monotonic()}")
        return result

    def _write(self, line: str) -> None:
        with self.log.open("a") as file:
            file.write(line + "\n")


if __name__ == "__main__":
    job, data, log, delay = sys.argv[1:]
    antema.nets.load = lambda _: SlowSegmenter(Path(log), float(delay))
    antema.nets.device_name = lambda: "slow"
    jobs.run(int(job), Path(data))
