"""The message catalogue: every frame that crosses a door, written once.

Validation, the TypeScript types and the tables of ``docs/protocol.md`` are generated from these structures. The
same structures travel over Socket.IO (event name + payload + acknowledgement), over the data channels (inside an
:class:`Envelope`) and, for chat, over HTTP.

Times are milliseconds since 1970-01-01 UTC. Sizes are bounded here, so a door only has to decode. The frames of
conversations are in ``catalogue_chat.py``, those of presence in ``catalogue_presence.py``, those of accounts in
``catalogue_accounts.py``, and all are named from here.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from tertulia.catalogue_accounts import *
from tertulia.catalogue_base import *
from tertulia.catalogue_chat import *
from tertulia.catalogue_presence import *

TrackKind = Literal["microphone", "camera", "screen", "screen-audio"]
VideoCodec = Literal["vp8", "h264", "vp9", "av1"]
ParticipantKind = Literal["person", "robot", "stream", "viewer"]


# --- who is there ------------------------------------------------------------------------------------------------


class Grants(Frame, frozen=True):
    """What a token's holder may do in its room."""

    publish: bool = True
    subscribe: bool = True
    chat: bool = True
    moderate: bool = False


class Track(Frame, frozen=True):
    """One thing a participant sends. ``source`` is the number that travels as CSRC in every packet of it."""

    kind: TrackKind
    source: int
    muted: bool = False


class Participant(Frame, frozen=True):
    """One person's (or robot's, or stream's) presence in a room."""

    id: Identity
    name: DisplayName
    kind: ParticipantKind = "person"
    joined_at: Millis = 0
    connected: bool = True
    tracks: list[Track] = []


class RoomInfo(Frame, frozen=True):
    """``video_codec`` is what cameras should send where they can; it decides how a client divides its picture."""

    id: RoomId
    name: Annotated[str, Meta(max_length=80)] = ""
    conversation: Uuid = ""
    created_at: Millis = 0
    participants: int = 0
    video_codec: VideoCodec = "vp8"


class ParticipantLeft(Frame, frozen=True):
    id: Identity
    reason: str = "left"


# --- media -------------------------------------------------------------------------------------------------------


class TrackIntent(Frame, frozen=True):
    """Names one of the offer's sending sections."""

    mid: Mid
    kind: TrackKind
    muted: bool = False


class Want(Frame, frozen=True):
    """One seat a client asks for: the participant's camera (with its microphone) or screen (with its sound)."""

    participant: Identity
    track: Literal["camera", "screen"] = "camera"
    width: Pixels = 0
    height: Pixels = 0
    priority: Annotated[int, Meta(ge=0, le=9)] = 0
    """Where bandwidth is short, higher comes first. Screens come before everything."""


class View(Frame, frozen=True):
    """What a client wants in its seats, most wanted first. Empty: the room decides (newest screen, then people).

    With sizes, it is also what the client shows: no video is sent of anybody else it knew of, and no larger pictures
    than fill their places.
    """

    seats: Annotated[list[Want], Meta(max_length=100)] = []


class Slot(Frame, frozen=True):
    """One receiving section and what it shows now.

    ``source`` is the CSRC of its packets. ``from_ts`` is the first RTP timestamp of that source in this slot:
    absent while the switch waits for a key frame, and pictures before it belong to somebody else. ``unsupported`` says
    that this client cannot decode what the source sends: there will be no picture until that changes,
    ``paused`` that its network carries no layer of it at the moment.
    """

    mid: Mid
    kind: Literal["audio", "video"]
    seat: int | None = None
    participant: Identity | None = None
    track: TrackKind | None = None
    source: int | None = None
    from_ts: int | None = None
    unsupported: bool = False
    paused: bool = False


class Layers(Frame, frozen=True):
    """How much of a track of this client somebody wants now; the rest need not be sent until it is told otherwise.

    ``rids``: the wanted encodings of a track with simulcast. A track without is ``wanted`` or not.
    """

    track: TrackKind
    wanted: bool
    rids: list[str] = []


class Slots(Frame, frozen=True):
    """The slot map: all of it (``full``) or what changed since ``rev - 1``."""

    rev: int
    full: bool = False
    slots: list[Slot] = []


class Speaker(Frame, frozen=True):
    participant: Identity
    level: Annotated[int, Meta(ge=0, le=127)] = 127
    """RFC 6464: 0 is the loudest, 127 is silence."""


class Speakers(Frame, frozen=True):
    """Who speaks now, loudest first."""

    speakers: list[Speaker] = []


class Quality(Frame, frozen=True):
    """How good this client's own connection has been for some seconds, as the server counts it; told when it changes.

    ``score``: 5 excellent, 4 good, 3 fair, 2 poor, 1 bad. The shares of packets that stayed lost are between 0 and 1.
    """

    score: Annotated[int, Meta(ge=1, le=5)]
    up_loss: float = 0.0
    down_loss: float = 0.0
    round_trip_ms: int | None = None


class IceServer(Frame, frozen=True):
    urls: list[str]
    username: str | None = None
    credential: str | None = None


class MediaState(Frame, frozen=True):
    """State of the media session as the server sees it."""

    state: Literal["connecting", "connected", "disconnected", "closed"]
    reason: str | None = None


class TrackMuted(Frame, frozen=True):
    """A participant mutes or unmutes what it sends (``set-track``)."""

    kind: TrackKind
    muted: bool


class IceRestart(Frame, frozen=True):
    offer: Sdp


class IceRestarted(Frame, frozen=True):
    answer: str


# --- joining -----------------------------------------------------------------------------------------------------


class Join(Frame, frozen=True):
    """Enter the token's room. With ``session`` and no ``offer``: come back to a media session that still lives."""

    room: RoomId
    offer: Sdp | None = None
    session: Annotated[str, Meta(max_length=64)] | None = None
    tracks: Annotated[list[TrackIntent], Meta(max_length=16)] = []
    view: View = View()
    position: Position | None = None


class Joined(Frame, frozen=True):
    """Everything a client needs, in one acknowledgement.

    ``chat`` answers the position of the request, or holds a first page in ``history`` where there was none.
    """

    room: RoomInfo
    you: Participant
    participants: list[Participant]
    grants: Grants
    session: str | None = None
    answer: str | None = None
    slots: Slots | None = None
    chat: Synced | None = None
    history: HistoryPage | None = None
    ice_servers: list[IceServer] = []


class Leave(Frame, frozen=True):
    pass


class SessionEnded(Frame, frozen=True):
    """The server ended this presence. ``replaced``: the same identity joined elsewhere. ``logged-out``: the session
    ended, or the account changed: what the token allowed is to be asked for anew."""

    code: Literal["replaced", "removed", "room-ended", "expired", "shutdown", "logged-out"]
    message: str


class GoAway(Frame, frozen=True):
    """The server is about to stop. The client comes back after ``after_ms``, each after another, to any server."""

    after_ms: Annotated[int, Meta(ge=0, le=600_000)]


class AddRobot(Frame, frozen=True):
    pass


# --- HTTP ----------------------------------------------------------------------------------------------------------


class CreateRoom(Frame, frozen=True):
    """``POST /rooms``."""

    name: Annotated[str, Meta(max_length=80)] = ""


class RoomList(Frame, frozen=True):
    """``GET /rooms``."""

    rooms: list[RoomInfo]


class MintToken(Frame, frozen=True):
    """``POST /rooms/{id}/tokens``. Guests choose their name only; the other fields need an API key."""

    name: DisplayName
    identity: Identity | None = None
    grants: Grants | None = None
    ttl_s: Annotated[int, Meta(ge=10, le=30 * 86_400)] | None = None


class RoomToken(Frame, frozen=True):
    """What opens a room: present it when connecting to ``/ws``, or as a bearer token over HTTP."""

    token: str
    identity: Identity
    name: DisplayName
    expires_at: Millis
    video_codec: VideoCodec = "vp8"


class ParticipantList(Frame, frozen=True):
    """``GET /rooms/{id}/participants``."""

    participants: list[Participant]


# --- doors ---------------------------------------------------------------------------------------------------------

REQUESTS: dict[str, tuple[type[Frame], type[Frame]]] = {
    "join": (Join, Joined),
    "leave": (Leave, Ok),
    "view": (View, Ok),
    "set-track": (TrackMuted, Ok),
    "restart-ice": (IceRestart, IceRestarted),
    "add-robot": (AddRobot, Participant),
    **CHAT_REQUESTS,
}
"""Client to server, each answered: event name -> (request, answer)."""

NOTICES: dict[str, type[Frame]] = {
    "participant-joined": Participant,
    "participant-updated": Participant,
    "participant-left": ParticipantLeft,
    "slots": Slots,
    "layers": Layers,
    "speakers": Speakers,
    "quality": Quality,
    "media-state": MediaState,
    "message": Messages,
    "tips": Tips,
    "lagged": Tips,
    "receipt": Receipt,
    "gone": Gone,
    "somebody-typing": SomebodyTyping,
    **PRESENCE_NOTICES,
    "session-ended": SessionEnded,
    "goaway": GoAway,
}
"""Server to client, never answered."""

CHANNEL_REQUESTS: dict[str, frozenset[str]] = {
    "control": frozenset({"view", "set-track"}),
    "chat": frozenset(
        {
            *("send-message", "edit-message", "delete-message", "hide-message", "react", "pin-message"),
            *("history", "messages", "edits", "pins", "mark-read", "mark-unread", "typing", "sync", "fill"),
        }
    ),
}
"""Which requests each data channel takes; the rest go over Socket.IO only."""

CHANNEL_NOTICES: dict[str, frozenset[str]] = {
    "control": frozenset({"slots", "layers", "speakers", "quality"}),
    "chat": frozenset({"message", "tips", "lagged", "gone", "receipt", "somebody-typing"}),
}
"""Which notices go over a data channel while it is open, and over Socket.IO while it is not."""

HTTP_REQUESTS: tuple[type[Frame], ...] = (CreateRoom, MintToken, DevelopmentLogIn, *ACCOUNT_REQUESTS)
HTTP_ANSWERS: tuple[type[Frame], ...] = (
    *(RoomInfo, RoomList, RoomToken, ParticipantList, Participant, LoggedIn),
    *ACCOUNT_ANSWERS,
)
"""Bodies of the HTTP door beyond the requests above, for the generated types."""
