"""A page of another origin in a real browser: headless Chromium loads a page that a test serves, and reports the result."""

import contextlib
import http.server
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest

from harness import USER, wait_for

PAGE = """<!doctype html><title>playback</title><script>
const url = %s;
const said = {};
const once = (thing, name) => new Promise((resolve, reject) => {
  thing.addEventListener(name, resolve, { once: true });
  thing.addEventListener("error", () => reject(thing.error && thing.error.message || "error"), { once: true });
});
const attempt = async (name, work) => {
  try { said[name] = await work(); } catch (error) { said[name + "_error"] = String(error); }
};
(async () => {
  await attempt("fetch", async () => {
    const bytes = await (await fetch(url)).arrayBuffer();
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    said.sha256 = Array.from(digest, byte => byte.toString(16).padStart(2, "0")).join("");
    const wave = await new OfflineAudioContext(1, 8000, 8000).decodeAudioData(bytes);
    return wave.duration;
  });
  await attempt("audio", async () => {
    const audio = new Audio();
    audio.crossOrigin = "anonymous";
    audio.muted = true;
    const loaded = once(audio, "canplaythrough");
    audio.src = url;
    await loaded;
    const seeked = once(audio, "seeked");
    audio.currentTime = audio.duration - 1;
    await seeked;
    said.at = audio.currentTime;
    const ended = once(audio, "ended");
    await audio.play();
    await ended;
    return audio.duration;
  });
  await fetch("/said", { method: "POST", body: JSON.stringify(said) });
})();
</script>"""


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.server.page.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.server.said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def served(page):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.page, server.said = page, None
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def chromium():
    program = os.environ.get("TONICFS_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        pytest.skip("no Chromium here: playback in a browser is not tried")
    return program


def play(url, timeout=40):
    """What a page on a loopback origin of its own makes of the URL: fetch and <audio crossorigin>, played and seeked."""
    program = chromium()
    with served(PAGE % json.dumps(url)) as server, tempfile.TemporaryDirectory(dir="/var/tmp") as profile:
        USER.own(Path(profile))
        process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--mute-audio", "--autoplay-policy=no-user-gesture-required", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--no-proxy-server", f"--user-data-dir={profile}/data",
             f"http://127.0.0.1:{server.server_port}/"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            env={"PATH": os.environ["PATH"], "HOME": profile, "TMPDIR": profile}, **USER.popen_args())
        try:
            wait_for(lambda: server.said is not None or process.poll() is not None, timeout, "the page's word")
            assert server.said is not None, f"Chromium ended with {process.returncode}"
            return server.said
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=10)
