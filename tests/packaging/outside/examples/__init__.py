"""This project's own examples: a city to ask for."""

CITY = "Oslo"
