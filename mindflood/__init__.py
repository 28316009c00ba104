"""Text classifiers that resist adversarial attacks: Flooding-X and its baselines, in MindSpore."""

__version__ = "0.1.0"
