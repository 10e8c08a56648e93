"""Chromium against the media server alone, without signaling or our client: it accepts our answers, and media flows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page, async_playwright

from sfu.sdp.parse import parse
from sfu.sdp.plan import infer_tracks
from sfu.service import SfuService
from tertulia.catalogue import Grants, TrackIntent, View
from tests.browser.people import launch
from tests.sfu.peers import Heard, Peer, until
from tests.sfu.test_call import Caller

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><meta charset=utf-8><title>test</title><body><script>
const trim = (transceiver, kind) => transceiver.setCodecPreferences(
  RTCRtpReceiver.getCapabilities(kind).codecs.filter(c => /opus|vp8|h264|rtx/i.test(c.mimeType)));
const layers = [
  {rid: 'q', scaleResolutionDownBy: 4}, {rid: 'h', scaleResolutionDownBy: 2}, {rid: 'f', scaleResolutionDownBy: 1}];

async function join(name, seats, colour, width, height) {
  const times = {begin: performance.now()};
  const pc = window.pc = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
  const add = (kind, init) => { const t = pc.addTransceiver(kind, init); trim(t, kind); return t; };
  const microphone = add('audio', {direction: 'sendonly'});
  const camera = add('video', {direction: 'sendonly', sendEncodings: layers});
  add('video', {direction: 'sendonly'});
  add('audio', {direction: 'sendonly'});
  const slots = window.slots = [];
  for (let i = 0; i < seats; i++) {
    add('audio', {direction: 'recvonly'});
    slots.push(add('video', {direction: 'recvonly'}));
  }
  for (let i = 0; i < 3; i++) add('audio', {direction: 'recvonly'});
  window.frames_ = {};
  for (const id of [0, 1]) {
    const channel = pc.createDataChannel(['control', 'chat'][id], {negotiated: true, id});
    window[channel.label] = channel;
    window.frames_[channel.label] = [];
    channel.onmessage = event => window.frames_[channel.label].push(event.data);
  }
  window.state = () => pc.connectionState;
  await pc.setLocalDescription(await pc.createOffer());
  times.offered = performance.now();
  const answer = await (await fetch('/join/' + name, {method: 'POST', body: pc.localDescription.sdp})).text();
  times.answered = performance.now();
  window.answer = answer;
  const connected = new Promise(done => {
    pc.onconnectionstatechange = () => pc.connectionState === 'connected' && done();
  });
  await pc.setRemoteDescription({type: 'answer', sdp: answer});
  times.applied = performance.now();
  if (colour) {
    const canvas = document.createElement('canvas');
    canvas.width = width; canvas.height = height;
    const context = canvas.getContext('2d');
    let count = 0;
    setInterval(() => {
      context.fillStyle = colour; context.fillRect(0, 0, width, height);
      context.fillStyle = 'black'; context.fillRect(count++ * 7 % width, height * 5 / 6, 20, height / 6);
    }, 33);
    await camera.sender.replaceTrack(canvas.captureStream(30).getVideoTracks()[0]);
  }
  await connected;
  times.connected = performance.now();
  for (const slot of slots) {
    const video = document.createElement('video');
    video.muted = true; video.autoplay = true; video.playsInline = true;
    video.srcObject = new MediaStream([slot.receiver.track]);
    document.body.append(video);
  }
  return {times, offer: pc.localDescription.sdp.length, answer: answer.length};
}

// What the slots show, as the mean colour of each picture's upper half.
function pictures() {
  return [...document.querySelectorAll('video')].map((video, index) => {
    if (!video.videoWidth) return null;
    const canvas = document.createElement('canvas');
    canvas.width = 16; canvas.height = 16;
    const context = canvas.getContext('2d');
    context.drawImage(video, 0, 0, video.videoWidth, video.videoHeight / 2, 0, 0, 16, 16);
    const pixels = context.getImageData(0, 0, 16, 16).data;
    const sum = [0, 0, 0];
    for (let i = 0; i < pixels.length; i += 4) for (let c = 0; c < 3; c++) sum[c] += pixels[i + c] / 256;
    const colour = ['red', 'green', 'blue'][sum.indexOf(Math.max(...sum))];
    return {mid: slots[index].mid, width: video.videoWidth, colour};
  });
}

async function restart() {
  const before = pc.getSenders()[0].transport.iceTransport.getSelectedCandidatePair();
  await pc.setLocalDescription(await pc.createOffer({iceRestart: true}));
  const answer = await (await fetch('/restart', {method: 'POST', body: pc.localDescription.sdp})).text();
  await pc.setRemoteDescription({type: 'answer', sdp: answer});
}

async function decoded() {
  let frames = 0;
  (await pc.getStats()).forEach(s => {
    if (s.type === 'inbound-rtp' && s.kind === 'video') frames += s.framesDecoded || 0;
  });
  return frames;
}

async function sent() {
  const found = {};
  (await pc.getStats()).forEach(s => {
    if (s.type === 'outbound-rtp' && s.kind === 'video' && s.rid)
      found[s.rid] = {
        frames: s.framesEncoded, width: s.frameWidth, kbps: s.targetBitrate / 1000, limit: s.qualityLimitationReason
      };
    if (s.type === 'candidate-pair' && s.nominated) found.estimate = s.availableOutgoingBitrate;
  });
  return found;
}
</script>"""


class Site:
    """Serves the page and puts those who ask into a room."""

    def __init__(self, sfu: SfuService) -> None:
        self.sfu = sfu
        self.heard: dict[str, Heard] = {}
        self.sessions: dict[str, str] = {}
        self.url = ""

    async def page(self, _: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def join(self, request: web.Request) -> web.Response:
        offer, name = await request.text(), request.match_info["name"]
        tracks = [TrackIntent(mid=mid, kind=kind) for mid, kind in infer_tracks(parse(offer)).items()]
        self.heard[name] = Heard()
        joined = await self.sfu.join("room", name, Grants(), offer, tracks, View(), self.heard[name])
        self.sessions[name] = joined.session
        return web.Response(text=joined.answer)

    async def restart(self, request: web.Request) -> web.Response:
        (session,) = self.sessions.values()
        return web.Response(text=await self.sfu.restart_ice(session, await request.text()))


@pytest.fixture
async def site(sfu: SfuService) -> AsyncIterator[Site]:
    found = Site(sfu)
    app = web.Application()
    app.add_routes(
        [web.get("/", found.page), web.post("/join/{name}", found.join), web.post("/restart", found.restart)]
    )
    async with TestServer(app) as server:
        found.url = str(server.make_url("/"))
        yield found


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        chromium = await launch(playwright)
        yield chromium
        await chromium.close()


async def open_page(
    browser: Browser, site: Site, name: str, seats: int, colour: str | None, size: tuple[int, int] = (640, 360)
) -> tuple[Page, Any]:
    page = await browser.new_page()
    await page.goto(site.url)
    return page, await page.evaluate("([n, s, c, w, h]) => join(n, s, c, w, h)", [name, seats, colour, *size])


async def holds(page: Page, expression: str, limit: float = 30) -> None:
    """Wait until the expression is true; unlike ``wait_for_function``, which takes any promise for true, awaits it."""
    async with asyncio.timeout(limit):
        while not await page.evaluate(expression):  # noqa: ASYNC110 - any condition in the page, not one event
            await asyncio.sleep(0.05)


async def shows(page: Page, colour: str) -> None:
    await page.wait_for_function(f"() => pictures().some(p => p && p.colour === '{colour}')", timeout=20_000)


async def test_two_pages_see_each_other(sfu: SfuService, site: Site, browser: Browser) -> None:
    ann, joined = await open_page(browser, site, "ann", 9, "red")
    assert joined["answer"] < 33_000
    bob, _ = await open_page(browser, site, "bob", 9, "rgb(0,0,255)")
    await shows(bob, "red")
    await shows(ann, "blue")
    assert site.heard["ann"].channels == {"control": True, "chat": True}
    await ann.evaluate("chat.send('hello')")
    await until(lambda: site.heard["ann"].frames == [("chat", b"hello")])
    assert sfu.send(site.sessions["bob"], "control", b"{}")
    await bob.wait_for_function("() => frames_.control.length === 1 && frames_.control[0] === '{}'")


async def test_simulcast_layers_come_up_and_stay(site: Site, browser: Browser, peers: list[Peer]) -> None:
    # Of a smaller picture Chromium sends only the first two encodings.
    page, _ = await open_page(browser, site, "ann", 1, "rgb(0,128,0)", (960, 540))
    await holds(
        page,
        "async () => { const s = await sent(); return ['q', 'h', 'f'].every(rid => s[rid] && s[rid].frames > 30); }",
    )
    caller = Caller(site.sfu, "bob")
    peers.append(caller.peer)
    await caller.call(None, 440, seats=1)
    await until(lambda: caller.sees("ann", "green"))


async def test_an_ice_restart_goes_unnoticed(site: Site, browser: Browser, peers: list[Peer]) -> None:
    page, _ = await open_page(browser, site, "ann", 2, "red")
    caller = Caller(site.sfu, "bob")
    peers.append(caller.peer)
    await caller.call("blue", 440)
    await shows(page, "blue")
    await page.evaluate("restart()")
    before = await page.evaluate("decoded()")
    await holds(page, f"async () => await decoded() > {before} + 30")
    assert await page.evaluate("state()") == "connected"
    assert [state for state, _ in site.heard["ann"].states] == ["connected"]
    await until(lambda: caller.sees("ann", "red"))


async def test_a_page_that_closes_is_gone_at_once(site: Site, browser: Browser) -> None:
    page, _ = await open_page(browser, site, "ann", 1, None)
    await page.evaluate("pc.close()")
    await until(lambda: site.heard["ann"].state == "closed", limit=5)
    assert site.sfu.stats()["sessions"] == 0
