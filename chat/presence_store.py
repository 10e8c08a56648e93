"""The tables of people's presence: leases of the processes that hold somebody's socket, and chosen statuses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chat.access import Connection
from chat.store import millis
from tertulia.catalogue import ChosenStatus, PersonPresence, SetStatus

SWEEP_MAX = 1000


@dataclass(frozen=True)
class Known:
    """What the database says of one person. ``since`` is when the status was chosen, ``seen`` when they were here."""

    id: str
    here: bool
    status: ChosenStatus
    text: str
    since: int | None
    seen: int | None

    def shown_to(self, reader: str) -> PersonPresence:
        """Their presence as ``reader`` may see it: nobody else can tell ``invisible`` from ``offline``."""
        if self.here and (reader == self.id or self.status != "invisible"):
            return PersonPresence(self.id, self.status, self.text)
        return PersonPresence(self.id, "offline", last_seen=self.since if self.status == "invisible" else self.seen)


async def hold(db: Connection, node: str, people: Sequence[str], lease_s: float) -> None:
    """People are connected to ``node``; that holds for ``lease_s`` unless it is said again."""
    await db.execute(
        "INSERT INTO chat.presence (user_id, node, until)"
        " SELECT id, $2, now() + make_interval(secs => $3) FROM unnest($1::text[]) id ORDER BY id"
        " ON CONFLICT (user_id, node) DO UPDATE SET until = excluded.until",
        people,
        node,
        lease_s,
    )


async def release(db: Connection, node: str, people: Sequence[str]) -> None:
    """People are not connected to ``node`` any more."""
    await db.execute("DELETE FROM chat.presence WHERE node = $1 AND user_id = ANY($2::text[])", node, people)
    # Locked in order: two processes may let go of the same people.
    await db.execute(
        "WITH gone AS (SELECT user_id FROM chat.person WHERE user_id = ANY($1::text[]) ORDER BY user_id FOR UPDATE)"
        " UPDATE chat.person p SET seen_at = now() FROM gone WHERE p.user_id = gone.user_id",
        people,
    )


async def shorten(db: Connection, node: str, lease_s: float) -> None:
    """Everybody at ``node`` has so long to come back, to whatever process."""
    await db.execute(
        "UPDATE chat.presence SET until = least(until, now() + make_interval(secs => $2)) WHERE node = $1",
        node,
        lease_s,
    )


async def sweep(db: Connection) -> None:
    """Take away leases that have run out, and remember when their people were last seen."""
    await db.execute(
        "WITH over AS (SELECT user_id, node FROM chat.presence WHERE until <= now() LIMIT $1 FOR UPDATE SKIP LOCKED),"
        " gone AS (DELETE FROM chat.presence p USING over o WHERE p.user_id = o.user_id AND p.node = o.node"
        "  RETURNING p.user_id, p.until),"
        " seen AS (SELECT p.user_id, g.until FROM chat.person p"
        "  JOIN (SELECT user_id, max(until) AS until FROM gone GROUP BY user_id) g USING (user_id)"
        "  ORDER BY p.user_id FOR UPDATE OF p)"
        " UPDATE chat.person p SET seen_at = greatest(p.seen_at, seen.until) FROM seen WHERE p.user_id = seen.user_id",
        SWEEP_MAX,
    )


async def known(db: Connection, people: Sequence[str]) -> dict[str, Known]:
    """What is known of each of ``people``."""
    rows = await db.fetch(
        "SELECT u.id, coalesce(s.status, 'online') AS status, coalesce(s.text, '') AS text, s.at, p.seen_at,"
        " EXISTS (SELECT 1 FROM chat.presence l WHERE l.user_id = u.id AND l.until > now()) AS here"
        " FROM unnest($1::text[]) AS u(id)"
        " LEFT JOIN chat.status s ON s.user_id = u.id LEFT JOIN chat.person p ON p.user_id = u.id",
        people,
    )
    return {
        row["id"]: Known(
            row["id"],
            row["here"],
            row["status"],
            row["text"],
            millis(row["at"]) if row["at"] is not None else None,
            millis(row["seen_at"]) if row["seen_at"] is not None else None,
        )
        for row in rows
    }


async def choose(db: Connection, user: str, asked: SetStatus) -> None:
    """Keep a status. Choosing the same again does not move the time since when it is so."""
    await db.execute(
        "INSERT INTO chat.status AS s (user_id, status, text) VALUES ($1, $2, $3)"
        " ON CONFLICT (user_id) DO UPDATE SET status = excluded.status, text = excluded.text,"
        " at = CASE WHEN s.status = excluded.status THEN s.at ELSE excluded.at END",
        user,
        asked.status,
        asked.text,
    )
