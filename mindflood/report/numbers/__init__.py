"""Means, intervals and tests: from cards and records to what tables and figures show."""
