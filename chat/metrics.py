"""What the chat counts."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

SENDS = Counter("tertulia_chat_sends", "Messages acknowledged, by the door they came through.", ["door"])
REFUSED = Counter("tertulia_chat_refused", "Sends answered with an error, by its code.", ["code"])
BATCH = Histogram(
    "tertulia_chat_batch_messages", "Messages written in one transaction.", buckets=(1, 2, 5, 10, 25, 50, 100)
)
COMMIT_SECONDS = Histogram(
    "tertulia_chat_commit_seconds",
    "Time of a writing transaction.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)
HALVED = Counter("tertulia_chat_batches_halved", "Batches the database refused as a whole.")
GAPS = Counter("tertulia_chat_gaps_read", "Times the fan-out read missed events from the database.")
LAGGED = Counter("tertulia_chat_sinks_lagged", "Sinks emptied because their reader was too slow.")
SYNCS = Counter("tertulia_chat_syncs", "Clients that came back with their positions.")
SYNC_BATCH = Histogram(
    "tertulia_chat_sync_batch_clients", "Clients answered from one snapshot.", buckets=(1, 2, 5, 10, 20, 40, 64)
)
FEEDS = Gauge("tertulia_chat_open_conversations", "Conversations that somebody here has open.")

for door in ("channel", "socket", "http"):
    SENDS.labels(door)  # present from the start, so that a rate can be taken
