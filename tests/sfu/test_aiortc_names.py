"""The private names of aiortc that ``sfu/transport`` builds on. When one of these changes, the pin may not be raised
before ``dtls.py`` and ``sctp.py`` have been read against the new source."""

from __future__ import annotations

import importlib.metadata
import inspect

import aiortc.rtcdtlstransport as dtls
import aiortc.rtcsctptransport as sctp
import pytest

from sfu.transport.dtls import Certificate, DtlsTransport
from sfu.transport.ice import CoreIce
from sfu.transport.sctp import SctpTransport


def test_the_version_is_the_pinned_one() -> None:
    assert importlib.metadata.version("aiortc") == "1.16.0"


@pytest.mark.parametrize(
    ("owner", "name", "parameters"),
    [
        (dtls.RTCDtlsTransport, "_do_handshake", ["self"]),
        (dtls.RTCDtlsTransport, "_recv_next", ["self"]),
        (dtls.RTCDtlsTransport, "_send_data", ["self", "data"]),
        (dtls.RTCDtlsTransport, "_set_role", ["self", "role"]),
        (dtls.RTCDtlsTransport, "_set_state", ["self", "state"]),
        (dtls.RTCDtlsTransport, "_setup_srtp", ["self"]),
        (dtls.RTCDtlsTransport, "_write_ssl", ["self"]),
        (dtls.RTCCertificate, "_create_ssl_context", ["self", "srtp_profiles"]),
        (dtls.SRTPProtectionProfile, "get_key_and_salt", ["self", "src", "idx"]),
        (sctp.RTCSctpTransport, "_data_channel_receive", ["self", "stream_id", "pp_id", "data"]),
        (sctp.RTCSctpTransport, "_handle_data", ["self", "data"]),
        (sctp.RTCSctpTransport, "_receive_data_chunk", ["self", "chunk"]),
        (sctp.RTCSctpTransport, "_receive_forward_tsn_chunk", ["self", "chunk"]),
        (sctp.RTCSctpTransport, "_receive_sack_chunk", ["self", "chunk"]),
        (sctp.RTCSctpTransport, "_update_rto", ["self", "R"]),
    ],
)
def test_methods_have_their_names_and_parameters(owner: type, name: str, parameters: list[str]) -> None:
    assert list(inspect.signature(getattr(owner, name)).parameters) == parameters


async def test_instances_have_the_attributes() -> None:
    certificate = Certificate.generateCertificate()
    transport = DtlsTransport(CoreIce(lambda data: None), certificate, lambda *keys: None)
    stock = dtls.RTCDtlsTransport(CoreIce(lambda data: None), [certificate])  # type: ignore[arg-type]  # duck-typed
    for name in ("_ssl", "_srtp_profiles", "_state", "_role", "_data_receiver", "encrypted", "transport"):
        assert hasattr(stock, name), name
    association = SctpTransport(transport, {0: "control"}, lambda *message: None, lambda *state: None)
    plain = sctp.RTCSctpTransport(transport)
    for name in (
        "_association_state",
        "_inbound_streams",
        "_last_received_tsn",
        "_local_tsn",
        "_remote_max_message_size",
        "_rto",
        "_rttvar",
        "_sack_duplicates",
        "_sent_queue",
        "_srtt",
    ):
        assert hasattr(plain, name), name
        assert hasattr(association, name), name
    assert hasattr(sctp.InboundStream(), "reassembly")
    assert {state.name for state in dtls.State} == {"NEW", "CONNECTING", "CONNECTED", "CLOSED", "FAILED"}
    assert hasattr(sctp.RTCSctpTransport.State, "ESTABLISHED")


def test_one_context_serves_all_sessions() -> None:
    certificate = Certificate.generateCertificate()
    assert certificate._create_ssl_context(dtls.SRTP_PROFILES) is certificate._create_ssl_context(dtls.SRTP_PROFILES)
