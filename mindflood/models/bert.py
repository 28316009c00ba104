"""BERT and its relatives with a head for each kind of task as MindSpore cells.

The network of Devlin et al. 2019 (BERT), and what :mod:`mindflood.models.architectures` changes of
it; parameter names and shapes are those of a Hugging Face state dict. It runs in graph mode and in
PyNative. Dropout masks come in as inputs (see :mod:`mindflood.models.dropout`); without them the
network is deterministic.
"""

import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops

from mindflood.errors import UserError
from mindflood.models.config import BertConfig
from mindflood.models.dropout import head_vectors, keep_scale
from mindflood.models.encoder import Backbone, Pooler
from mindflood.models.layers import Dense, drop, is_layer_norm, slice_axis
from mindflood.models.pretrained import load_pretrained

__all__ = ["BertConfig", "BertForSequenceClassification"]

_MASKED = -1e9  # added to the score of a padding token: its probability is exactly 0


class PoolingHead(Pooler):
    """out_proj(dropout(activation(dense(dropout(x))))) of the first token's state."""

    def __init__(self, config: BertConfig, compute_type: Any) -> None:
        super().__init__(config, compute_type)
        self.out_proj = Dense(config.hidden_size, config.num_labels)


class BertForSequenceClassification(nn.Cell):
    """A BERT, RoBERTa, MPNet, DistilBERT or ELECTRA with the head of ``config.kind``.

    Which of them, ``config.model_type`` tells. Hugging Face has a class for each kind:
    ``ForSequenceClassification``, of one output for a regression, ``ForMultipleChoice``, whose
    questions have ``config.choices`` texts here, one behind the other, and
    ``ForTokenClassification``.

    Args:
        config: the architecture.
        compute_type: ``mindspore.float32``, ``float16`` or ``bfloat16`` for matrix products and
            activations. LayerNorm, softmax, parameters and logits are float32 in every case.
        seed: of the initial weights, normal(0, ``initializer_range``); None leaves them zero.

    Raises:
        UserError: bfloat16 on the CPU, which has no such matrix product.
    """

    def __init__(
        self, config: BertConfig, compute_type: Any = ms.float32, seed: int | None = 0
    ) -> None:
        super().__init__()
        if compute_type == ms.bfloat16 and ms.get_context("device_target") == "CPU":
            raise UserError("MindSpore multiplies no bfloat16 on the CPU; use float32 or float16")
        self.config = config
        self.layers = config.num_hidden_layers
        self.dropouts = config.dropouts_a_layer
        self.relative = config.architecture.relative_bias
        self.narrow_words = config.word_size < config.hidden_size
        self.hidden_rate = config.hidden_dropout_prob
        self.hidden_scale = keep_scale(config.hidden_dropout_prob)
        self.head_rate = config.head_dropout_prob
        self.head_scale = keep_scale(config.head_dropout_prob)
        self.backbone = Backbone(config, compute_type)
        self.tags, self.chooses = config.kind == "tagging", config.kind == "choice"
        self.choices = config.choices
        self.head_vectors = head_vectors(config, 1)
        self.pools_itself = config.pools_itself
        if self.pools_itself:
            self.classifier = PoolingHead(config, compute_type)
        else:
            self.classifier = Dense(config.hidden_size, config.num_labels)
        for name, parameter in self.parameters_and_names():
            name = name.replace("backbone.", f"{config.model_type}.", 1)
            for ours, theirs in config.architecture.renamed:
                name = name.replace(ours, theirs)
            parameter.name = name
        if seed is not None:
            self.initialise(seed)

    def initialise(self, seed: int, names: Iterable[str] | None = None) -> None:
        """Draw initial weights (of ``names`` only, where given), each from (seed, its name)."""
        chosen = None if names is None else set(names)
        for parameter in self.get_parameters():
            name = parameter.name
            if (chosen is not None and name not in chosen) or is_layer_norm(name):
                continue
            if name.endswith(".weight"):
                stream = np.random.default_rng((seed, zlib.crc32(name.encode())))
                drawn = stream.standard_normal(parameter.shape, np.float32)
                drawn *= self.config.initializer_range
                if name.endswith("word_embeddings.weight"):
                    drawn[self.config.pad_token_id] = 0
                parameter.set_data(Tensor(drawn))

    def construct(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor,
        hidden_noise: Tensor | None = None,
        attention_noise: Tensor | None = None,
        perturbation: Tensor | None = None,
    ) -> Tensor:
        """Logits of a batch.

        Args:
            input_ids: int32 ``[B, L]``.
            attention_mask: int32 ``[B, L]``, 0 on padding.
            token_type_ids: int32 ``[B, L]``; BERT and ELECTRA have segments, the others ignore it.
            hidden_noise: the first of the pair that ``DropoutNoise.draw`` returns; None for
                evaluation.
            attention_noise: the second; None where the first is.
            perturbation: float32 ``[B, L, d]``, added to the looked-up word embeddings.

        Returns:
            float32 ``[B, num_labels]``; of choices the scores of each question, ``[B / k, k]``; of
            tags ``[B, L, num_labels]``.
        """
        words = self.embed_words(input_ids)
        if perturbation is not None:
            words = words + perturbation
        states = self.embed(words, input_ids, token_type_ids, hidden_noise)
        states = self.encode(states, attention_mask, hidden_noise, attention_noise)
        return self.classify(states, hidden_noise)

    def embed_words(self, input_ids: Tensor) -> Tensor:
        """The rows of the word table: float32 ``[B, L, d]``, d the ``word_size``."""
        return self.backbone.embeddings.word_embeddings(input_ids)

    def embed(
        self,
        words: Tensor,
        input_ids: Tensor,
        token_type_ids: Tensor,
        hidden_noise: Tensor | None = None,
        positions: Tensor | None = None,
    ) -> Tensor:
        """Hugging Face's ``hidden_states[0]``, from word embeddings: float32 ``[B, L, H]``.

        ``positions``, int32 ``[B, L]``: of tokens in their texts, from 0; None: a row is a text.
        """
        states = self.backbone.embeddings(words, input_ids, token_type_ids, positions)
        if hidden_noise is not None and self.hidden_rate > 0:
            keep = self.keep(hidden_noise, 0, states.shape[1])
            if self.narrow_words:
                keep = slice_axis(keep, 2, 0, states.shape[2])
            states = drop(states, keep) * self.hidden_scale
        if self.narrow_words:
            batch, length, size = states.shape
            states = self.backbone.embeddings_project(ops.reshape(states, (batch * length, size)))
            states = ops.reshape(ops.cast(states, ms.float32), (batch, length, -1))
        return states

    def encode(
        self,
        states: Tensor,
        attention_mask: Tensor,
        hidden_noise: Tensor | None = None,
        attention_noise: Tensor | None = None,
        first: int = 0,
        last: int | None = None,
    ) -> Tensor:
        """The states behind the layers ``first`` to ``last`` (exclusive; None: all).

        ``states`` are those before them, at first the embedded input: float32 ``[B, L, H]``, as is
        the result.
        """
        batch, length = attention_mask.shape
        unseen = ops.reshape(1.0 - ops.cast(attention_mask, ms.float32), (batch, 1, 1, length))
        return self.through_layers(states, unseen, hidden_noise, attention_noise, first, last)

    def through_layers(
        self,
        states: Tensor,
        unseen: Tensor,
        hidden_noise: Tensor | None = None,
        attention_noise: Tensor | None = None,
        first: int = 0,
        last: int | None = None,
    ) -> Tensor:
        """:meth:`encode`, where ``unseen`` is 1 for what a token does not attend to, else 0.

        It is float32 ``[B, 1, 1, L]`` or, where that is not the same for all tokens of a row,
        ``[B, 1, L, L]``.
        """
        batch, length, size = states.shape
        # Adding equal shapes costs half of what broadcasting does, in every layer.
        heads = self.config.num_attention_heads
        bias = ops.tile(unseen * _MASKED, (1, heads, length // unseen.shape[2], 1))
        if self.relative:
            bias = bias + self.backbone.encoder.relative_attention_bias(batch, length)
        x = ops.reshape(states, (batch * length, size))
        for index in range(first, self.layers if last is None else last):
            middle, end, attention = None, None, None
            if hidden_noise is not None:
                end = self.keep(hidden_noise, self.dropouts * (index + 1), length)
                if self.dropouts == 2:
                    middle = self.keep(hidden_noise, 2 * index + 1, length)
            if attention_noise is not None:
                attention = slice_axis(attention_noise, 1, index, 1)
            x = self.backbone.encoder.layer[index](x, bias, middle, end, attention)
        return ops.reshape(x, (batch, length, size))

    def classify(self, states: Tensor, hidden_noise: Tensor | None = None) -> Tensor:
        """Logits, in the shapes of :meth:`construct`, from the last hidden states."""
        if self.tags:
            return self.tag(states, hidden_noise)
        first = ops.reshape(slice_axis(states, 1, 0, 1), (states.shape[0], -1))
        if hidden_noise is None:
            return self.head(first)
        keep = slice_axis(
            hidden_noise, 1, hidden_noise.shape[1] - self.head_vectors, self.head_vectors
        )
        return self.head(first, keep)

    def head(self, first: Tensor, keep: Tensor | None = None) -> Tensor:
        """Logits, from the states of the texts' first tokens, float32 ``[B, H]``.

        ``keep``: the masks of what the head drops out of, uint8 ``[B, P, H]``; None: no dropout.
        """
        if self.pools_itself:
            pooled = self.classifier(self.drop_vector(first, keep, 0))
            return self.classifier.out_proj(self.drop_vector(pooled, keep, 1))
        pooled = self.drop_vector(self.backbone.pooler(first), keep, 0)
        if self.chooses:
            return ops.reshape(self.classifier(pooled), (-1, self.choices))
        return self.classifier(pooled)

    def tag(self, states: Tensor, hidden_noise: Tensor | None) -> Tensor:
        """Logits of every token, float32 ``[B, L, num_labels]``."""
        batch, length, size = states.shape
        if hidden_noise is not None and self.head_rate > 0:
            keep = self.keep(hidden_noise, self.dropouts * self.layers + 1, length)
            states = drop(states, keep) * self.head_scale
        return ops.reshape(
            self.classifier(ops.reshape(states, (batch * length, size))), (batch, length, -1)
        )

    def drop_vector(self, x: Tensor, keep: Tensor | None, number: int) -> Tensor:
        """Dropout of ``[B, H]`` vectors of the head, which has ``number`` others before it."""
        if keep is None or self.head_rate == 0:
            return x
        return drop(x, ops.reshape(slice_axis(keep, 1, number, 1), x.shape)) * self.head_scale

    def keep(self, hidden_noise: Tensor, site: int, length: int) -> Tensor:
        """The mask of one dropout of token states: uint8 ``[B, L, H]``."""
        return slice_axis(hidden_noise, 1, site * length, length)

    @classmethod
    def from_pretrained(cls, folder: str | Path, **options: Any) -> "BertForSequenceClassification":
        """See :func:`mindflood.models.pretrained.load_pretrained`."""
        return load_pretrained(cls, folder, **options)
