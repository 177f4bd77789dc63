// Sound in the browser: the latest samples, their log-mel columns, level, and how they are drawn.
// After `core.js`; the audio scope, the microphone and the recorder share it (`spectrogram.js` has their picture).

const BIN = 64; // samples in one step of the envelope

/** The latest sound by its running index; what never came is a gap, and reads as silence. */
class SoundRing {
  constructor(rate, seconds) {
    this.rate = rate;
    this.capacity = Math.ceil(rate * seconds / BIN) * BIN;
    this.data = new Int16Array(this.capacity);
    this.low = new Int16Array(this.capacity / BIN);
    this.high = new Int16Array(this.capacity / BIN);
    this.clear();
  }
  clear() { this.start = this.end = 0; this.gaps = []; this.arrived = 0; this.generation = (this.generation || 0) + 1; }
  get size() { return this.end - this.start; }
  /** Samples with the index of the first one; returns whether it began anew. */
  push(index, counts) {
    const anew = !this.size || index < this.end - this.capacity || index > this.end + this.capacity;
    if (anew) { this.clear(); this.start = this.end = index; }
    if (index < this.end) { counts = counts.subarray(Math.min(counts.length, this.end - index)); index = this.end; }
    if (index > this.end) { this.gaps.push([this.end, index - this.end]); while (this.end < index) this.put(0); }
    for (let i = 0; i < counts.length; i++) this.put(counts[i]);
    this.start = Math.max(this.start, this.end - this.capacity);
    while (this.gaps.length && this.gaps[0][0] + this.gaps[0][1] < this.start) this.gaps.shift();
    if (counts.length) this.arrived = Date.now();
    return anew;
  }
  /** A message of samples with its buffer. */
  take(m, buffer) {
    const counts = int16Of(buffer);
    if (m.fresh) this.clear();
    m.runs.forEach(([row, index], r) => this.push(index, counts.subarray(row, r + 1 < m.runs.length ? m.runs[r + 1][0] : counts.length)));
  }
  put(v) {
    const at = this.end % this.capacity, bin = at / BIN | 0;
    this.data[at] = v;
    if (at % BIN === 0) { this.low[bin] = v; this.high[bin] = v; } else { if (v < this.low[bin]) this.low[bin] = v; if (v > this.high[bin]) this.high[bin] = v; }
    this.end++;
  }
  at(i) { return this.data[i % this.capacity]; }
  holes(from, to) { return this.gaps.some(([first, n]) => first < to && first + n > from); }
  lost(from) { return this.gaps.reduce((sum, [first, n]) => sum + Math.max(0, first + n - Math.max(first, from)), 0); }
  copy() {
    const r = new SoundRing(this.rate, this.capacity / this.rate);
    r.data.set(this.data); r.low.set(this.low); r.high.set(this.high);
    r.start = this.start; r.end = this.end; r.gaps = this.gaps.slice(); r.arrived = this.arrived;
    return r;
  }
}

/** Log-mel columns as tinykit's default front end counts them (HTK scale, Hann), in dB below a full-scale tone. */
class Spectrum {
  constructor({ rate, frame = 480, hop = 320, mels = 40, low = 60, high = 7600 }, seconds) {
    Object.assign(this, { rate, frame, hop, mels });
    this.points = 2 ** Math.ceil(Math.log2(frame));
    this.columns = Math.ceil(seconds * rate / hop) + 2;
    this.db = new Float32Array(this.columns * mels).fill(-200);
    this.next = -1; this.generation = 0;
    const n = this.points, mel = (f) => 1127 * Math.log(1 + f / 700), hz = (m) => 700 * (Math.exp(m / 1127) - 1);
    this.window = Float64Array.from({ length: frame }, (_, i) => 0.5 - 0.5 * Math.cos(2 * Math.PI * i / frame));
    this.full = 10 * Math.log10((frame / 4) ** 2);
    const edge = Array.from({ length: mels + 2 }, (_, k) => mel(low) + (mel(high) - mel(low)) * k / (mels + 1));
    this.bands = Array.from({ length: mels }, (_, k) => {
      const band = [];
      for (let b = 1; b <= n / 2; b++) {
        const m = mel(b * rate / n), w = Math.min((m - edge[k]) / (edge[k + 1] - edge[k]), (edge[k + 2] - m) / (edge[k + 2] - edge[k + 1]));
        if (w > 0) band.push([b, w]);
      }
      return band;
    });
    this.place = (f) => ((mel(f) - edge[0]) / (edge[1] - edge[0]) - 0.5) / mels; // 0 lowest, 1 highest
    this.hzOf = (k) => hz(edge[k + 1]);
    this.re = new Float64Array(n); this.im = new Float64Array(n);
    this.cos = Float64Array.from({ length: n / 2 }, (_, i) => Math.cos(2 * Math.PI * i / n));
    this.sin = Float64Array.from({ length: n / 2 }, (_, i) => Math.sin(2 * Math.PI * i / n));
  }
  /** All columns that the ring has the samples for by now. */
  advance(ring) {
    if (ring.generation !== this.generation || this.next < 0) { this.generation = ring.generation; this.next = Math.ceil(ring.start / this.hop); this.db.fill(-200); }
    this.next = Math.max(this.next, Math.ceil(ring.start / this.hop), Math.floor(ring.end / this.hop) - this.columns);
    for (; this.next * this.hop + this.frame <= ring.end; this.next++) this.column(ring, this.next);
  }
  column(ring, k) {
    const { re, im, points: n, frame } = this, from = k * this.hop, out = (k % this.columns) * this.mels;
    if (ring.holes(from, from + frame)) { this.db.fill(-200, out, out + this.mels); return; }
    im.fill(0); re.fill(0);
    for (let i = 0; i < frame; i++) re[i] = ring.at(from + i) / 32768 * this.window[i];
    this.transform();
    this.bands.forEach((band, j) => {
      let e = 1e-9;
      for (const [b, w] of band) e += w * (re[b] * re[b] + im[b] * im[b]);
      this.db[out + j] = 10 * Math.log10(e) - this.full;
    });
  }
  transform() { // radix 2, in place
    const { re, im, points: n, cos, sin } = this;
    for (let i = 1, j = 0; i < n; i++) {
      let bit = n >> 1;
      for (; j & bit; bit >>= 1) j ^= bit;
      j ^= bit;
      if (i < j) { [re[i], re[j]] = [re[j], re[i]]; [im[i], im[j]] = [im[j], im[i]]; }
    }
    for (let size = 2; size <= n; size <<= 1) {
      const half = size >> 1, step = n / size;
      for (let i = 0; i < n; i += size) for (let k = 0; k < half; k++) {
        const c = cos[k * step], s = -sin[k * step], a = i + k, b = a + half;
        const x = re[b] * c - im[b] * s, y = re[b] * s + im[b] * c;
        re[b] = re[a] - x; im[b] = im[a] - y; re[a] += x; im[a] += y;
      }
    }
  }
}

// -- level -------------------------------------------------------------------------------------

const decibels = (share) => share > 0 ? 20 * Math.log10(share) : -120;

/** Root mean square and peak of the samples from `from` on, in dB of full scale. */
const loudness = (ring, from, to = ring.end) => {
  let sum = 0, mean = 0, peak = 0, n = 0; // a microphone's offset is no sound
  for (let i = Math.max(from, ring.start); i < to; i++) { const v = ring.at(i); mean += v; sum += v * v; if (v > peak) peak = v; else if (-v > peak) peak = -v; n++; }
  return { rms: n ? decibels(Math.sqrt(Math.max(0, sum / n - (mean / n) ** 2)) / 32768) : -120, peak: decibels(peak / 32768), clipped: peak >= 32767 };
};

/** How loud the last seconds were, in words; `wanted` [low, high] in dBFS for the loudest tenth of a second. */
const verdictOf = (ring, wanted, seconds = 3) => {
  const now = loudness(ring, ring.end - ring.rate * 0.1), step = Math.round(ring.rate / 10);
  let best = -120, peak = -120, clipped = false;
  for (let to = ring.end; to - step >= Math.max(ring.start, ring.end - seconds * ring.rate); to -= step) {
    const part = loudness(ring, to - step, to);
    best = Math.max(best, part.rms); peak = Math.max(peak, part.peak); clipped = clipped || part.clipped;
  }
  const [kind, text] = !ring.size ? ["none", "no sound yet"] : best <= -119 ? ["warn", "digital silence"] : clipped ? ["warn", "clipping"]
    : best < wanted[0] ? ["none", best < wanted[0] - 15 ? "quiet" : "too quiet"] : best > wanted[1] ? ["warn", "too loud"] : ["ok", "good level"];
  return { now: now.rms, loudest: best, peak, kind, text };
};

/** The level meter: bar, peak, wanted range as a bracket, verdict in words. */
const levelMeter = (wanted) => {
  const bar = h("i", {}), peak = h("div.pk", {}), place = (db) => Math.min(100, Math.max(0, (db + 60) / 60 * 100));
  const meter = h("div.tk-lvl-m", { role: "meter", "aria-label": "Level", "aria-valuemin": -60, "aria-valuemax": 0 }, h("div.tr", {}, bar), peak,
    [[-60, "\u221260"], [-40, "\u221240"], [-20, "\u221220"]].map(([db, s]) => h("span", { style: `left:${place(db)}%${db === -60 ? ";transform:none" : ""}` }, s)),
    h("span", { style: "right:0;left:auto;transform:none" }, "0 dBFS"),
    h("div.band", { style: `left:${place(wanted[0])}%;width:${place(wanted[1]) - place(wanted[0])}%`, title: "wanted range of the loudest part" }));
  const word = h("span.tk-st.tk-none", {}), numbers = h("span.num.mut", {});
  let shown = "", spoken = 0, looked = 0, v = null;
  return {
    el: h("div.tk-lvl", {}, h("span", {}, "Level"), meter, h("span.vd", {}, word, numbers)),
    show(ring) {
      if (v && Date.now() - looked < 60) return v; // it goes through three seconds of samples
      looked = Date.now();
      v = verdictOf(ring, wanted);
      bar.style.width = `${place(v.now)}%`;
      peak.style.left = `${place(v.peak)}%`;
      peak.style.display = v.peak > -119 ? "" : "none";
      if (v.kind + v.text !== shown) { shown = v.kind + v.text; word.className = `tk-st tk-${v.kind}`; fill(word, icon(v.kind), h("span", {}, v.text)); }
      const some = v.loudest > -119;
      if (Date.now() - spoken > 500) {
        spoken = Date.now();
        setText(numbers, some ? `${fixed(v.loudest, 0)} dBFS, peak ${fixed(v.peak, 0)}` : "");
        meter.setAttribute("aria-valuenow", Math.round(Math.max(-60, v.now)));
        meter.setAttribute("aria-valuetext", some ? `loudest ${v.loudest.toFixed(0).replace("-", "minus ")} decibel, ${v.text}` : v.text);
      }
      return v;
    },
  };
};

// -- drawing -----------------------------------------------------------------------------------

/** The envelope over [from, end) in the band of height `height` at y0. */
const drawEnvelope = (g, t, ring, X, y0, height, from, scale = 1) => {
  const middle = y0 + height / 2, half = height / 2;
  g.fillStyle = t.fill;
  g.beginPath();
  const first = Math.floor(Math.max(from, ring.start) / BIN), last = Math.ceil(ring.end / BIN);
  const wide = X(BIN) - X(0), step = Math.max(1, Math.floor(1 / wide)); // at least a pixel each
  for (let b = Math.ceil(first / step) * step; b < last; b += step) {
    let lo = 32767, hi = -32768;
    for (let k = b; k < Math.min(last, b + step); k++) { const at = k % ring.low.length; lo = Math.min(lo, ring.low[at]); hi = Math.max(hi, ring.high[at]); }
    const top = middle - Math.min(1, hi / 32768 / scale) * half, bottom = middle - Math.max(-1, lo / 32768 / scale) * half;
    g.rect(X(b * BIN), Math.min(top, middle - 0.5), Math.max(1, wide * step + 0.3), Math.max(1, bottom - top));
  }
  g.fill();
};

const drawHoles = (g, t, ring, X, y0, y1, x0, from, said = true) => {
  let free = -1e9;
  for (const [first, n] of ring.gaps) {
    if (first + n < from) continue;
    const a = Math.max(x0, X(first)), b = Math.max(a + 2, X(first + n));
    g.fillStyle = t.plot; g.fillRect(a, y0, b - a, y1 - y0);
    hatch(g, a, y0, b - a, y1 - y0, t.edge);
    g.strokeStyle = t.warn; g.lineWidth = 1.5; g.beginPath(); g.moveTo(a, y0); g.lineTo(a, y1); g.moveTo(b, y0); g.lineTo(b, y1); g.stroke();
    if (!said) continue;
    const text = `${commas(n)} lost (${(n / ring.rate).toFixed(2)} s)`;
    g.font = `600 12px ${t.font}`;
    const room = g.measureText(text).width / 2, x = Math.max(x0 + room, (a + b) / 2);
    if (x - room > free) { write(g, t, text, x, y0 + 8, { size: 12, align: "center", fill: t.ink, bold: true, halo: t.plot }); free = x + room + 8; }
  }
};

/** What a listener would say about the picture. */
const soundWords = (ring, wanted, seconds) => {
  if (!ring.size) return "No sound yet.";
  const v = verdictOf(ring, wanted, seconds), lost = ring.lost(ring.end - seconds * ring.rate);
  return `Waveform and log-mel spectrogram of the last ${seconds} seconds. ${v.text}, loudest ${v.loudest.toFixed(0).replace("-", "minus ")} decibel. ${lost} samples lost.`;
};

// -- hearing -----------------------------------------------------------------------------------

/** Plays int16 sound in the page; made in a click, because browsers want one. One sound at a time. */
const soundPlayer = () => {
  let context = null, source = null, began = 0, seconds = 0;
  const stop = () => { if (source) { source.onended = null; source.stop(); source = null; } };
  return {
    wake() { context = context || new AudioContext(); context.resume(); },
    play(counts, rate, onended) {
      stop();
      this.wake();
      const buffer = context.createBuffer(1, Math.max(1, counts.length), rate);
      buffer.getChannelData(0).set(Float32Array.from(counts, (v) => v / 32768));
      source = context.createBufferSource();
      source.buffer = buffer; source.connect(context.destination);
      source.onended = () => { source = null; onended?.(); };
      source.start();
      began = context.currentTime; seconds = counts.length / rate;
    },
    stop,
    get share() { return source ? Math.min(1, (context.currentTime - began) / seconds) : null; },
    close() { stop(); context?.close().catch(() => {}); context = null; },
  };
};
