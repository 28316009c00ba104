"""Texts of the tasks, and the token batches made of them."""
