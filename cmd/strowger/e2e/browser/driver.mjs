// Drives one Chromium for the Go tests: a JSON command a line on stdin, a JSON answer a line on stdout.
//   node driver.mjs MICROPHONE.wav
import { chromium } from "playwright-core";
import { createInterface } from "node:readline";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const profile = mkdtempSync(join(tmpdir(), "strowger-chromium-"));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  viewport: { width: 1280, height: 860 },
  ignoreHTTPSErrors: true,
  permissions: ["microphone"],
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
    `--use-file-for-fake-audio-capture=${process.argv[2]}`, "--allow-loopback-in-peer-connection",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
  ],
});
const log = [];

// Every peer connection's remote audio goes through an analyser, so that the test can ask what the page hears.
await context.addInitScript(() => {
  const heard = (window.__heard = { analysers: [], peers: [] });
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(...args) {
      super(...args);
      heard.peers.push(this);
      this.addEventListener("track", (event) => {
        const stream = event.streams[0] ?? new MediaStream([event.track]);
        const element = new Audio();
        element.srcObject = stream;
        element.play().catch(() => {});
        const audio = new AudioContext();
        const analyser = audio.createAnalyser();
        analyser.fftSize = 16384;
        analyser.smoothingTimeConstant = 0;
        audio.createMediaStreamSource(stream).connect(analyser);
        heard.analysers = [{ analyser, audio, element }];
      });
    }
    close() {
      heard.analysers = [];
      super.close();
    }
  };
});
const page = context.pages()[0] ?? (await context.newPage());
page.on("console", (m) => log.push(`${m.type()}: ${m.text()}`));
page.on("pageerror", (e) => log.push(`error: ${e}`));

const commands = {
  goto: ({ url }) => page.goto(url, { waitUntil: "load" }).then(() => page.url()),
  click: ({ selector, timeout }) => page.click(selector, { timeout: timeout ?? 10000 }),
  fill: ({ selector, text }) => page.fill(selector, text, { timeout: 10000 }),
  press: ({ key }) => page.keyboard.press(key),
  wait: ({ selector, timeout, state }) => page.waitForSelector(selector, { timeout: timeout ?? 15000, state: state ?? "visible" }).then(() => true),
  text: ({ selector }) => page.innerText(selector, { timeout: 10000 }),
  count: ({ selector }) => page.locator(selector).count(),
  eval: ({ js }) => page.evaluate(js),
  reload: () => page.reload().then(() => true),
  screenshot: ({ path }) => page.screenshot({ path, fullPage: true }).then(() => path),
  log: () => log,
  // The strongest frequency that the page hears now, and how loud it is (0 to 1).
  heard: () => page.evaluate(() => {
    const entry = window.__heard.analysers.at(-1);
    if (!entry) return { hz: 0, rms: 0 };
    const { analyser, audio } = entry;
    const spectrum = new Float32Array(analyser.frequencyBinCount);
    const wave = new Float32Array(analyser.fftSize);
    analyser.getFloatFrequencyData(spectrum);
    analyser.getFloatTimeDomainData(wave);
    let peak = 1;
    for (let i = 1; i < spectrum.length; i++) if (spectrum[i] > spectrum[peak]) peak = i;
    let power = 0;
    for (const v of wave) power += v * v;
    return { hz: (peak * audio.sampleRate) / analyser.fftSize, rms: Math.sqrt(power / wave.length) };
  }),
};

const answer = (v) => process.stdout.write(JSON.stringify(v) + "\n");
answer({ ok: true, value: "ready" });
for await (const line of createInterface({ input: process.stdin })) {
  const { id, cmd, ...args } = JSON.parse(line);
  try {
    answer({ id, ok: true, value: (await commands[cmd](args)) ?? null });
  } catch (error) {
    answer({ id, ok: false, error: String(error) });
  }
}
await context.close();
rmSync(profile, { recursive: true, force: true });
