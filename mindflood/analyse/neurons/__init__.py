"""Linguistic correlation analysis: which neurons of a tagger know which tag (Altinisik, §4.3)."""
