"""What OpenTelemetry's SDK has counted in this process, or a server has printed of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from opentelemetry.metrics import set_meter_provider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

__all__ = ["METER", "Measured", "measured", "measured_in"]

METER = "shiny_labchat"

Measured = dict[tuple[str, frozenset[str]], float]
"""The value of each metric with each set of attributes' values; of a histogram, how many it has."""


@cache
def _reader() -> InMemoryMetricReader:
    """The reader of this process, which may have only one provider."""
    reader = InMemoryMetricReader()
    set_meter_provider(MeterProvider([reader]))
    return reader


def measured() -> Measured:
    """What this process has measured so far; begins with the first call."""
    data = _reader().get_metrics_data()
    return {} if data is None else measured_in(json.loads(data.to_json()))


def measured_in(data: Mapping[str, Any]) -> Measured:
    """What is in the metrics' data, as the SDK writes it in JSON."""
    found: Measured = {}
    for resource in data["resource_metrics"]:
        for scope in resource["scope_metrics"]:
            if scope["scope"]["name"] != METER:
                continue
            for metric in scope["metrics"]:
                for point in metric["data"]["data_points"]:
                    key = metric["name"], frozenset(map(str, point["attributes"].values()))
                    found[key] = point.get("count", point.get("value"))
    return found
