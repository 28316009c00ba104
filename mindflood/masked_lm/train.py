"""From a task's text to the folder of its masked language model.

It is trained on the task's own text, and measured on text held out.
"""

import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from mindspore import Tensor, nn

from mindflood.data.batching import Batch, Batches, Encoded, FastTokenizer, encode, load_tokenizer
from mindflood.data.sources import Examples
from mindflood.data.tasks import Task
from mindflood.errors import UserError
from mindflood.masked_lm import export
from mindflood.masked_lm.masking import Hidden, Masking
from mindflood.masked_lm.model import BertForMaskedLM, MaskedCrossEntropy, load
from mindflood.masked_lm.settings import MaskedLMSettings, training_pieces
from mindflood.models.loss import measured_cross_entropy
from mindflood.models.tokenizer_files import check_vocabulary
from mindflood.progress import Display
from mindflood.streams import MASKED_HELD_OUT, MASKED_IN_TRAINING
from mindflood.training import context
from mindflood.training.optimizer import AdamW, parameter_groups
from mindflood.training.schedule import LinearWarmupDecay

_BUCKETS = (16, 32, 64, 128)
_HELD_OUT = 1000  # pieces
_WEIGHT_DECAY = 0.01


@dataclass(frozen=True)
class Quality:
    """How well hidden tokens of held-out text are found.

    Attributes:
        accuracy: fraction in [0, 1] of ``tokens``.
        loss: mean cross-entropy, nats a token.
    """

    accuracy: float
    loss: float
    tokens: int


class MaskedLMTrainer:
    """The model, its step and its texts.

    Raises:
        UserError: a split cannot be read, or the tokenizer has no mask or more tokens than the
            model has embeddings.
    """

    def __init__(
        self,
        model: BertForMaskedLM,
        tokenizer_folder: str,
        task: Task,
        data: str | None,
        settings: MaskedLMSettings,
    ) -> None:
        self.model, self.settings, self.title = model, settings, f"masked-lm on {task.name}"
        tokenizer, rows = load_tokenizer(tokenizer_folder), model.encoder.config.vocab_size
        check_vocabulary(tokenizer_folder, tokenizer.size, rows)
        self.masking = _masking(tokenizer, settings, rows)
        pieces = training_pieces(task, "train", data, settings)
        self.texts = len(pieces)
        self.train = self._batches(tokenizer, pieces, shuffle=True)
        assert isinstance(self.train.encoded, Encoded)
        tokens = self.train.encoded.input_ids
        model.expect(tokens[~np.isin(tokens, self.masking.special_ids)])
        held_out = training_pieces(task, "dev", data, settings)[:_HELD_OUT]
        self.held_out = self._batches(tokenizer, held_out, shuffle=False)

    def run(self) -> float:
        """All steps; returns the seconds they took."""
        settings = self.settings
        schedule = LinearWarmupDecay(
            settings.learning_rate, max(1, settings.steps // 10), settings.steps
        )
        optimizer = AdamW(parameter_groups(self.model, _WEIGHT_DECAY), schedule)
        step = nn.TrainOneStepCell(MaskedCrossEntropy(self.model), optimizer).set_train()
        started = time.perf_counter()
        with Display(self.title, settings.steps, 0, seconds_between_lines=20) as progress:
            for number in range(settings.steps):
                batch = self.train.batch(*divmod(number, self.train.steps_per_epoch))
                hidden = self.masking(batch.input_ids, (settings.seed, MASKED_IN_TRAINING, number))
                J = float(step(*_inputs(batch, hidden)).asnumpy())
                if not np.isfinite(J):
                    raise UserError(
                        f"{self.title}: step {number + 1}: the loss is no longer finite"
                    )
                progress.advance(f"loss {J:.2f}")
        return time.perf_counter() - started

    def quality(self) -> Quality:
        """Measured on the held-out text, the same tokens hidden at every call."""
        self.model.set_train(False)
        right, loss, tokens = 0, 0.0, 0
        for number in range(self.held_out.steps_per_epoch):
            batch = self.held_out.batch(0, number)
            hidden = self.masking(
                _without_fillers(batch, self.masking), (self.settings.seed, MASKED_HELD_OUT, number)
            )
            ids, mask, segments, places, *_ = _inputs(batch, hidden)
            scores = self.model(ids, mask, segments, places).asnumpy()
            real = hidden.weights > 0
            scores, labels = scores[real], hidden.labels[real]
            loss += float(measured_cross_entropy(scores, labels).sum())
            right += int((scores.argmax(axis=1) == labels).sum())
            tokens += len(labels)
        return Quality(right / tokens, loss / tokens, tokens)

    def _batches(self, tokenizer: FastTokenizer, pieces: list[str], *, shuffle: bool) -> Batches:
        rows = Examples(tuple((piece,) for piece in pieces), np.zeros(len(pieces), np.int64))
        encoded = encode(rows, tokenizer, self.settings.max_length)
        return Batches(
            encoded, rows.labels, self.settings.batch_size, 2,
            buckets=_BUCKETS, seed=self.settings.seed, shuffle=shuffle,
            group_by_length=True,  # nothing here asks which texts a batch brings together
        )  # fmt: skip


def _masking(tokenizer: FastTokenizer, settings: MaskedLMSettings, vocab_size: int) -> Masking:
    mask_id = tokenizer.tokenizer.token_to_id("[MASK]")
    if mask_id is None:
        raise UserError(f"{settings.encoder}: its vocabulary has no [MASK]; use another BERT")
    special = [
        index
        for token in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
        if (index := tokenizer.tokenizer.token_to_id(token)) is not None
    ]
    return Masking(settings.share, mask_id, special, vocab_size)


def _without_fillers(batch: Batch, masking: Masking) -> np.ndarray:
    """The batch's ids where nothing of a row that only fills it up can be hidden."""
    ids = batch.input_ids.copy()
    ids[batch.indices < 0] = masking.mask_id
    return ids


def _inputs(batch: Batch, hidden: Hidden) -> tuple[Tensor, ...]:
    arrays = (
        hidden.input_ids,
        batch.attention_mask,
        batch.token_type_ids,
        hidden.places,
        hidden.labels,
        hidden.weights,
    )
    return tuple(map(Tensor, arrays))


def make(task: Task, data: str | None, settings: MaskedLMSettings, out: Path) -> Quality:
    """Train, measure, verify in PyTorch, write; ``out`` appears whole or not at all.

    Raises:
        UserError: the text cannot be read, the encoder is no BERT, the loss is no longer finite,
            PyTorch cannot load the model, or ``out`` cannot be written.
    """
    context.set_up("auto", "graph", None)
    model, encoder = load(settings.encoder, settings.seed)
    trainer = MaskedLMTrainer(model, str(encoder), task, data, settings)
    seconds = trainer.run()
    quality = trainer.quality()
    known = {
        "task": task.name,
        "encoder": settings.encoder,
        "texts": trainer.texts,
        "steps": settings.steps,
        "seconds": round(seconds, 1),
        **asdict(quality),
        "settings": asdict(settings),
    }
    # Rows of one length need no padding, which the two sides would have to agree on.
    first = trainer.held_out.batch(0, 0)
    shortest = int(first.attention_mask.sum(axis=1).min())
    ids = np.ascontiguousarray(first.input_ids[:, :shortest])
    export.write(model, encoder, out, ids, known)
    return quality
