"""One client's transport: DTLS and SCTP by aiortc, over datagrams that the core receives and sends.

``dtls.py`` and ``sctp.py`` are the only files of the project that touch private names of aiortc (pinned in
``pyproject.toml``); ``tests/sfu/test_aiortc_names.py`` fails when one of those names changes.
"""
