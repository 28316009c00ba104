"""Samples attacked side by side, in one process, several, or on many machines."""
