// Waveform over spectrogram on one time axis, on a tape. After `core.js`, `glide.js` and `sound.js`; the
// audio scope and the microphone share it.

const DB_LOW = -70, DB_HIGH = 0;
// A column of the spectrogram is known when its whole frame is there: the picture stays so many samples behind.
const COLUMN_LAG = 400;

/** 256 colours of the look's ramp, read from the page: it holds plain colours only. */
const rampOf = (el) => {
  const stops = getComputedStyle(el).getPropertyValue("--tk-ramp").split(",").map((s) => [1, 3, 5].map((k) => parseInt(s.trim().slice(k, k + 2), 16)));
  return Array.from({ length: 256 }, (_, v) => {
    const t = v / 255 * (stops.length - 1), i = Math.min(stops.length - 2, t | 0);
    return stops[i].map((a, k) => Math.round(a + (stops[i + 1][k] - a) * (t - i)));
  });
};

const soundEdges = (w) => [56, w - (w < 700 ? 64 : 72)];

/** draw(cv, colours, s, forced, place) of a picture of sound, which returns whether anything moved.
 *
 *  s: {ring, spectrum, end (a place: samples and a fraction), seconds, back, scale (what the waveform's edge is), stale, now, theme}. */
const soundPicture = (root) => {
  const tape = new Tape(), ground = new Ground(), wave = { y: 28, high: 74 }, spec = { y: 130, high: 128 }, H = spec.y + spec.high + 22;
  let shown = null, ramp = null, theme = null;
  return (cv, t, s, forced, place) => {
    const { ring, spectrum } = s, w = cv.clientWidth || cv.parentElement.clientWidth || 600, [x0, x1] = soundEdges(w);
    if (!forced && scaleOf(cv, w, x0, x1, ring.rate, s).right === shown) return false;
    if (theme !== s.theme) { theme = s.theme; ramp = rampOf(root); }
    const { g } = canvasOf(cv, H), scale = scaleOf(cv, w, x0, x1, ring.rate, s);
    shown = scale.right;
    if (forced) place?.(0, x1, wave.y - 27);
    ground.show(g, [s.theme, s.scale, s.seconds, s.back.toFixed(3), s.now, w].join(), w, H, (b) => soundGround(b, t, s, ramp, wave, spec, x0, x1, w, H));
    if (!ring.size) return true;
    const known = Math.min(ring.end, spectrum.next * spectrum.hop + (spectrum.frame - spectrum.hop) / 2);
    const key = [ring.generation, Boolean(s.held), s.theme, s.scale, scale.key].join();
    tape.advance(key, scale.width, cv.height, scale.left, Math.floor(known * scale.perSample), (b, from, to, base) => {
      paintWave(b, t, ring, from, to, base, scale, wave, s.scale);
      paintColumns(b, ramp, ring, spectrum, from, to, base, scale, spec);
      for (const [first, n] of ring.gaps) for (const { y, high } of [wave, spec]) {
        hatchBand(b, from - base, to - base, first * scale.perSample - base, (first + n) * scale.perSample - base, y * scale.d, (y + high) * scale.d, t, scale.d);
      }
    });
    g.save(); g.setTransform(1, 0, 0, 1, 0, 0);
    if (s.stale) g.globalAlpha = 0.4;
    tape.show(g, scale.left, scale.width, scale.at);
    g.restore();
    g.strokeStyle = t.line; g.lineWidth = 1; g.strokeRect(x0 - 0.5, spec.y - 0.5, x1 - x0 + 1, spec.high + 1);
    nameGaps(g, t, ring.gaps.filter(([first]) => first <= s.end), scale.X, ring.rate, x0, x1, wave.y + 8);
    return true;
  };
};

function soundGround(g, t, s, ramp, wave, spec, x0, x1, w, H) {
  const { spectrum } = s, m = s.scale;
  g.fillStyle = t.plot; g.fillRect(0, 0, w, H);
  for (const v of [-1, -0.5, 0, 0.5, 1]) {
    const y = crisp(wave.y + wave.high / 2 - v * wave.high / 2);
    rule(g, v ? t.line : t.edge, x0, y, x1, y);
    if (Math.abs(v) !== 0.5) write(g, t, signed(v * m, v && m < 1 ? (m < 0.1 ? 2 : 1) : 0), x0 - 7, y, { align: "right" });
  }
  write(g, t, fitting(g, t, x1 - x0 - 70, "waveform, full scale = 1", "waveform"), x0, wave.y - 11, { size: 12, fill: t.ink, bold: true });
  const bands = `log-mel, ${spectrum.mels} bands`;
  write(g, t, fitting(g, t, w - x0, `${bands}, one column = ${1000 * spectrum.hop / spectrum.rate} ms`, bands), x0, spec.y - 9, { size: 12, fill: t.ink, bold: true });
  for (const [hz, words] of [[4000, "4 kHz"], [1000, "1 kHz"], [250, "250 Hz"]]) write(g, t, words, x0 - 7, spec.y + spec.high * (1 - spectrum.place(hz)), { align: "right" });
  const lx = x1 + 14;
  for (let i = 0; i < spec.high; i++) { g.fillStyle = `rgb(${ramp[255 - Math.round(255 * i / (spec.high - 1))]})`; g.fillRect(lx, spec.y + i, 10, 1.2); }
  g.strokeStyle = t.edge; g.lineWidth = 1; g.strokeRect(lx - 0.5, spec.y - 0.5, 11, spec.high + 1);
  write(g, t, "0 dB", lx + 16, spec.y + 5); write(g, t, minus(DB_LOW / 2), lx + 16, spec.y + spec.high / 2); write(g, t, minus(DB_LOW), lx + 16, spec.y + spec.high - 5);
  timeTicks(g, t, x0, x1, H - 11, s);
}

/** Lowest to highest sample of every pixel in [from, to), and the one before, so that neighbours meet. */
function paintWave(g, t, ring, from, to, base, { perSample, d }, { y, high }, limit) {
  const middle = (y + high / 2) * d, half = high / 2 * d, Y = (v) => middle - Math.max(-1, Math.min(1, v / 32768 / limit)) * half;
  g.setTransform(1, 0, 0, 1, 0, 0);
  g.fillStyle = t.fill;
  g.beginPath();
  for (let px = from; px < to; px++) {
    const first = Math.max(ring.start, Math.floor(px / perSample) - 1), end = Math.min(ring.end, Math.ceil((px + 1) / perSample));
    if (first >= end) continue;
    let lo = 32767, hi = -32768;
    for (let i = first; i < end; i++) { const v = ring.at(i); if (v < lo) lo = v; if (v > hi) hi = v; }
    const top = Math.round(Y(hi)), bottom = Math.round(Y(lo));
    g.rect(px - base, Math.min(top, bottom - d), 1, Math.max(d, bottom - top));
  }
  g.fill();
}

/** The spectrogram's pixels in [from, to): a column stands in the middle of its frame. */
function paintColumns(g, ramp, ring, spectrum, from, to, base, { perSample, d }, { y, high }) {
  const { mels, hop, frame, columns } = spectrum, rows = Math.round(high * d), n = to - from;
  const oldest = Math.max(Math.ceil(ring.start / hop), spectrum.next - columns, 0);
  const image = new ImageData(n, rows), out = image.data;
  for (let x = 0; x < n; x++) {
    const k = Math.floor(((from + x + 0.5) / perSample - (frame - hop) / 2) / hop);
    if (k < oldest || k >= spectrum.next) continue;
    const column = (k % columns) * mels;
    for (let row = 0; row < rows; row++) {
      const db = spectrum.db[column + mels - 1 - Math.floor(row * mels / rows)];
      const c = ramp[Math.max(0, Math.min(255, Math.round(255 * (db - DB_LOW) / (DB_HIGH - DB_LOW))))], at = (row * n + x) * 4;
      out[at] = c[0]; out[at + 1] = c[1]; out[at + 2] = c[2]; out[at + 3] = 255;
    }
  }
  g.putImageData(image, from - base, Math.round(y * d));
}
