// How a picture of samples moves: a clock that runs by the sensor, and a tape that is drawn once and
// then only shifted. After `core.js`; both scopes share it.

const WINDOW_MS = 4000; // what the delay is chosen from
const RATE_MS = 8000; // and the rate
const MARGIN_MS = 16; // a frame

/** Where the picture stands. Messages come in lumps; the picture shall run evenly, and never be ahead of what arrived.
 *
 *  Times are the page's, in ms; places are the sensor's running numbers. The sensor's rate by the page's
 *  clock is estimated from the arrivals (a board's 119 Hz is not the page's, and a virtual board on a
 *  busy machine is slower), and the place is steered, by running faster or slower, to where the latest of
 *  the last seconds' messages still came in time. Nothing comes: it stands at the last sample. */
class Glide {
  constructor(rateHz) { this.nominal = rateHz / 1000; this.reset(); }
  reset() { this.rate = this.nominal; this.last = this.place = -1; this.seen = []; this.time = null; }
  /** A message with samples `first` to `last` arrived at `t`; `anew` if it has nothing to do with those before. */
  arrive(t, first, last, anew = false) {
    if (anew || this.last < 0 || last < this.last) { this.reset(); this.place = last - this.rate * 100; this.time = t; }
    if (last <= this.last) return;
    if (t - this.time > 250) this.at(t); // nobody looks (paused, out of sight): time goes on all the same
    // A gap is no lateness: what is lost had its time.
    const before = this.last < 0 ? last : Math.max(first - 1, this.last);
    this.last = last;
    this.seen.push({ t, before, last });
    while (this.seen[0].t < t - RATE_MS) this.seen.shift();
    this.estimate(t);
  }
  /** The slope of the arrivals: samples a millisecond, by the page's clock. */
  estimate(t) {
    const { seen } = this, n = seen.length, span = t - seen[0].t;
    if (span < 1000 || n < 8) return;
    let st = 0, sl = 0, tt = 0, tl = 0;
    for (const a of seen) { const x = a.t - t, y = a.last - this.last; st += x; sl += y; tt += x * x; tl += x * y; }
    const slope = (n * tl - st * sl) / (n * tt - st * st);
    // A short look at lumps tells little: trust it with its length.
    const trust = Math.min(1, span / RATE_MS);
    this.rate = Math.min(2, Math.max(0.1, (1 + trust * (slope / this.nominal - 1)))) * this.nominal;
  }
  /** The place at `t`: a fraction between two samples that both arrived. */
  at(t) {
    if (this.last < 0) return -1;
    let due = Infinity, newest = -Infinity;
    for (let k = this.seen.length - 1; k >= 0 && this.seen[k].t > t - WINDOW_MS; k--) {
      const a = this.seen[k], since = this.rate * (t - a.t);
      due = Math.min(due, a.before + since); newest = Math.max(newest, a.last + since);
    }
    if (due === Infinity) due = newest = this.last;
    due = Math.max(due - this.rate * MARGIN_MS, newest - this.rate * 750); // after a long pause don't stay behind for long
    const step = Math.max(0, t - this.time), late = (due - this.place) / this.rate;
    this.time = t;
    if (late > 3000) this.place = due; // the page was hidden, or the board away
    else this.place += step * this.rate * Math.min(1.5, Math.max(0.5, 1 + late / 1500));
    return this.place = Math.min(this.place, this.last);
  }
  /** Milliseconds from the latest sample that arrived to the place. */
  get behind() { return this.last < 0 ? 0 : (this.last - this.place) / this.rate; }
}

// -- the tape ----------------------------------------------------------------------------------

/** A picture that grows at its right end: each pixel is painted once, and then only moved.
 *
 *  Places are whole device pixels from the sensor's first sample on, so that the same sample has the
 *  same pixel in every frame, and nothing shimmers. */
class Tape {
  constructor() { this.cv = document.createElement("canvas"); this.key = ""; this.base = this.head = 0; }
  /** Afterwards it shows [left, left + width); `head`: first pixel that can't be painted yet; paint(g, from, to, base). */
  advance(key, width, height, left, head, paint) {
    const g = this.cv.getContext("2d"), anew = this.cv.width !== 2 * width || this.cv.height !== height;
    if (anew) { this.cv.width = 2 * width; this.cv.height = height; }
    if (anew || key !== this.key || left < this.base || left > this.head) {
      // Looked at backwards: a half more, so that the next step back is there.
      this.base = this.head = key === this.key && left < this.base ? left - (width >> 1) : left;
      this.key = key;
      g.setTransform(1, 0, 0, 1, 0, 0); g.clearRect(0, 0, 2 * width, height);
    } else if (Math.min(head, left + width) > this.base + 2 * width) {
      const shift = left - this.base, rest = this.head - left;
      g.setTransform(1, 0, 0, 1, 0, 0); g.globalCompositeOperation = "copy";
      if (rest > 0) g.drawImage(this.cv, shift, 0, rest, height, 0, 0, rest, height); else g.clearRect(0, 0, 2 * width, height);
      g.globalCompositeOperation = "source-over";
      this.base = left;
    }
    const to = Math.min(head, this.base + 2 * width);
    if (to > this.head) { g.save(); paint(g, this.head, to, this.base); g.restore(); this.head = to; }
  }
  /** Onto a canvas, in device pixels. */
  show(g, left, width, x) { g.drawImage(this.cv, left - this.base, 0, width, this.cv.height, x, 0, width, this.cv.height); }
}

/** What stands still behind the data (grid, words): painted when its key changes. */
class Ground {
  constructor() { this.cv = document.createElement("canvas"); this.key = ""; }
  show(g, key, w, height, paint) {
    const { canvas } = g;
    if (key !== this.key || this.cv.width !== canvas.width || this.cv.height !== canvas.height) {
      this.key = key; this.cv.width = canvas.width; this.cv.height = canvas.height;
      const back = this.cv.getContext("2d"), d = canvas.width / w;
      back.setTransform(d, 0, 0, d, 0, 0);
      paint(back);
    }
    g.save(); g.setTransform(1, 0, 0, 1, 0, 0); g.drawImage(this.cv, 0, 0); g.restore();
  }
}

/** Pixels of a plot: where index i lies, on the canvas and on the tape. o: {end, seconds}, x0 and x1 the plot's edges. */
const scaleOf = (cv, w, x0, x1, rate, o) => {
  const d = cv.width / w, at = Math.round(x0 * d), width = Math.max(1, Math.round((x1 - x0) * d));
  const perSample = width / (o.seconds * rate), right = Math.floor(o.end * perSample);
  return {
    d, at, width, perSample, right, left: right - width,
    X: (i) => (at + width + i * perSample - right) / d,
    key: `${width} ${cv.height} ${d} ${perSample}`,
  };
};

/** Hatched from gap's edge to edge, over the pixels [from, to) only; the lines lie where the whole gap's would. */
const hatchBand = (g, from, to, a, b, y0, y1, t, d) => {
  const l = Math.max(a, from), r = Math.min(b, to), high = y1 - y0;
  if (r <= l) return;
  g.save(); g.beginPath(); g.rect(l, y0, r - l, high); g.clip();
  g.fillStyle = t.plot; g.fillRect(l, y0, r - l, high);
  g.strokeStyle = t.edge; g.lineWidth = d; g.beginPath();
  for (let x = a + Math.floor((l - high - a) / (6 * d)) * 6 * d; x < r; x += 6 * d) { g.moveTo(x, y1); g.lineTo(x + high, y0); }
  g.stroke();
  g.strokeStyle = t.warn; g.lineWidth = 3 * d; g.beginPath();
  for (const x of [a, b]) { g.moveTo(x, y0); g.lineTo(x, y1); }
  g.stroke(); g.restore();
};

/** How many were lost, at each gap that has room for the words. */
const nameGaps = (g, t, gaps, X, rate, x0, x1, y, words = (n) => `${commas(n)} lost (${(n / rate).toFixed(2)} s)`) => {
  let free = -1e9;
  for (const [first, n] of gaps) {
    const a = Math.max(x0, X(first)), b = Math.min(x1, X(first + n));
    if (b < x0 || a > x1) continue;
    const text = words(n);
    g.font = `600 12px ${t.font}`;
    const half = g.measureText(text).width / 2, x = Math.min(x1 - half, Math.max(x0 + half, (a + b) / 2));
    if (x - half > free) { write(g, t, text, x, y, { size: 12, align: "center", fill: t.ink, bold: true, halo: t.plot }); free = x + half + 8; }
  }
};
