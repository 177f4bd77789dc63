// A take of motion once more: its traces with a playhead, and the board as it was held. After `core.js`.

// The board: half its length, width and height, and the end where the USB socket is.
const BOARD = [1, 0.42, 0.07];
// Seen from behind and above: x forward, y left, z up.
const VIEW = { up: Math.cos(0.5), deep: Math.sin(0.5), aside: 0.28 };

const spun = ([w, x, y, z], [a, b, c]) => {
  const tx = 2 * (y * c - z * b), ty = 2 * (z * a - x * c), tz = 2 * (x * b - y * a);
  return [a + w * tx + y * tz - z * ty, b + w * ty + z * tx - x * tz, c + w * tz + x * ty - y * tx];
};

/** The board at (x, y), r pixels long each way; q turns it. */
function drawBoard(g, t, q, x, y, r) {
  const at = (v) => { const [a, b, c] = spun(q, v); return [x + r * (-b + VIEW.aside * a), y - r * (VIEW.up * c + VIEW.deep * a), a * VIEW.up - c * VIEW.deep]; };
  const corner = (i, j, k) => [i * BOARD[0], j * BOARD[1], k * BOARD[2]];
  const faces = [];
  for (let axis = 0; axis < 3; axis++) for (const side of [-1, 1]) {
    const [u, v] = [(axis + 1) % 3, (axis + 2) % 3];
    const points = [[-1, -1], [1, -1], [1, 1], [-1, 1]].map(([a, b]) => { const p = [0, 0, 0]; p[axis] = side; p[u] = a; p[v] = b; return at(corner(...p)); });
    faces.push({ points, top: axis === 2 && side === 1, depth: points.reduce((s, p) => s + p[2], 0) });
  }
  faces.sort((a, b) => b.depth - a.depth); // what is further away first
  const path = (points) => { g.beginPath(); points.forEach(([px, py], i) => i ? g.lineTo(px, py) : g.moveTo(px, py)); g.closePath(); };
  for (const f of faces) {
    path(f.points); g.fillStyle = f.top ? t.bg : t.track; g.fill(); if (!f.top) { g.fillStyle = t.plot; g.globalAlpha = 0.35; g.fill(); g.globalAlpha = 1; }
    g.strokeStyle = t.edge; g.lineWidth = 1; g.stroke();
    if (f.top) { // the socket, at the end that points back
      path([[-1.08, -0.16], [-0.78, -0.16], [-0.78, 0.16], [-1.08, 0.16]].map(([a, b]) => at([a, b, BOARD[2] + 0.01])));
      g.fillStyle = t.fill; g.fill();
    }
  }
  const ends = AXES.map((k, c) => ({ k, p: at([0, 1, 2].map((i) => (i === c ? [1.4, 0.95, 0.62][c] : 0))) })), o = at([0, 0, 0]);
  for (const { k, p } of ends.sort((a, b) => b.p[2] - a.p[2])) {
    g.strokeStyle = t[k]; g.lineWidth = 1.5; g.beginPath(); g.moveTo(o[0], o[1]); g.lineTo(p[0], p[1]); g.stroke();
    mark(g, k, p[0], p[1], 2.6, t[k], t.plot);
    const away = Math.hypot(p[0] - o[0], p[1] - o[1]) || 1;
    write(g, t, k.toUpperCase(), p[0] + 9 * (p[0] - o[0]) / away, p[1] + 9 * (p[1] - o[1]) / away, { align: "center", bold: true, fill: t.ink, halo: t.plot });
  }
}

/** A replay: m is the kernel's message, at the share that was played. */
function drawReplay(cv, t, m, at, high) {
  const { g, w, h: H } = canvasOf(cv, high), x0 = 38, x1 = w - Math.min(150, w * 0.3), n = m.counts.length / m.channels.length;
  const columns = m.channels.map((c, j) => [c, j]).filter(([c]) => c[0] === "a"), seconds = n / m.rate;
  let most = 0;
  for (const [, j] of columns) for (let i = 0; i < n; i++) most = Math.max(most, Math.abs(m.counts[i * m.channels.length + j]));
  const range = most > 2 * 8192 ? 4 : 2;
  const X = (i) => x0 + (x1 - x0) * i / Math.max(1, n - 1), Y = (v) => 10 + (H - 32) / 2 - Math.max(-range, Math.min(range, v)) / range * (H - 32) / 2;
  for (const k of [-range, 0, range]) { rule(g, t.line, x0, crisp(Y(k)), x1, crisp(Y(k))); write(g, t, k > 0 ? `+${k} g` : minus(k), x0 - 5, Y(k), { align: "right" }); }
  columns.forEach(([c, j], k) => {
    g.strokeStyle = t[c[1].toLowerCase()]; g.lineWidth = 1.5; g.setLineDash([[], [6, 3], [2, 2]][k]); g.beginPath();
    for (let i = 0; i < n; i++) { const y = Y(m.counts[i * m.channels.length + j] / 8192); if (i) g.lineTo(X(i), y); else g.moveTo(X(i), y); }
    g.stroke();
  });
  g.setLineDash([]);
  const x = X(at * (n - 1));
  g.strokeStyle = t.ink; g.lineWidth = 1.5; g.beginPath(); g.moveTo(x, 4); g.lineTo(x, H - 16); g.stroke();
  write(g, t, "0 s", x0, H - 7); write(g, t, `${seconds.toFixed(1)} s`, x1, H - 7, { align: "right" });
  g.font = `11px ${t.font}`;
  const which = `take${m.n ? " " + m.n : ""}`, said = m.felt ? [`${which} once more; the virtual board feels it`, "the board feels it"] : [`${which} once more`, which];
  const words = said.find((s) => g.measureText(s).width < x1 - x0 - 90);
  if (words) write(g, t, words, (x0 + x1) / 2, H - 7, { align: "center" });
  const row = Math.min(n - 1, Math.round(at * (n - 1))), q = [0, 1, 2, 3].map((c) => m.pose[row * 4 + c] / 32767);
  const middle = (x1 + w) / 2, r = Math.min(40, (w - x1) / 3.6);
  drawBoard(g, t, q, middle, (H - 12) / 2 + 4, r);
  write(g, t, m.turned ? "estimated" : "tilt, estimated", middle, H - 7, { align: "center" });
}
