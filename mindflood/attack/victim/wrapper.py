"""The model under attack: any Hugging Face classifier as a TextAttack model wrapper."""

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from mindflood.attack.searches import Broker
from mindflood.attack.textattack_import import textattack
from mindflood.attack.victim.buckets import in_buckets
from mindflood.attack.victim.folder import check_tokenizer, model_fingerprint, model_folder
from mindflood.data.class_names import check_label_count, check_label_order
from mindflood.errors import UserError
from mindflood.models.tokenizer_files import check_vocabulary

Text = str | tuple[str, ...]  # one text, or the two of a pair
COUNTED_POSITIONS = ("roberta", "xlm-roberta", "camembert", "mpnet")
"""Models whose positions count the tokens that are not padding, from behind the padding index."""

_UNBOUNDED = int(1e29)  # tokenizers without a maximum carry a number above this


class Victim(textattack.models.wrappers.ModelWrapper):
    """A sequence classifier queried in evaluation mode, without gradients, in length buckets.

    Its logits are those of TextAttack's own ``HuggingFaceModelWrapper``, which pads every query
    to the model's maximum length. Searches that ask at the same time share the batches.

    Args:
        folder: a Hugging Face folder with ``config.json``, safetensors weights and a tokenizer,
            or the id of such a model on the hub.
        num_labels: number of classes the task has; None accepts any.
        device: where the model runs; None takes the GPU where there is one.

    Raises:
        UserError: the folder is not such a model, has pickled weights only, has no trained
            classification head, has another number of labels, or a tokenizer that cannot pad or
            knows more tokens than the model.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        num_labels: int | None = None,
        device: str | torch.device | None = None,
    ) -> None:
        self.folder = model_folder(folder)
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.model = _load_model(self.folder).to(self.device).eval()
        self.tokenizer = _load_tokenizer(self.folder)
        if rows := _rows_of(self.model):
            check_vocabulary(self.folder, _tokens_of(self.tokenizer), rows)
        self.max_length = _max_length(self.tokenizer, self.model.config)
        self._let_pad()
        self._taken = frozenset(inspect.signature(self.model.forward).parameters)
        self._broker = Broker(self._rows, size=_length)
        if num_labels is not None:
            check_label_count(self.folder, self.num_labels, num_labels)

    @property
    def fingerprint(self) -> str:
        """Names the exact weights: a hash of the folder's files, or hub id and commit."""
        if Path(self.folder).is_dir():
            return model_fingerprint(Path(self.folder))
        return f"{self.folder}@{getattr(self.model.config, '_commit_hash', None)}"

    @property
    def num_labels(self) -> int:
        """Number of classes the model tells apart."""
        return int(self.model.config.num_labels)

    @property
    def label_names(self) -> tuple[str, ...]:
        """Name of label 0, 1, ... as the model's configuration gives them."""
        named = self.model.config.id2label
        return tuple(str(named.get(label, label)) for label in range(self.num_labels))

    def check_labels(self, wanted: Sequence[str]) -> None:
        """Check the order of the classes against ``wanted``, the task's.

        Raises:
            UserError: as :func:`mindflood.data.class_names.check_label_order`.
        """
        check_label_order(self.folder, self.label_names, wanted)

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Turn what the model raises within into a one-line :class:`UserError`."""
        try:
            yield
        except Exception as error:
            raise UserError(
                f"{self.folder}: the model cannot be asked: {type(error).__name__}: "
                f"{_line(error)}; check its config.json and its tokenizer's files"
            ) from error

    def try_out(self, columns: int) -> None:
        """Ask about two texts, or pairs of them, of different lengths.

        Raises:
            UserError: the model has no answer, or one that is no finite number.
        """
        first = ("good", "a good film")
        texts: tuple[Text, ...] = tuple(zip(first, first, strict=True)) if columns == 2 else first
        with self.asked():
            logits = self(texts)
        if not bool(torch.isfinite(logits).all()):
            raise UserError(
                f"{self.folder}: the model's answers are no finite numbers; check its weights"
            )

    def __call__(self, text_input_list: Sequence[Text | list[str]], **_: Any) -> torch.Tensor:
        """Logits of each text.

        Args:
            text_input_list: n texts; a pair is a tuple or list of two strings.

        Returns:
            float32 (n, labels) on the CPU, in the order of the texts.
        """
        if not len(text_input_list):
            return torch.empty(0, self.num_labels)
        texts = [text if isinstance(text, str) else tuple(text) for text in text_input_list]
        return torch.stack(self._broker.ask(texts))

    def _rows(self, texts: Sequence[Text]) -> list[torch.Tensor]:
        self.model.eval()  # something else may have left the model in training mode
        return in_buckets(
            self.tokenizer,
            self.encode(texts),
            self._forward,
            longest=self.max_length,
            device=self.device,
        )

    def _forward(self, batch: Any) -> torch.Tensor:
        with torch.inference_mode():
            logits: torch.Tensor = self.model(**batch).logits
        return logits.float()

    def get_grad(self, text_input: Text) -> dict[str, Any]:
        """Gradient of the cross-entropy of the predicted class at the looked-up word embeddings.

        Taken in evaluation mode (TextAttack's own wrapper leaves dropout on); the model is in the
        mode it was in afterwards, and no gradient of a parameter is touched.

        Args:
            text_input: one text; a pair is a tuple or list of two strings.

        Returns:
            ``ids`` int64 (1, L) and ``gradient`` float32 (L, hidden), a NumPy array; L tokens,
            special ones included.
        """
        was_training = self.model.training
        self.model.eval()
        try:
            # A caller may be in inference mode, whose tensors cannot take part in a gradient.
            with torch.inference_mode(False), torch.enable_grad():
                batch = self.encode([text_input], return_tensors="pt").to(self.device)
                ids = batch.pop("input_ids")
                words = self.model.get_input_embeddings()(ids).detach().requires_grad_()
                logits = self.model(inputs_embeds=words, **batch).logits
                loss = torch.nn.functional.cross_entropy(logits, logits.argmax(dim=1))
                (gradient,) = torch.autograd.grad(loss, words)
        finally:
            self.model.train(was_training)
        return {"ids": ids, "gradient": gradient[0].float().cpu().numpy()}

    def encode(self, texts: Sequence[Text], **options: Any) -> Any:
        """What the model takes of the tokenizer's output for texts or for pairs, cut to its
        length: a DistilBERT has no segments, whatever its tokenizer says."""
        if isinstance(texts[0], str):
            first, second = list(texts), None
        else:
            first, second = [pair[0] for pair in texts], [pair[1] for pair in texts]
        encoded = self.tokenizer(
            first, second, truncation=True, max_length=self.max_length, **options
        )
        for name in encoded.keys() - self._taken:
            del encoded[name]
        return encoded

    def _let_pad(self) -> None:
        """A decoder reads its answer from the last token that is not padding: it has to know it."""
        if self.tokenizer.pad_token_id is None:
            raise UserError(
                f"{self.folder}: its tokenizer has no padding token; set tokenizer.pad_token, for "
                "instance to tokenizer.eos_token, as in training, and save it beside the model"
            )
        if getattr(self.model.config, "pad_token_id", None) is None:
            self.model.config.pad_token_id = self.tokenizer.pad_token_id

    def _tokenize(self, inputs: Sequence[Text]) -> list[list[str]]:
        """Tokens of each text, for TextAttack's alignment of words and tokens."""
        encoded = self.encode(inputs)["input_ids"]
        return [self.tokenizer.convert_ids_to_tokens(ids) for ids in encoded]


def _length(text: Text) -> int:
    return 1 + (len(text) if isinstance(text, str) else sum(map(len, text)))


def _load_model(folder: str) -> Any:
    try:
        model, report = AutoModelForSequenceClassification.from_pretrained(
            folder,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=Path(folder).is_dir(),
            output_loading_info=True,
            dtype=torch.float32,
        )
    except Exception as error:  # safetensors, JSON, shapes, unknown architectures: all the user's
        raise UserError(f"{folder}: cannot be loaded as a classifier: {_line(error)}") from error
    if missing := sorted(report["missing_keys"]):
        raise UserError(
            f"{folder}: the weights lack {', '.join(missing[:3])}: this is not a trained "
            "classifier; train it first or give the folder of one that is"
        )
    return model


def _load_tokenizer(folder: str) -> Any:
    if Path(folder).is_dir():
        check_tokenizer(Path(folder))
    try:
        return AutoTokenizer.from_pretrained(
            folder, trust_remote_code=False, local_files_only=Path(folder).is_dir()
        )
    except Exception as error:
        # Without its vocabulary most tokenizers ask for the status of a path that is None.
        why = "its vocabulary file is missing" if "not NoneType" in str(error) else _line(error)
        raise UserError(f"{folder}: its tokenizer cannot be loaded: {why}") from error


def _rows_of(model: Any) -> int | None:
    """Rows of the word embeddings; None for a model without a table of them."""
    try:
        table = getattr(model.get_input_embeddings(), "weight", None)
    except NotImplementedError:
        return None
    return None if table is None else int(table.shape[0])


def _tokens_of(tokenizer: Any) -> int:
    """The largest id + 1: ids may have gaps."""
    return 1 + max(tokenizer.get_vocab().values(), default=-1)


def _max_length(tokenizer: Any, config: Any) -> int:
    """Most tokens the model takes: its tokenizer's maximum and its position embeddings."""
    positions = getattr(config, "max_position_embeddings", 512)
    if positions < 1:  # XLNet's -1: positions are relative and without end
        positions = 512
    if config.model_type in COUNTED_POSITIONS:
        positions -= config.pad_token_id + 1
    longest = tokenizer.model_max_length
    return int(min(positions, 512 if longest > _UNBOUNDED else longest))


def _line(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    return " ".join(text.split())[:300]
