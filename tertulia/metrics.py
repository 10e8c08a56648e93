"""``GET /metrics``: counters of all packages in the Prometheus text format, and what the media core reports.

Packages define their counters on prometheus_client's default registry, next to the code that counts. Figures that
live in a service (sessions, packets) are asked for when they are read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import REGISTRY, Collector

from tertulia.openapi import Operation

Source = Callable[[], dict[str, Any]]

OPERATIONS = [
    Operation(
        "GET", "/metrics", "metrics", "Counters in the Prometheus text format.", "operations", None, "text/plain",
        authenticated=False,
    )
]  # fmt: skip


class ServiceCollector(Collector):
    """The numbers in a service's ``stats()`` as gauges ``tertulia_<service>_<name>``."""

    def __init__(self, sources: dict[str, Source]) -> None:
        self._sources = sources

    def collect(self) -> Iterator[Metric]:
        for service, source in self._sources.items():
            for name, value in sorted(_numbers(source())):
                yield GaugeMetricFamily(f"tertulia_{service}_{name}", f"{name} of {service}", value=value)


def _numbers(stats: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    for key, value in stats.items():
        name = prefix + "".join(c if c.isalnum() else "_" for c in str(key))
        if isinstance(value, dict):
            yield from _numbers(value, name + "_")
        elif isinstance(value, bool | int | float):
            yield name, float(value)


def routes(sources: dict[str, Source]) -> Iterable[web.RouteDef]:
    """The route. ``sources`` are asked on the event loop, the counters formatted off it."""
    own = CollectorRegistry(auto_describe=False)
    own.register(ServiceCollector(sources))

    async def metrics(_: web.Request) -> web.Response:
        service_part = generate_latest(own)
        counters = await asyncio.to_thread(generate_latest, REGISTRY)
        return web.Response(body=counters + service_part, headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [web.get("/metrics", metrics)]
