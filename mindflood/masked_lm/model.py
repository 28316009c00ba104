"""BERT's masked language model as a MindSpore cell (Devlin et al. 2019, §3.1)."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from mindspore import Parameter, Tensor, nn, ops

from mindflood.errors import UserError
from mindflood.models.bert import BertForSequenceClassification
from mindflood.models.classifier import load_classifier
from mindflood.models.kernels import Affine
from mindflood.models.layers import Activation, Dense, LayerNorm
from mindflood.models.loss import weighted_cross_entropy
from mindflood.models.pretrained import resolve_encoder

_UNSEEN = 0.1  # times that a token counts beside those it was seen
_UNUSED = (".pooler.", "classifier.")


class BertForMaskedLM(nn.Cell):
    """Scores of the vocabulary at chosen places; the decoder is the table of word embeddings.

    Parameters are called as in a Hugging Face state dict.

    Args:
        encoder: its pooler and classifier are not used.
        seed: of the head's dense layer, normal(0, ``initializer_range``).
    """

    def __init__(self, encoder: BertForSequenceClassification, seed: int) -> None:
        super().__init__(auto_prefix=False)  # the encoder's parameters keep their names
        config = encoder.config
        size = config.hidden_size
        self.encoder = encoder
        self.dense = Dense(size, size)
        self.activation = Activation(config.hidden_act)
        self.norm = LayerNorm(size, config.layer_norm_eps)
        self.bias = Parameter(Tensor(np.zeros(config.vocab_size, np.float32)))
        self.decode = Affine()
        drawn = np.random.default_rng(seed).standard_normal((size, size), np.float32)
        self.dense.weight.set_data(Tensor(drawn * config.initializer_range))
        self._name_parameters()

    def _name_parameters(self) -> None:
        head = "cls.predictions."
        self.bias.name = head + "bias"
        for cell, name in ((self.dense, "transform.dense."), (self.norm, "transform.LayerNorm.")):
            for own, parameter in cell.parameters_and_names():
                parameter.name = head + name + own.rsplit(".")[-1]
        for parameter in self.encoder.get_parameters():
            if any(part in parameter.name for part in _UNUSED):
                parameter.requires_grad = False

    def expect(self, tokens: np.ndarray) -> None:
        """Begin with the tokens' own frequencies as the decoder's bias, which saves many steps.

        Args:
            tokens: int32 of any shape, ids of the training text.
        """
        counts = np.bincount(tokens.reshape(-1), minlength=len(self.bias)) + _UNSEEN
        self.bias.set_data(Tensor(np.log(counts / counts.sum()).astype(np.float32)))

    def construct(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor, places: Tensor
    ) -> Tensor:
        """Scores, float32 ``[M, vocab_size]``.

        Args:
            input_ids, attention_mask, token_type_ids: int32 ``[B, L]``.
            places: int32 ``[M]``, among the batch's B·L tokens laid out flat.
        """
        encoder = self.encoder
        words = encoder.embed_words(input_ids)
        states = encoder.encode(encoder.embed(words, input_ids, token_type_ids), attention_mask)
        chosen = ops.gather(ops.reshape(states, (-1, states.shape[-1])), places, 0)
        hidden = self.norm(self.activation(self.dense(chosen)))
        return self.decode(hidden, encoder.backbone.embeddings.word_embeddings.weight, self.bias)

    def weights(self) -> Iterator[tuple[str, np.ndarray]]:
        """Name and value of each parameter that the model uses."""
        for parameter in self.get_parameters():
            if not any(part in parameter.name for part in _UNUSED):
                yield parameter.name, parameter.asnumpy()


class MaskedCrossEntropy(nn.Cell):
    """J = Σ w_i · ce_i over the hidden tokens of a batch."""

    def __init__(self, model: BertForMaskedLM) -> None:
        super().__init__(auto_prefix=False)
        self.model = model

    def construct(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor,
        places: Tensor,
        labels: Tensor,
        weights: Tensor,
    ) -> Tensor:
        """Scalar float32, nats; shapes as in :class:`mindflood.masked_lm.masking.Hidden`."""
        scores = self.model(input_ids, attention_mask, token_type_ids, places)
        return weighted_cross_entropy(scores, labels, weights)


def load(encoder: str, seed: int) -> tuple[BertForMaskedLM, Path]:
    """A fresh head over a pretrained encoder, and the encoder's folder.

    Raises:
        UserError: there is no such encoder, or it is no BERT.
    """
    folder = resolve_encoder(encoder)
    network = load_classifier(folder, num_labels=2, seed=seed)
    if network.config.model_type != "bert":
        raise UserError(
            f"{encoder}: expected a BERT, whose head the masked language model has, not a "
            f"{network.config.model_type}; use the embedded encoder or another BERT"
        )
    return BertForMaskedLM(network, seed), folder
