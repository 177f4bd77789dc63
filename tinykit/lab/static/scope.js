// Traces of the IMU as they come. After `core.js`, `glide.js` and `steer.js`.

const UNITS = [
  { name: "acceleration", unit: "g", digits: 2, choices: [0.25, 0.5, 1, 2, 4] },
  { name: "rotation", unit: "deg/s", digits: 0, choices: [31.25, 62.5, 125, 250, 500, 1000, 2000] },
];

export default () => widgetOf((model) => {
  const config = model.get("config"), ring = new SampleRing(Math.ceil(config.rate_hz * config.holds_s), config.channels.length);
  const live = liveOf(ring, new Glide(config.rate_hz));
  return {
    take(m, buffers) {
      if (m.k !== "samples") return;
      const first = m.runs[0][1];
      ring.take(m, buffers[0]);
      live.glide.arrive(performance.now(), first, ring.last, m.fresh && first > live.glide.last);
    },
    view: (model, lastStatus) => imuView(model, live, lastStatus),
  };
});

/** What a view reads: the ring, the place where the picture stands; a copy of it holds both. */
const liveOf = (ring, glide) => ({
  ring, glide,
  get arrived() { return ring.arrived; },
  get first() { return ring.size ? ring.indexAt(0) : 0; },
  copy() { return liveOf(ring.copy(), { place: glide.place }); },
});

function imuView(model, live, lastStatus) {
  const config = model.get("config");
  const { channels, per_unit: perUnit, rate_hz: rate } = config;
  const groups = UNITS.map((u, i) => ({ ...u, i, columns: channels.map((c, j) => [c, j, c[1].toLowerCase()]).filter(([c]) => c[0] === "ag"[i]) })).filter((u) => u.columns.length);
  const picture = tracesPicture({ groups, perUnit, rate });
  let lanes = config.view === "lanes";
  return scopeView(model, lastStatus, {
    title: "Scope", head: model.get("head"), what: "Scrolling traces", live, edges: plotEdges, rate: (v) => v.toFixed(1),
    ranges: groups.map((u) => ({ label: `Range of the ${u.name} plot`, unit: u.unit, choices: u.choices })),
    tools: (changed) => [segmented("View", [["overlay", "Overlay"], ["lanes", "Lanes"]], lanes ? "lanes" : "overlay", (v) => { lanes = v === "lanes"; changed(); }).el],
    end: (data, s) => data.glide.place - (s ? s.back * rate : 0),
    draw: (cv, t, s, forced, place) => picture(cv, t, { ...s, lanes }, forced, place),
    words(s) {
      const ring = s.data.ring, k = ring.from(s.end + 0.001) - 1;
      if (k < 0) return "Scrolling traces, no samples yet.";
      const values = channels.map((c, j) => `${c} ${fixed(ring.at(k, j) / perUnit[j], c[0] === "a" ? 2 : 0)}`);
      const lost = ring.gaps(s.end - rate * s.seconds).reduce((a, b) => a + b[1], 0);
      return `Traces of ${s.back > 0.05 ? `${s.seconds} seconds, ending ${s.back.toFixed(1)} seconds before the pause` : `the last ${s.seconds} seconds`}, ${s.held ? "paused" : s.stale ? "stale" : "running"}. ` +
        `At the right end ${values.join(", ")}. ${lost} samples lost.`;
    },
  });
}

const plotEdges = (w) => [46, w - (w < 700 ? 86 : 92)];

/** The strips of a view: one a group with all its axes, or one an axis. */
const stripsOf = (groups, lanes) => {
  const strips = [], high = lanes ? 44 : 112;
  let y = 30;
  groups.forEach((u, p) => {
    if (p) y += lanes ? 26 : 30;
    for (const columns of lanes ? u.columns.map((c) => [c]) : [u.columns]) {
      strips.push({ ...u, p, y, high, columns, first: columns[0] === u.columns[0] });
      y += high + (lanes ? 4 : 0);
    }
  });
  return { strips, bottom: y, H: y + 22 };
};

/** The picture of the traces: draw(cv, colours, state, forced, place) returns whether anything moved. */
const tracesPicture = ({ groups, perUnit, rate }) => {
  const tape = new Tape(), ground = new Ground();
  let shown = "", told = 0, texts = [], beyond = [];
  return (cv, t, s, forced, place) => {
    const { strips, bottom, H } = stripsOf(groups, s.lanes), ring = s.data.ring;
    const w = cv.clientWidth || cv.parentElement.clientWidth || 600, [x0, x1] = plotEdges(w);
    if (!forced && `${scaleOf(cv, w, x0, x1, rate, s).right}` === shown) return false;
    const { g } = canvasOf(cv, H), scale = scaleOf(cv, w, x0, x1, rate, s);
    shown = `${scale.right}`;
    if (forced) strips.filter((u) => u.first).forEach((u) => place(u.p, x1, u.y - 27));
    ground.show(g, [s.theme, s.limits, s.lanes, s.seconds, s.back.toFixed(2), s.now, w].join(), w, H, (b) => drawGround(b, t, strips, s, x0, x1, w, bottom));
    if (!ring.size) return true;
    const key = [ring.generation, Boolean(s.held), s.theme, s.limits, s.lanes, scale.key].join();
    const head = Math.floor(ring.last * scale.perSample);
    tape.advance(key, scale.width, cv.height, scale.left, head, (b, from, to, base) => paintTraces(b, from, to, base, { t, ring, strips, perUnit, scale, rate, limits: s.limits, seconds: s.seconds }));
    g.save(); g.setTransform(1, 0, 0, 1, 0, 0);
    if (s.stale) g.globalAlpha = 0.4;
    tape.show(g, scale.left, scale.width, scale.at);
    g.restore();
    nameGaps(g, t, ring.gaps(s.end - rate * s.seconds).filter(([first]) => first <= s.end), scale.X, rate, x0, x1, strips[0].y + 8);
    const k = ring.from(s.end + 0.001) - 1;
    // Old data has no end values, and neither has the middle of a gap.
    if (s.stale || k < 0 || s.end - ring.indexAt(k) > rate / 4) return true;
    const now = performance.now();
    if (forced || now - told > 125) { // numbers that change sixty times a second can't be read
      told = now;
      texts = strips.map((u) => u.columns.map(([, j]) => signed(ring.at(k, j) / perUnit[j], u.digits)));
      const first = ring.from(s.end - rate * s.seconds);
      beyond = groups.map((u) => u.columns.some(([, j]) => { for (let n = first; n <= k; n++) if (Math.abs(ring.at(n, j)) > s.limits[u.i] * perUnit[j]) return true; return false; }));
    }
    // The range is the student's: what it cuts off is said, beside the range or, in a narrow page, in the plot.
    const say = (u) => {
      const narrow = x1 - x0 < 340;
      write(g, t, "beyond the plot", narrow ? x1 - 4 : x1 - (u.p ? 120 : 88), narrow ? u.y + 8 : u.y - 11, { size: 12, align: "right", fill: t.ink, halo: t.plot });
    };
    strips.forEach((u) => { if (u.first && beyond[u.p]) say(u); });
    strips.forEach((u, n) => drawTags(g, t, u, texts[n], (j) => Math.max(-1, Math.min(1, ring.at(k, j) / perUnit[j] / s.limits[u.i])), x1, w, s.lanes));
    return true;
  };
};

function drawGround(g, t, strips, s, x0, x1, w, bottom) {
  g.fillStyle = t.plot; g.fillRect(0, 0, w, bottom + 22);
  for (const { p, i, name, unit, digits, columns, first, y, high } of strips) {
    const m = s.limits[i], Y = (v) => y + high / 2 - v / m * high / 2;
    for (const k of s.lanes ? [0] : [-m, -m / 2, 0, m / 2, m]) {
      const at = crisp(Y(k));
      g.globalAlpha = k || s.lanes ? 1 : 0.7;
      rule(g, k || s.lanes ? t.line : t.edge, x0, at, x1, at);
      g.globalAlpha = 1;
      if (!s.lanes) write(g, t, signed(k, k % 1 ? (2 * k) % 1 ? (4 * k) % 1 ? 3 : 2 : 1 : 0), x0 - 7, at, { align: "right" });
    }
    for (let k = 0; k <= 4; k++) { const x = crisp(x1 - (x1 - x0) * k / 4); rule(g, t.line, x, y - (s.lanes ? 2 : 0), x, y + high + (s.lanes ? 2 : 0)); }
    const range = ` (each lane ${signed(-m, m % 1 ? 2 : 0)} to ${signed(m, m % 1 ? 2 : 0)})`;
    if (first) write(g, t, fitting(g, t, x1 - x0 - (p ? 112 : 80), `${name}, ${unit}${s.lanes ? range : ""}`, `${name}, ${unit}`, unit), x0, y - 11, { size: 12, fill: t.ink, bold: true });
    if (s.lanes) { mark(g, columns[0][2], 18, Y(0), 3.4, t[columns[0][2]]); write(g, t, columns[0][0][1], 27, Y(0), { size: 12, fill: t.ink, bold: true }); }
  }
  timeTicks(g, t, x0, x1, bottom + 11, s);
}

/** The traces over the tape's pixels [from, to); the pen is lifted at every gap. */
function paintTraces(g, from, to, base, { t, ring, strips, perUnit, scale, rate, limits, seconds }) {
  const { d, perSample } = scale, x = (i) => i * perSample - base;
  // A sample more on each side, so that lines meet at the edge as if they had been drawn in one go.
  const first = Math.max(0, ring.from((from - 3 * d) / perSample) - 1), end = Math.min(ring.size, ring.from((to + 3 * d) / perSample) + 1);
  // Marks sit on samples, staggered by axis, so they scroll with the data; each once there is room for the whole.
  const spacing = Math.max(1, Math.round(seconds * 0.1875 * rate)), lead = 6 * d;
  const dots = ring.from((from - lead) / perSample), dotsEnd = ring.from((to - lead) / perSample);
  const gaps = ring.gaps((from - 3 * d) / perSample).filter(([a]) => a * perSample < to + 3 * d);
  g.lineJoin = "round"; g.lineWidth = 1.5 * d;
  for (const { i, columns, y, high } of strips) {
    const middle = (y + high / 2) * d, half = high / 2 * d;
    g.save(); g.setTransform(1, 0, 0, 1, 0, 0);
    g.beginPath(); g.rect(from - base, (y - 3) * d, to - from, (high + 6) * d); g.clip();
    const lines = columns.map(([c, j, axis]) => ({ j, axis, Y: (k) => middle - Math.max(-1.2, Math.min(1.2, ring.at(k, j) / perUnit[j] / limits[i])) * half }));
    for (const { axis, Y } of lines) {
      g.strokeStyle = t[axis]; g.beginPath();
      let before = -2;
      for (let k = first; k < end; k++) {
        const at = ring.indexAt(k);
        if (at === before + 1) g.lineTo(x(at), Y(k)); else g.moveTo(x(at), Y(k));
        before = at;
      }
      g.stroke();
    }
    g.restore();
    if (columns.length < 2) continue;
    g.save(); g.setTransform(1, 0, 0, 1, 0, 0);
    g.beginPath(); g.rect(0, (y - 4) * d, to - base, (high + 8) * d); g.clip();
    lines.forEach(({ axis, Y }) => {
      const shift = Math.round("xyz".indexOf(axis) * spacing / 3);
      for (let k = Math.max(0, dots); k < dotsEnd; k++) if ((ring.indexAt(k) + shift) % spacing === 0) mark(g, axis, x(ring.indexAt(k)), Y(k), 3 * d, t[axis], t.plot);
    });
    g.restore();
  }
  // A band a group, so that the words between them stay to be read.
  for (const u of strips) if (u.first) {
    const end = strips.findLast((v) => v.p === u.p);
    for (const [a, n] of gaps) hatchBand(g, from - base, to - base, x(a - 1), x(a + n), (u.y - 2) * d, (end.y + end.high + 2) * d, t, d);
  }
}

/** The values where the traces end; in a lane the value alone. */
function drawTags(g, t, { columns, y, high, unit, digits }, texts, shareOf, x1, w, lanes) {
  if (lanes) { write(g, t, `${texts[0]} ${unit}`, w - 10, y + high / 2, { size: 12, fill: t.ink, align: "right" }); return; }
  endTags(g, t, columns.map(([c, j, axis], n) => { const at = y + high / 2 - shareOf(j) * high / 2; return { name: c[1], axis, text: texts[n], at, y: at }; }), x1, w);
}
