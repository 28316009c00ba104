"""BERT and RoBERTa as MindSpore cells. Nothing heavy is imported until a name is used."""

from typing import Any

__all__ = ["BertConfig", "BertForSequenceClassification"]


def __getattr__(name: str) -> Any:
    if name == "BertConfig":
        from mindflood.models.config import BertConfig

        return BertConfig
    if name == "BertForSequenceClassification":
        from mindflood.models.bert import BertForSequenceClassification

        return BertForSequenceClassification
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
