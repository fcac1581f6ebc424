"""This project's own fakes: forecasts that never change."""

FORECAST = {"Oslo": "snow", "Porto": "rain"}
