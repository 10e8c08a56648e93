"""How much of what a client sends somebody wants: the core's word by layer, as the frame that tells the client."""

from __future__ import annotations

from typing import Final

from sfu.sdp.plan import Publication
from tertulia.catalogue import Layers

ALL: Final = -1
"""Every bit: who has not said otherwise may want anything."""


class Demand:
    """One session's publications, each on every worker that knows it: what is wanted anywhere is wanted.

    What was told last can be told again to a client that may have missed it.
    """

    def __init__(self) -> None:
        self._publications: dict[int, Publication] = {}
        self._wanted: dict[int, dict[object, int]] = {}  # layers of each source, by worker
        self._told: dict[int, Layers] = {}

    def add(self, source: int, publication: Publication, worker: object) -> None:
        self._publications[source] = publication
        self._wanted[source] = {worker: ALL}

    def take(self, source: int, worker: object, layers: int) -> Layers | None:
        """What a worker wants of a source now. Returns what to tell the client, if that is news.

        :param source: by the handle of the worker that the client is on
        :param layers: a bit for each layer of the source, in the order of its RIDs
        """
        if source not in self._publications:
            return None
        self._wanted[source][worker] = layers
        return self._news(source)

    def mirrored(self, worker: object) -> list[Layers]:
        """Another worker knows all sources now, and may want anything."""
        for wanted in self._wanted.values():
            wanted[worker] = ALL
        return self._all_news()

    def unmirrored(self, worker: object) -> list[Layers]:
        for wanted in self._wanted.values():
            wanted.pop(worker, None)
        return self._all_news()

    def told(self) -> list[Layers]:
        return list(self._told.values())

    def _all_news(self) -> list[Layers]:
        return [news for source in self._publications if (news := self._news(source)) is not None]

    def _news(self, source: int) -> Layers | None:
        publication = self._publications[source]
        layers = 0
        for wanted in self._wanted[source].values():
            layers |= wanted
        rids = [rid for number, rid in enumerate(publication.rids) if layers >> number & 1]
        frame = Layers(track=publication.track, wanted=layers != 0, rids=rids)
        everything = Layers(track=publication.track, wanted=True, rids=list(publication.rids))
        if frame == self._told.get(source, everything):
            return None
        self._told[source] = frame
        return frame
