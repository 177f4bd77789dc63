// A long take that is cut: level or movement over time, a threshold that a hand moves, parts that are kept or not.

/** The panel. ask(kind, content) sends to the kernel; hear(k, seconds) plays a part or stops it; playing() is the part that plays. */
const cutPanel = (ask, hear, playing) => {
  const root = h("div.tk-cut", {}), cv = h("canvas", { role: "img", "aria-label": "Level over time, with the parts that were found." });
  const hand = h("div.hand", { role: "slider", tabindex: 0, "aria-label": "Threshold", "aria-orientation": "vertical", "aria-valuemin": 2, "aria-valuemax": 40 }, cv);
  const title = h("h4", {}), facts = h("span.s.mut.num", {}), list = h("div.tk-words", { role: "group", "aria-label": "Parts" }), said = h("div", { role: "status" });
  const accept = button("Keep", { kind: "pri", pic: "keep", onclick: () => ask("accept", { chosen: chosen(), found: cut.words.length, threshold: cut.threshold }) });
  const drop = button("Discard the long take", { pic: "bin", onclick: () => ask("drop") });
  const again = button("Back to the long take", { pic: "undo", onclick: () => ask("reopen") });
  const into = segmented("Cut into", [["movement", "Movements"], ["window", "Windows"]], "movement", (v) => ask("windows", { on: v === "window" }));
  let cut = null, above = null, threshold = 0, off = new Set(), timer = 0, dragging = false, HIGHEST = 40;
  const chosen = () => cut.words.map((_, k) => k).filter((k) => !off.has(k));
  const X0 = 44;
  const motion = () => cut.what !== "word";
  const ratio = (db) => `${+(10 ** (db / 20)).toPrecision(2)} times`;
  const where = () => motion() ? `${ratio(threshold)} the unrest at rest` : `${threshold.toFixed(1)} dB above the noise`;
  const plural = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;
  const describe = () => {
    const n = cut.words.length - off.size;
    setText(accept.querySelector(".t"), `Keep ${plural(n, cut.what)}`);
    accept.disabled = !n;
    setText(facts, cut.what === "window" ? `${cut.words.length} of ${cut.window} s, side by side, in ${cut.seconds.toFixed(1)} s` : `threshold ${where()} · ${cut.words.length} found in ${cut.seconds.toFixed(1)} s`);
    hand.setAttribute("aria-valuenow", threshold.toFixed(1));
    hand.setAttribute("aria-valuetext", `${motion() ? where() : threshold.toFixed(1) + " decibel above the noise"}, ${plural(cut.words.length, cut.what)}`);
  };
  const move = (db) => {
    if (cut.what === "window") return;
    threshold = Math.min(HIGHEST, Math.max(2, Math.round(db * 2) / 2));
    clearTimeout(timer);
    timer = setTimeout(() => ask("threshold", { db: threshold }), 80);
    describe(); panel.touch();
  };
  const place = (e) => { const r = cv.getBoundingClientRect(); return (1 - (e.clientY - r.top - 8) / (r.height - 30)) * HIGHEST; };
  hand.addEventListener("pointerdown", (e) => { dragging = true; hand.setPointerCapture(e.pointerId); move(place(e)); hand.focus(); e.preventDefault(); });
  hand.addEventListener("pointermove", (e) => { if (dragging) move(place(e)); });
  hand.addEventListener("pointerup", () => { dragging = false; });
  hand.addEventListener("pointercancel", () => { dragging = false; });
  hand.addEventListener("keydown", (e) => {
    const step = { ArrowUp: 0.5, ArrowRight: 0.5, ArrowDown: -0.5, ArrowLeft: -0.5, PageUp: 3, PageDown: -3 }[e.key];
    if (step) { move(threshold + step); e.preventDefault(); e.stopPropagation(); }
  });
  const paint = () => {
    const focused = list.contains(document.activeElement) ? document.activeElement.dataset.id : null, what = cut.what[0].toUpperCase() + cut.what.slice(1), odd = new Map(cut.odd);
    fill(list, cut.words.map(([a, b], k) => h("span.word", odd.has(k) ? { title: odd.get(k) } : {},
      h("button.tk-btn", { type: "button", "data-id": `keep ${k}`, "aria-pressed": String(!off.has(k)), "aria-label": `${what} ${k + 1}, at ${a.toFixed(1)} s, keep${odd.has(k) ? `; it is ${odd.get(k)}` : ""}`, onclick: () => { off.has(k) ? off.delete(k) : off.add(k); paint(); describe(); panel.touch(); } },
        icon(off.has(k) ? odd.has(k) ? "warn" : "none" : "ok"), h("span.num", {}, `${k + 1} · ${(b - a).toFixed(motion() ? 1 : 2)} s`)),
      h("button.tk-btn.ico", { type: "button", "data-id": `play ${k}`, "aria-label": `${playing() === k ? "Stop" : "Play"} ${cut.what} ${k + 1}`, title: "Play", onclick: () => hear(k, b - a) }, icon(playing() === k ? "stop" : "play")))));
    list.classList.toggle("many", cut.words.length > 24);
    if (focused) [...list.querySelectorAll("button")].find((x) => x.dataset.id === focused)?.focus();
  };
  const panel = {
    el: root, touch: () => {}, paint: () => { if (cut) paint(); },
    show(m, buffer) {
      setText(again.querySelector(".t"), m.words ? "Back to the long take before" : "Back to the long take");
      again.style.display = m.before ? "" : "none";
      if (!m.words) { cut = null; fill(root, m.before ? h("div.tk-tools", {}, again) : ""); return; }
      const anew = !cut || cut.seconds !== m.seconds || cut.label !== m.label || cut.what !== m.what;
      const same = !anew && cut.words.length === m.words.length && cut.words.every(([a], k) => Math.abs(a - m.words[k][0]) < 0.3);
      cut = m; above = int16Of(buffer);
      HIGHEST = Math.max(30, Math.min(90, Math.ceil(above.reduce((a, b) => Math.max(a, b), 0) / 1000) * 10));
      hand.setAttribute("aria-valuemax", HIGHEST);
      if (!same) off = new Set(m.odd.map(([k]) => k));
      if (!dragging && !timer || anew) threshold = m.threshold;
      timer = 0;
      const windows = m.what === "window";
      if (!root.contains(hand)) {
        fill(root, h("div.tk-tools", { style: "border-top:1px solid var(--tk-line)" }, title, into.el, facts, h("span.tk-ctl", {}, again, drop, accept)), said, h("div.tk-plot", {}, hand), list);
      }
      into.el.style.display = motion() ? "" : "none";
      into.set(m.what);
      const warned = (...words) => h("div.tk-note.tk-warn", {}, h("span", { style: "color:var(--tk-warn)" }, icon("warn")), h("div", {}, words));
      fill(said, m.note ? warned(m.note) : "",
        m.doubt ? warned(h("b", {}, "This can't be split by itself. "), m.doubt, h("div", {}, h("b", {}, "Next: "), "cut it into windows, or move the threshold. ", button(`Cut into windows of ${m.window} s`, { onclick: () => ask("windows", { on: true }) }))) : "");
      hand.setAttribute("aria-disabled", windows);
      hand.tabIndex = windows ? -1 : 0;
      hand.classList.toggle("off", windows);
      hand.setAttribute("aria-label", motion() ? "Threshold above the rest" : "Threshold above the noise");
      list.setAttribute("aria-label", { word: "Words", movement: "Movements", window: "Windows" }[m.what]);
      setText(title, windows ? `Long take of “${m.label}”, in windows` : `Long take of “${m.label}”: move the threshold until every ${m.what} is found once`);
      paint(); describe(); panel.touch();
    },
    draw(t) {
      if (!cut) return;
      const { g, w, h: H } = canvasOf(cv, 150), bottom = H - 22, x1 = w - 12;
      const X = (s) => X0 + (x1 - X0) * s / cut.seconds, Y = (db) => bottom - Math.min(1, Math.max(0, db / HIGHEST)) * (bottom - 8);
      const tick = (db) => motion() ? db ? `\u00d7${10 ** (db / 20)}` : "rest" : db ? `${db} dB` : "noise";
      for (let db = 0; db <= HIGHEST; db += 10) { rule(g, t.line, X0, crisp(Y(db)), x1, crisp(Y(db))); if (db % 20 === 0) write(g, t, tick(db), X0 - 6, Y(db), { align: "right" }); }
      cut.words.forEach(([a, b], k) => {
        g.fillStyle = t.track; g.globalAlpha = off.has(k) ? 0.4 : 1; g.fillRect(X(a), 8, Math.max(2, X(b) - X(a) - (cut.what === "window" ? 2 : 0)), bottom - 8); g.globalAlpha = 1;
        rule(g, off.has(k) ? t.edge : t.accent, X(a), 8, X(b) - (cut.what === "window" ? 2 : 0), 8, off.has(k) ? [3, 3] : null);
      });
      g.fillStyle = t.fill; g.beginPath(); g.moveTo(X0, bottom);
      const n = above.length;
      for (let i = 0; i < n; i++) g.lineTo(X((i + 0.5) / n * cut.seconds), Y(above[i] / 100));
      g.lineTo(x1, bottom); g.closePath(); g.globalAlpha = 0.75; g.fill(); g.globalAlpha = 1;
      if (cut.what !== "window") {
        const y = Y(threshold);
        g.strokeStyle = t.plot; g.lineWidth = 4; g.beginPath(); g.moveTo(X0, y); g.lineTo(x1, y); g.stroke();
        g.strokeStyle = t.ink; g.lineWidth = 2; g.beginPath(); g.moveTo(X0, y); g.lineTo(x1, y); g.stroke();
        g.fillStyle = t.ink; g.beginPath(); g.arc(x1 - 6, y, 6, 0, 7); g.fill();
      }
      let free = -1e9;
      cut.words.forEach(([a, b], k) => { const x = (X(a) + X(b)) / 2; if (x - free > 18) { write(g, t, String(k + 1), x, 18, { size: 12, align: "center", bold: !off.has(k), fill: off.has(k) ? t["ink-2"] : t.ink, halo: t.plot }); free = x; } });
      const step = cut.seconds > 40 ? 10 : cut.seconds > 15 ? 5 : cut.seconds > 6 ? 2 : 1;
      for (let s = 0; s <= cut.seconds; s += step) write(g, t, `${s} s`, X(s), H - 9, { align: !s ? "left" : X(s) > x1 - 20 ? "right" : "center" });
      cv.setAttribute("aria-label", cut.what === "window" ? `Movement over ${cut.seconds.toFixed(0)} seconds, in ${cut.words.length} windows.`
        : `${motion() ? "Movement above the rest" : "Level above the noise"} over ${cut.seconds.toFixed(0)} seconds; ${plural(cut.words.length, cut.what)} rise through ${motion() ? where() : threshold.toFixed(1) + " decibel"}.`);
    },
    get open() { return Boolean(cut); },
  };
  return panel;
};
