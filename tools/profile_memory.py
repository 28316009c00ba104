"""Where a training step's memory goes, ours and PyTorch's.

python tools/profile_memory.py --shape 32x32 --encoder FOLDER

The sides of tools/bench_step.py, each alone in a process: its peak so far at every stage, and how
much of MindSpore's own pool was in use at the fullest: activations and gradients. What a process
holds beyond that is the weights and the optimizer's moments, and what kernels keep for themselves.
"""

from __future__ import annotations

import argparse
import json
import re
import resource

from bench_step import THREADS, Shape, hugging_face, native
from profile_step import alone
from records import Sheet, add_option, numbers, words

STEPS = 3
SIDES = ("ours", "torch")
POOL = "in MindSpore's pool"
_FULLEST = re.compile(r"dynamic memory pool .* actual peak used mem:(\d+)M")


def stages(side: str, shape: Shape, encoder: str) -> dict[str, float]:
    """The peak in GiB at every stage of a run of a few steps."""

    def peak() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20

    __import__("mindspore" if side == "ours" else "transformers")
    found = {"packages imported": peak()}
    step = native(shape, None, encoder) if side == "ours" else hugging_face(shape, encoder)
    found["network and optimizer built"] = peak()
    step()
    found["after the first step"] = peak()
    for _ in range(STEPS - 1):
        step()
    return found | {f"after {STEPS} steps": peak()}


def measured(side: str, options: argparse.Namespace) -> dict[str, float]:
    """The stages of a side in a process of its own, and of ours the pool's fullest."""
    asked = {"MS_DEV_RUNTIME_CONF": "memory_statistics:true"}
    found, said = alone(__file__, side, options, **asked)
    fullest = _FULLEST.search(said)
    return found | ({POOL: int(fullest[1]) / 1024} if fullest else {})


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--shape", type=Shape.read, default=Shape(32, 32), metavar="BxL")
    parser.add_argument("--encoder", default="", metavar="FOLDER", help="its network")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    add_option(parser)
    options = parser.parse_args()
    if options.side:
        print(json.dumps(stages(options.side, options.shape, options.encoder)), flush=True)
        return
    columns = [words("stage"), *(numbers(f"{side} (GiB)", 2) for side in SIDES)]
    sheet = Sheet("memory", columns, packages=["mindspore", "torch"], threads=THREADS)
    ours, torch = (measured(side, options) for side in SIDES)
    for stage, size in ours.items():
        sheet.add(stage, size, torch.get(stage))
    sheet.keep(options.record)


if __name__ == "__main__":
    main()
