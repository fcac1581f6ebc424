"""Judgements: pure functions of records, that say what they found in words."""
