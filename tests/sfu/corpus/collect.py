"""Collects offers of the browsers installed here: ``python tests/sfu/corpus/collect.py [chromium] [firefox]``.

Serves a page that makes offers of every shape the server meets and posts their text back; no browser automation is
needed, so that Firefox as Debian ships it can take part.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
import tempfile
from pathlib import Path

from aiohttp import web

HERE = Path(__file__).parent
PAGE = """<!doctype html><meta charset=utf-8><title>offers</title><script type=module>
const trim = (transceiver, kind, wanted) => {
  if (!transceiver.setCodecPreferences) return;
  const codecs = RTCRtpReceiver.getCapabilities(kind).codecs;
  transceiver.setCodecPreferences(codecs.filter(c => wanted.includes(c.mimeType.split('/')[1].toLowerCase())));
};
const layers = [{rid: 'q', scaleResolutionDownBy: 4}, {rid: 'h', scaleResolutionDownBy: 2}, {rid: 'f'}];
const shapes = {
  call(pc) {
    const add = (kind, init) => trim(pc.addTransceiver(kind, init), kind, ['opus', 'vp8', 'h264', 'rtx']);
    add('audio', {direction: 'sendonly'});
    add('video', {direction: 'sendonly', sendEncodings: layers});
    add('video', {direction: 'sendonly'});
    add('audio', {direction: 'sendonly'});
    for (let i = 0; i < 9; i++) { add('audio', {direction: 'recvonly'}); add('video', {direction: 'recvonly'}); }
    for (let i = 0; i < 3; i++) add('audio', {direction: 'recvonly'});
    pc.createDataChannel('control', {negotiated: true, id: 0});
    pc.createDataChannel('chat', {negotiated: true, id: 1});
  },
  untrimmed(pc) {
    pc.addTransceiver('audio', {direction: 'sendonly'});
    pc.addTransceiver('video', {direction: 'sendonly', sendEncodings: layers});
    pc.addTransceiver('audio', {direction: 'recvonly'});
    pc.addTransceiver('video', {direction: 'recvonly'});
    pc.createDataChannel('control', {negotiated: true, id: 0});
  },
  whip(pc) {
    pc.addTransceiver('audio', {direction: 'sendonly'});
    pc.addTransceiver('video', {direction: 'sendonly'});
  },
  whep(pc) {
    pc.addTransceiver('audio', {direction: 'recvonly'});
    pc.addTransceiver('video', {direction: 'recvonly'});
  },
};
for (const [name, build] of Object.entries(shapes)) {
  const pc = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
  build(pc);
  await pc.setLocalDescription(await pc.createOffer());
  await Promise.race([new Promise(done => setTimeout(done, 1500)), new Promise(done => {
    pc.onicegatheringstatechange = () => pc.iceGatheringState === 'complete' && done();
  })]);
  await fetch('/offers/' + name, {method: 'POST', body: pc.localDescription.sdp});
  pc.close();
}
await fetch('/done', {method: 'POST', body: navigator.userAgent});
</script>"""


async def collect(browser: str) -> None:
    done = asyncio.Event()

    async def page(request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def offer(request: web.Request) -> web.Response:
        path = HERE / f"{browser}-{request.match_info['name']}.sdp"
        path.write_bytes(await request.read())
        return web.Response()

    async def finished(request: web.Request) -> web.Response:
        sys.stdout.write(f"{browser}: {await request.text()}\n")
        done.set()
        return web.Response()

    app = web.Application()
    app.add_routes([web.get("/", page), web.post("/offers/{name}", offer), web.post("/done", finished)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    profile = tempfile.mkdtemp()
    commands = {
        "chromium": ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}", url],
        "firefox": ["firefox-esr", "--headless", "--no-remote", "--profile", profile, url],
    }
    program, *arguments = commands[browser]
    process = await asyncio.create_subprocess_exec(
        program, *arguments, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await asyncio.wait_for(done.wait(), 90)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        await runner.cleanup()
        shutil.rmtree(profile, ignore_errors=True)


for name in sys.argv[1:] or ["chromium", "firefox"]:
    asyncio.run(collect(name))
