"""The transformer below the classification head: embeddings, encoder layers, pooler."""

from typing import Any

import mindspore as ms
from mindspore import Tensor, nn, ops

from mindflood.models.config import BertConfig
from mindflood.models.distances import DISTANCE_RANGES, distance_ranges
from mindflood.models.dropout import keep_scale
from mindflood.models.kernels import DroppedAttention, Tanh
from mindflood.models.layers import (
    Activation,
    Dense,
    Embedding,
    LayerNorm,
    drop,
    filled,
    slice_axis,
)


class Embeddings(nn.Cell):
    """Word + position + (where there are some) segment embeddings, normalised."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        size = config.word_size
        self.word_embeddings = Embedding(config.vocab_size, size)
        self.position_embeddings = Embedding(config.max_position_embeddings, size)
        self.segments = config.architecture.segments
        self.single_segment = config.model_type == "roberta"
        if self.segments or self.single_segment:
            self.token_type_embeddings = Embedding(config.type_vocab_size, size)
        self.LayerNorm = LayerNorm(size, config.layer_norm_eps)
        self.counted = config.architecture.counted_positions
        self.padding = config.pad_token_id
        self.before_first = self.padding + 1 if self.counted else 0
        self.max_length = config.max_length
        self.accumulate = ops.CumSum()

    def construct(
        self,
        words: Tensor,
        input_ids: Tensor,
        token_type_ids: Tensor,
        positions: Tensor | None = None,
    ) -> Tensor:
        length = input_ids.shape[1]
        if length > self.max_length:
            raise ValueError("The input is longer than the model's position embeddings.")
        if positions is not None:
            places = self.position_embeddings(positions + self.before_first)
        elif self.counted:
            # Positions count the tokens that are not padding, behind the padding index itself.
            real = ops.cast(input_ids != self.padding, ms.int32)
            places = self.position_embeddings(self.accumulate(real, 1) * real + self.padding)
        else:
            places = slice_axis(self.position_embeddings.weight, 0, 0, length)
        if self.segments:
            places = places + self.token_type_embeddings(token_type_ids)
        elif self.single_segment:
            places = places + self.token_type_embeddings.weight[0]
        return self.LayerNorm(words + places)


class RelativeBias(nn.Cell):
    """A learned number a head and a range of distances (Raffel et al. 2020, §2.1)."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.heads = config.num_attention_heads
        self.weight = filled(0.0, DISTANCE_RANGES, self.heads)
        self.ranges = Tensor(distance_ranges(config.max_length))
        self.product = ops.MatMul(transpose_a=True, transpose_b=True)

    def construct(self, batch: int, length: int) -> Tensor:
        """float32 ``[B, A, L, L]``, the same for every row.

        Products with ones and zeros in place of a gather and a broadcast: their gradients are
        products too, where MindSpore would scatter and sum.
        """
        ranges = ops.reshape(ops.slice(self.ranges, (0, 0), (length, length)), (-1,))
        chosen = ops.one_hot(ranges, DISTANCE_RANGES, Tensor(1.0), Tensor(0.0))
        row = ops.reshape(self.product(self.weight, chosen), (1, -1))
        rows = ops.matmul(ops.ones((batch, 1), ms.float32), row)
        return ops.reshape(rows, (batch, self.heads, length, length))


class SelfAttention(nn.Cell):
    """softmax(Q Kᵀ / √d + bias) V, over all heads."""

    def __init__(self, config: BertConfig, compute_type: Any) -> None:
        super().__init__()
        size = config.hidden_size
        self.query = Dense(size, size, compute_type)
        self.key = Dense(size, size, compute_type)
        self.value = Dense(size, size, compute_type)
        self.heads = config.num_attention_heads
        self.width = size // self.heads
        self.scale = float(self.width) ** -0.5
        self.rate = config.attention_probs_dropout_prob
        self.keep_scale = keep_scale(self.rate)
        self.dropped = DroppedAttention(config.architecture.relative_bias)
        self.compute_type = compute_type
        self.scores = ops.BatchMatMul(transpose_b=True)
        self.mix = ops.BatchMatMul()
        self.softmax = ops.Softmax(-1)

    def construct(self, x: Tensor, bias: Tensor, keep: Tensor | None) -> Tensor:
        dropout = keep is not None and self.rate > 0
        query, key = self.query(x, self.scale), self.key(x)
        value = self.value(x, self.keep_scale if dropout else 1.0)
        batch, length = bias.shape[0], bias.shape[3]
        shape = (batch, length, self.heads, self.width)
        query = ops.transpose(ops.reshape(query, shape), (0, 2, 1, 3))
        key = ops.transpose(ops.reshape(key, shape), (0, 2, 1, 3))
        value = ops.transpose(ops.reshape(value, shape), (0, 2, 1, 3))
        if dropout:
            keep = ops.reshape(keep, (batch, self.heads, length, length))
            context = self.dropped(query, key, value, bias, keep)[0]
        else:
            scores = ops.cast(self.scores(query, key), ms.float32) + bias
            context = self.mix(ops.cast(self.softmax(scores), self.compute_type), value)
        context = ops.transpose(context, (0, 2, 1, 3))
        return ops.reshape(context, (batch * length, self.heads * self.width))


class AddAndNorm(nn.Cell):
    """LayerNorm(residual + dropout(dense(x))), the end of both halves of a layer."""

    def __init__(self, inputs: int, config: BertConfig, compute_type: Any) -> None:
        super().__init__()
        self.dense = Dense(inputs, config.hidden_size, compute_type)
        self.LayerNorm = LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.rate = config.hidden_dropout_prob
        self.keep_scale = keep_scale(self.rate)

    def construct(self, x: Tensor, residual: Tensor, keep: Tensor | None) -> Tensor:
        if keep is not None and self.rate > 0:
            x = self.dense(x, self.keep_scale)
            x = drop(x, ops.reshape(keep, x.shape))
        else:
            x = self.dense(x)
        return self.LayerNorm(ops.cast(x, ms.float32) + residual)


class Attention(nn.Cell):
    def __init__(self, config: BertConfig, compute_type: Any) -> None:
        super().__init__()
        self.self_attention = SelfAttention(config, compute_type)
        self.output = AddAndNorm(config.hidden_size, config, compute_type)

    def construct(
        self, x: Tensor, bias: Tensor, keep_output: Tensor | None, keep_attention: Tensor | None
    ) -> Tensor:
        return self.output(self.self_attention(x, bias, keep_attention), x, keep_output)


class Intermediate(nn.Cell):
    def __init__(self, config: BertConfig, compute_type: Any) -> None:
        super().__init__()
        self.dense = Dense(config.hidden_size, config.intermediate_size, compute_type)
        self.activation = Activation(config.hidden_act)

    def construct(self, x: Tensor) -> Tensor:
        return self.activation(self.dense(x))


class Layer(nn.Cell):
    """One transformer layer. x: float32 ``[B·L, H]``, as is the result."""

    def __init__(self, config: BertConfig, compute_type: Any) -> None:
        super().__init__()
        self.attention = Attention(config, compute_type)
        self.intermediate = Intermediate(config, compute_type)
        self.output = AddAndNorm(config.intermediate_size, config, compute_type)

    def construct(
        self,
        x: Tensor,
        bias: Tensor,
        keep_first: Tensor | None,
        keep_second: Tensor | None,
        keep_attention: Tensor | None,
    ) -> Tensor:
        x = self.attention(x, bias, keep_first, keep_attention)
        return self.output(self.intermediate(x), x, keep_second)


class Encoder(nn.Cell):
    def __init__(self, config: BertConfig, compute_type: Any) -> None:
        super().__init__()
        layers = [Layer(config, compute_type) for _ in range(config.num_hidden_layers)]
        self.layer = nn.CellList(layers)
        if config.architecture.relative_bias:
            self.relative_attention_bias = RelativeBias(config)


class Pooler(nn.Cell):
    """activation(dense(x)) of the first token's state."""

    def __init__(self, config: BertConfig, compute_type: Any) -> None:
        super().__init__()
        size, pooling = config.hidden_size, config.architecture.pooling
        self.dense = Dense(size, size, compute_type)
        self.activation = Tanh() if pooling == "tanh" else Activation(pooling)

    def construct(self, x: Tensor) -> Tensor:
        return self.activation(self.dense(x))


class Backbone(nn.Cell):
    """Embeddings, their projection where words are narrower than states, encoder and pooler.

    The pooler is left out where the head has its own, and of a tagger, which looks at every word.
    """

    def __init__(self, config: BertConfig, compute_type: Any) -> None:
        super().__init__()
        self.embeddings = Embeddings(config)
        if config.word_size < config.hidden_size:
            self.embeddings_project = Dense(config.word_size, config.hidden_size, compute_type)
        self.encoder = Encoder(config, compute_type)
        if not config.pools_itself and config.kind != "tagging":
            self.pooler = Pooler(config, compute_type)
