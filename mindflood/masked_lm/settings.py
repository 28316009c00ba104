"""Which masked language model belongs to a task's text, and where it is kept.

Both halves of the project use this: no framework is imported here.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from mindflood.data.sources import load_examples
from mindflood.data.tasks import Split, Task
from mindflood.errors import UserError
from mindflood.files import cache_folder, read_json
from mindflood.fingerprint import file_fingerprint
from mindflood.models.pretrained import EMBEDDED, resolve_encoder

QUALITY = "masked_lm.json"
_VERSION = 1  # raise it when the way the model is made changes


@dataclass(frozen=True)
class MaskedLMSettings:
    """How a masked language model is trained.

    Attributes:
        encoder: ``embedded``, a folder or a hub id, of a BERT.
        texts: at most that many of the task's training texts.
        steps, batch_size, learning_rate: of AdamW, with linear warm-up over a tenth, then decay.
        piece_words: longer texts are cut into pieces of that many words.
        max_length: tokens of a piece, special ones included.
        share: of the tokens that are hidden (Devlin et al. 2019, §3.1).
        seed: of the head's initial weights, the order of the texts and what is hidden.
    """

    encoder: str = EMBEDDED
    texts: int = 20_000
    steps: int = 400
    batch_size: int = 32
    learning_rate: float = 5e-4
    piece_words: int = 40
    max_length: int = 64
    share: float = 0.15
    seed: int = 0


def training_pieces(
    task: Task, split: Split, data: str | None, settings: MaskedLMSettings
) -> list[str]:
    """The texts of a split, each text of a pair for itself, cut into pieces.

    Raises:
        UserError: see :func:`mindflood.data.sources.load_examples`.
    """
    examples = load_examples(task, split, data, limit=settings.texts, seed=settings.seed)
    pieces = []
    for text in dict.fromkeys(text for row in examples.texts for text in row):
        words = text.split()
        for start in range(0, len(words), settings.piece_words):
            pieces.append(" ".join(words[start : start + settings.piece_words]))
    return pieces


def cached_folder(task: Task, data: str | None, settings: MaskedLMSettings) -> Path:
    """Where the model of (encoder, training text, settings) is kept, whether it is there or not.

    Raises:
        UserError: the texts cannot be read, or there is no such encoder.
    """
    encoder = resolve_encoder(settings.encoder)
    files = [*sorted(encoder.glob("*.safetensors")), encoder / "config.json"]
    pieces = training_pieces(task, "train", data, settings)
    parts = [_VERSION, file_fingerprint(*files), pieces, asdict(settings)]
    key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
    return cache_folder() / "masked-lm" / f"{task.name}-{key}"


def described(folder: Path) -> str:
    """What a card says of the masked language model in ``folder``."""
    try:
        found = read_json(folder / QUALITY)
        return (
            f"a masked language model over the {found['encoder']} encoder, trained on "
            f"{found['texts']} {found['task']} texts for {found['steps']} steps (held out: "
            f"{100 * found['accuracy']:.1f} % of {found['tokens']} hidden tokens right, "
            f"{found['loss']:.2f} nats a token)"
        )
    except (UserError, KeyError, TypeError, ValueError):
        return f"the masked language model {folder.name}"
