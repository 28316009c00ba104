"""Adversarial training in the embedding space: the defences that Flooding-X is compared with."""
