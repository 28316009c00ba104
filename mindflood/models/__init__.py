"""BERT and its relatives as MindSpore cells. Nothing heavy is imported until a name is used."""

from typing import Any

__all__ = ["BertConfig", "BertForSequenceClassification", "load_classifier"]


def __getattr__(name: str) -> Any:
    if name == "BertConfig":
        from mindflood.models.config import BertConfig

        return BertConfig
    if name == "BertForSequenceClassification":
        from mindflood.models.bert import BertForSequenceClassification

        return BertForSequenceClassification
    if name == "load_classifier":
        from mindflood.models.classifier import load_classifier

        return load_classifier
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
