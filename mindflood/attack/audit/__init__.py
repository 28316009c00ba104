"""Audits: people read a sample of an attack's successes and say which keep their meaning."""
