"""What batches of alike lengths change: their padding, and how far their losses spread.

    python tools/bench_batches.py mrpc --data MRPC_FOLDER --max-length 96 --buckets 64 96

The losses are those of a softmax regression on bags of tokens, which NumPy trains in seconds: both
ways of batching are measured at the same weights, so that nothing differs but the batches.
"""

from __future__ import annotations

import argparse

import numpy as np
from records import Sheet, add_option, numbers, words
from scipy.sparse import csr_matrix

from mindflood.data.batching import Batches, Encoded, encode, load_tokenizer
from mindflood.data.sources import Examples, load_examples
from mindflood.data.tasks import get_task
from mindflood.files import expanded
from mindflood.models.pretrained import resolve_encoder
from mindflood.report.numbers.names import TASKS

_DRAWS = 5  # epochs of batches that are measured


def main() -> None:
    """A row a way of batching."""
    args = _arguments()
    task = get_task(args.task)
    rows = load_examples(task, "train", args.data, limit=args.rows, seed=0)
    tokens = encode(rows, load_tokenizer(resolve_encoder("embedded")), args.max_length)

    def batches(grouped: bool, seed: int) -> Batches:
        return Batches(
            tokens, rows.labels, args.batch_size, task.num_labels,
            buckets=args.buckets, seed=seed, group_by_length=grouped,
        )  # fmt: skip

    losses = _losses(batches(False, 0), tokens, rows, args.epochs)
    level = 0.75 * losses.mean()
    sheet = Sheet("batches", _COLUMNS, packages=["numpy", "scipy"])
    for grouped, name in ((False, "uniform"), (True, "grouped")):
        made = [batch for seed in range(1, _DRAWS + 1) for batch in batches(grouped, seed).epoch(0)]
        places = sum(batch.attention_mask.size for batch in made)
        padding = 1 - sum(int(batch.attention_mask.sum()) for batch in made) / places
        full = (batch.indices for batch in made if batch.indices.min() >= 0)
        of_batches = np.array([losses[indices].mean() for indices in full])
        below = float((of_batches < level).mean())
        sheet.add(
            TASKS[task.name], name, places / _DRAWS, 100 * padding,
            float(of_batches.std()), level, 100 * below,
        )  # fmt: skip
    sheet.keep(args.record)


_COLUMNS = (
    words("Dataset"),
    words("batches"),
    numbers("places an epoch", 0),
    numbers("padding%", 1),
    numbers("spread of batch losses", 4),
    numbers("b", 3),
    numbers("batches below b%", 1),
)


def _losses(batches: Batches, tokens: Encoded, rows: Examples, epochs: int) -> np.ndarray:
    """Cross-entropy of every row, float64 [n], after Adam's epochs (1e-2)."""
    owner = np.repeat(np.arange(len(tokens)), tokens.lengths)
    X = csr_matrix((tokens.lengths[owner] ** -0.5, (owner, tokens.input_ids)))
    Y = np.eye(batches.num_labels)[rows.labels]
    W, m, v = (np.zeros((X.shape[1], Y.shape[1])) for _ in range(3))
    for step in range(epochs * batches.steps_per_epoch):
        batch = batches.batch(*divmod(step, batches.steps_per_epoch))
        chosen = batch.indices[batch.indices >= 0]
        gradient = X[chosen].T @ (_softmax(X[chosen] @ W) - Y[chosen]) / len(chosen)
        m += 0.1 * (gradient - m)
        v += 0.001 * (gradient**2 - v)
        rate = 1e-2 * np.sqrt(1 - 0.999 ** (step + 1)) / (1 - 0.9 ** (step + 1))
        W -= rate * m / (np.sqrt(v) + 1e-8)
    return -np.log(_softmax(X @ W)[Y > 0])


def _softmax(z: np.ndarray) -> np.ndarray:
    exponents = np.exp(z - z.max(axis=1, keepdims=True))
    return exponents / exponents.sum(axis=1, keepdims=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("task", metavar="TASK")
    parser.add_argument("--data", type=expanded, help="folder or file with the examples")
    parser.add_argument("--rows", type=int, default=2000, help="of the training rows (2,000)")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--max-length", type=int, default=128)
    parser.add_argument("--buckets", type=int, nargs="+", default=[32, 64, 96, 128], metavar="L")
    parser.add_argument("--epochs", type=int, default=6, help="of the regression (6)")
    add_option(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
