"""Attacks on exported models. Only the words to swap are here; nothing heavy is imported."""

from mindflood.attack.resources.neighbours import substitutes

__all__ = ["substitutes"]
