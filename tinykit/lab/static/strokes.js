// The drawing surface of the pad: a path by pointer or arrow keys, sent in pieces as it is drawn. After `core.js`.

const PLANES = {
  across: { name: "Across", words: ["left", "right", "up", "down"], says: "You look over the hand's shoulder. The board points away from you; the wrist turns along." },
  forward: { name: "Forward", words: ["back", "forward", "up", "down"], says: "You see the hand from its right. The forearm turns about the elbow, drawn behind the board." },
  turn: { name: "Turn", words: ["roll left", "roll right", "nose up", "nose down"], says: "The hand stays in its place and turns the board; let go, and it is level again." },
};
const STEP_MS = 1000 / 30, KEY_M_S = 0.6, ARM_M = 0.3;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** The surface. onpiece({t, p, first, last}): times in ms, metres to the right of the middle and up from the edge. behind(): how many
 *  seconds the kernel is late; touch(): draw again. */
const strokeSurface = ({ pad_m: padM, height, plane, onpiece, behind, touch }) => {
  const cv = h("canvas.tk-pad", { tabindex: "0", role: "application", "aria-roledescription": "drawing pad" });
  const metres = (px) => px * padM / height;
  let ink = [], down = false, timer = 0, sent = 0, posted = 0, last = -1, spot = null, byKeys = false, idle = 0;
  const held = new Set();

  const add = (t, x, y) => {
    if (t <= last) t = last + 0.1; // events of one frame may share a time
    last = t; ink.push([t, x, y]); spot = [x, y];
  };
  // Fifteen pieces a second; four when the kernel is behind, so that a click does not queue behind them.
  const post = (end) => {
    if (sent === ink.length || !end && performance.now() - posted < (behind() > 0.3 ? 250 : 60)) return;
    const part = ink.slice(sent);
    onpiece({ t: part.map((q) => q[0]), p: part.map((q) => [q[1], q[2]]), first: sent === 0, last: end });
    sent = ink.length; posted = performance.now();
  };
  const begin = (t, x, y) => {
    ink = []; sent = 0; down = true; idle = 0;
    add(t, x, y); post(false);
    clearInterval(timer);
    timer = setInterval(beat, STEP_MS);
    touch();
  };
  const end = (t) => {
    if (!down) return;
    clearInterval(timer); down = byKeys = false;
    add(t || performance.now(), ...spot); post(true);
    touch();
  };
  const beat = () => {
    if (byKeys) {
      const now = performance.now(), dt = Math.min(0.1, (now - last) / 1000), [x, y] = spot;
      const v = [...held].reduce((a, k) => [a[0] + ARROWS[k][0], a[1] + ARROWS[k][1]], [0, 0]);
      const inside = (q, least, most) => Math.max(metres(least), Math.min(metres(most), q)), half = cv.clientWidth / 2;
      add(now, inside(x + v[0] * KEY_M_S * dt, -half, half), inside(y + v[1] * KEY_M_S * dt, 0, height));
      idle = held.size ? 0 : idle + 1;
      if (idle > 6) { end(); return; }
      touch();
    }
    post(false);
  };
  const place = (e) => { const r = cv.getBoundingClientRect(); return [metres(e.clientX - (r.left + r.right) / 2), metres(r.bottom - e.clientY)]; };
  cv.addEventListener("pointerdown", (e) => {
    if (e.button || !e.isPrimary) return;
    held.clear(); end();
    try { cv.setPointerCapture(e.pointerId); } catch { /* it was lifted again already */ }
    cv.focus({ preventScroll: true });
    begin(e.timeStamp, ...place(e));
    e.preventDefault();
  });
  cv.addEventListener("pointermove", (e) => {
    if (!down || byKeys || !e.isPrimary) return;
    const all = e.getCoalescedEvents?.() || [];
    for (const q of all.length ? all : [e]) add(q.timeStamp, ...place(q));
    post(false);
    touch();
  });
  for (const kind of ["pointerup", "pointercancel", "lostpointercapture"]) cv.addEventListener(kind, (e) => { if (!byKeys) end(e.timeStamp); });
  cv.addEventListener("keydown", (e) => {
    if (!ARROWS[e.key] || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault();
    held.add(e.key);
    if (down) return;
    byKeys = true;
    begin(performance.now(), ...(spot || [0, padM / 2]));
  });
  cv.addEventListener("keyup", (e) => held.delete(e.key));
  cv.addEventListener("blur", () => held.clear());

  const draw = (t) => {
    const { g, w } = canvasOf(cv, height), px = (m) => m * height / padM, X = (q) => w / 2 + px(q[1]), Y = (q) => height - px(q[2]);
    const p = PLANES[plane()], middle = [w / 2, height / 2];
    rule(g, t.line, crisp(middle[0]), 20, crisp(middle[0]), height - 20);
    rule(g, t.line, 20, crisp(middle[1]), w - 20, crisp(middle[1]));
    write(g, t, p.words[0], 8, middle[1] - 9, { halo: t.plot }); write(g, t, p.words[1], w - 8, middle[1] - 9, { align: "right", halo: t.plot });
    write(g, t, p.words[2], middle[0], 10, { align: "center" }); write(g, t, p.words[3], middle[0], height - 10, { align: "center" });
    if (plane() !== "turn") {
      const x = 12, y = height - 14, wide = px(0.1);
      g.strokeStyle = t.edge; g.lineWidth = 1.5; g.beginPath();
      g.moveTo(x, y - 4); g.lineTo(x, y + 4); g.moveTo(x, y); g.lineTo(x + wide, y); g.moveTo(x + wide, y - 4); g.lineTo(x + wide, y + 4); g.stroke();
      write(g, t, "10 cm", x + wide + 6, y);
    }
    if (!ink.length) {
      write(g, t, fitting(g, t, w - 16, "Press here and draw, or hold the arrow keys.", "Press here and draw."), middle[0], middle[1] + 34, { size: 13, fill: t.ink, align: "center", halo: t.plot });
    } else {
      g.strokeStyle = down ? t.ink : t.fill; g.lineWidth = 2; g.lineJoin = g.lineCap = "round"; g.beginPath();
      ink.forEach((q, i) => (i ? g.lineTo(X(q), Y(q)) : g.moveTo(X(q), Y(q)))); g.stroke();
      g.fillStyle = t.plot; g.beginPath(); g.arc(X(ink[0]), Y(ink[0]), 4, 0, 7); g.fill(); g.stroke();
    }
    const at = ink.length ? ink[ink.length - 1] : [0, 0, padM / 2];
    if (plane() === "forward" && ink.length) {
      const elbow = [0, ink[0][1] - ARM_M, ink[0][2]];
      rule(g, t.edge, X(elbow), Y(elbow), X(at), Y(at), [5, 4]);
      write(g, t, "elbow", Math.max(30, X(elbow)), Y(elbow) + 14, { align: "center", halo: t.plot });
    }
    drawPuck(g, t, X(at), Y(at), down, plane() === "turn" && ink.length ? [at[1] - ink[0][1], at[2] - ink[0][2]] : null);
    return { down, seconds: ink.length ? (ink[ink.length - 1][0] - ink[0][0]) / 1000 : 0 };
  };
  const name = () => cv.setAttribute("aria-label", `Pad, ${PLANES[plane()].words[0]} to ${PLANES[plane()].words[1]}: press and draw, or hold the arrow keys; the board feels the movement.`);
  name();
  return { el: cv, draw, name, stop: () => { end(); clearInterval(timer); }, clear: () => { ink = []; sent = 0; spot = null; }, get down() { return down; } };
};

/** The board in the hand: the dashed outline of a virtual one; leaning as it is turned. */
const drawPuck = (g, t, x, y, down, turned) => {
  g.save(); g.translate(x, y);
  if (turned) { g.rotate(Math.max(-1.5, Math.min(1.5, turned[0] * 6))); g.scale(1, Math.max(0.25, Math.cos(turned[1] * 6))); }
  g.fillStyle = t.plot; g.strokeStyle = down ? t.accent : t.ink; g.lineWidth = 1.5; g.setLineDash([3, 2]);
  g.beginPath(); g.roundRect(-7, -12, 14, 24, 2); g.fill(); g.stroke();
  g.setLineDash([]); g.strokeRect(-3.5, -4, 7, 7); g.restore();
};
