// The recorder: chips, the big button with its 3-2-1, a preview.
// After `core.js`, `glide.js`, `sound.js`, `capture.js`, `cutter.js`, `replay.js`, `cards.js`.

const LENGTHS = { one: [1, 1.5, 2, 3], ten: [1, 1.5, 2, 3], long: [10, 20, 30, 60] };

export default () => widgetOf((model) => {
  const c = model.get("config"), last = {};
  const ring = c.sound ? new SoundRing(c.rate_hz, 12) : new SampleRing(Math.ceil(c.rate_hz * 8), c.channels.length);
  const glide = c.sound ? null : new Glide(c.rate_hz);
  return {
    take(m, buffers) {
      if (m.k === "samples") {
        ring.take(m, buffers[0]);
        glide?.arrive(performance.now(), m.runs[0][1], ring.last, m.fresh && m.runs[0][1] > glide.last);
      }
      if (m.k === "takes" || m.k === "rows") m.sparks = int16Of(buffers[0]);
      if (m.k === "heard" || m.k === "motion") m.counts = int16Of(buffers[0]);
      if (m.k === "motion") m.pose = int16Of(buffers[1]);
      if (m.k === "cut") m.above = buffers?.[0];
      if (["labels", "takes", "rows", "cut"].includes(m.k)) last[m.k] = m;
    },
    view: (model, lastStatus) => recorderView(model, ring, glide, last, lastStatus),
  };
});

const CUTTING = "cutting it"; // what is said from the end of a long take until its parts are there

/** The big button: circle, number in ring, square in ring, ten segments; each with its own words. */
const arc = (from, to, r = 41) => {
  const p = (d) => [44 + r * Math.cos((d - 90) * Math.PI / 180), 44 + r * Math.sin((d - 90) * Math.PI / 180)].map((v) => v.toFixed(1)).join(" ");
  const end = Math.min(to, from + 359.9);
  return `M${p(from)}A${r} ${r} 0 ${end - from > 180 ? 1 : 0} 1 ${p(end)}`;
};
const face = {
  ready: () => '<circle cx="44" cy="44" r="41" fill="none" stroke="var(--tk-edge)" stroke-width="2"/><circle cx="44" cy="44" r="32" fill="var(--tk-rec)"/>',
  count: (n, share) => '<circle cx="44" cy="44" r="41" fill="none" stroke="var(--tk-track)" stroke-width="4"/>' +
    `<path d="${arc(0, 360 * share)}" fill="none" stroke="var(--tk-accent)" stroke-width="4"/>` +
    `<text x="44" y="60" text-anchor="middle" font-size="46" font-weight="600" fill="var(--tk-ink-0)" font-family="inherit">${n}</text>`,
  taking: (share) => '<circle cx="44" cy="44" r="41" fill="none" stroke="var(--tk-track)" stroke-width="4"/>' +
    `<path d="${arc(0, 360 * share)}" fill="none" stroke="var(--tk-rec)" stroke-width="4"/><rect x="26" y="26" width="36" height="36" rx="3" fill="var(--tk-rec)"/>`,
  ten: (done) => Array.from({ length: 10 }, (_, i) =>
    `<path d="${arc(i * 36 + 3, i * 36 + 33, 39)}" fill="none" stroke="var(--tk-${i < done ? "fill" : i === done ? "accent" : "track"})" stroke-width="${i === done ? 8 : 6}"/>`).join("") +
    `<text x="44" y="55" text-anchor="middle" font-size="30" font-weight="600" fill="var(--tk-ink-0)" font-family="inherit">${done}<tspan font-size="15" font-weight="400">/10</tspan></text>`,
  long: (seconds) => '<circle cx="44" cy="44" r="41" fill="none" stroke="var(--tk-rec)" stroke-width="2"/><rect x="30" y="20" width="28" height="28" rx="3" fill="var(--tk-rec)"/>' +
    `<text x="44" y="69" text-anchor="middle" font-size="17" font-weight="600" fill="var(--tk-ink-0)" font-family="inherit">${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}</text>`,
};

function recorderView(model, ring, glide, last, lastStatus) {
  const config = model.get("config");
  const ui = frame("Recorder", model.get("head"));
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const ask = (k, content) => model.send({ k, ...content });
  let label = "", mode = "one", seconds = config.seconds, phase = "ready", began = 0, timer = 0, colours = null, result = "", away = false, held = 0;
  let mine = null; // what the running countdown, take or ten takes was begun with, whatever is chosen meanwhile
  const now = () => phase === "ready" || !mine ? { label, mode, seconds } : mine;
  let done = 0, left = ""; // takes of the ten that there are; the label of a series that broke off
  const spoken = h("span.vh", { "aria-live": "assertive" });

  // What to record
  const chips = h("div.tk-chips", { role: "radiogroup", "aria-label": "Label to record" });
  roving(chips);
  const addSlot = h("span", {});
  const adding = () => {
    const input = h("input", { type: "text", "aria-label": "New label", maxlength: 40, placeholder: "new label" });
    const commit = () => { const v = input.value.trim(); addButton(); if (v) ask("label", { label: v }); };
    input.addEventListener("keydown", (e) => { if (e.key === "Enter") { commit(); e.stopPropagation(); } if (e.key === "Escape") { addButton(); e.stopPropagation(); } });
    fill(addSlot, input, " ", button("Add", { onclick: commit }));
    input.focus();
  };
  const addButton = () => fill(addSlot, button("+ Add a label", { onclick: adding }));
  addButton();
  const hint = h("div", { role: "status" });

  // The button
  const svg = h("span", {}), big = h("span.t", {}), small = h("span.u.num", {});
  const rec = h("button.tk-rb", { type: "button", onclick: () => press() }, svg, big, small);
  const who = h("input", { type: "text", value: config.person, placeholder: "nickname", "aria-label": "Who is recording", maxlength: 24 });
  const known = h("datalist", { id: "tk-who-" + Math.random().toString(36).slice(2) });
  who.setAttribute("list", known.id);
  const modes = segmented("Mode", [["one", "One take"], ["ten", "Ten takes"], ["long", "Long take"]], mode, (v) => { mode = v; if (phase === "ready") { left = ""; done = 0; } setLengths(); paint(); touch(); });
  const length = h("select", { "aria-label": "Length of a take", onchange: () => { seconds = +length.value; touch(); } });
  const setLengths = () => {
    const own = mode === "long" ? LENGTHS.long : [...new Set([...LENGTHS.one, config.seconds])].sort((a, b) => a - b);
    if (!own.includes(seconds)) seconds = mode === "long" ? own[1] : config.seconds;
    fill(length, own.map((s) => h("option", { value: s, selected: s === seconds }, `${s} s`)));
  };
  setLengths();
  const bell = config.sound ? null : beeper();
  const beeps = bell && h("button.tk-btn", { type: "button", "aria-pressed": "false", title: "A beep at each number, so that you can look at your hand", onclick: () => { bell.on = !bell.on; beeps.setAttribute("aria-pressed", bell.on); if (bell.on) bell.say(660); } }, "Beep");
  const what = config.sound ? "sound" : "acceleration";
  const preview = h("canvas", { role: "img", "aria-label": `Live preview of the ${what}, last ${config.preview_s} seconds.` });
  const describe = describer(preview), level = config.sound ? levelMeter(config.wanted) : null;
  // Sound only: the page's own microphone, hearing takes again.
  const mic = config.browser ? microphoneBar(model, { ring, onsound: () => touch(), onstate: (state, note) => {
    ui.setNote(note ? { kind: "bad", ...note } : null); held = note ? Date.now() + 60000 : 0;
    linkOfMicrophone(ui, state);
    touch();
  } }) : null;

  // -- a take once more: {key: "n" or "word", which, seconds, at: when it began or 0, m: the kernel's message}
  let playing = null;
  const player = config.sound ? soundPlayer() : null, heard = new Map();
  const share = () => !playing || !playing.at ? 0 : player ? player.share ?? 0 : Math.min(1, (Date.now() - playing.at) / 1000 / playing.seconds);
  const ended = (halt) => { playing = null; player?.stop(); if (halt && !player) ask("halt"); cards.paint(); cutter.paint(); touch(); };
  const play = (key, which, seconds) => {
    const same = playing && playing.key === key && playing.which === which;
    if (playing) ended(true);
    if (same) return;
    player?.wake();
    playing = { key, which, seconds, at: 0 };
    const known = key === "n" && heard.get(which); // a part's place changes with the threshold
    if (known) sounds(known); else ask("hear", { [key]: which });
    cards.paint(); cutter.paint();
  };
  const sounds = (m) => {
    const key = m.n !== undefined ? "n" : "word";
    if (m.k === "heard" && key === "n") heard.set(m.n, m);
    if (!playing || playing.key !== key || playing.which !== m[key] || playing.at) return;
    playing.at = Date.now();
    if (m.k === "motion") { playing.m = m; playing.seconds = m.counts.length / m.channels.length / m.rate; preview.setAttribute("aria-label", `Take of ${m.label} once more: acceleration, and how the board was held.`); }
    else player.play(m.counts, m.rate, () => ended(false));
    touch();
  };
  const cutter = cutPanel(ask, (k, seconds) => play("word", k, seconds), () => playing && playing.key === "word" ? playing.which : -1);
  const labels = () => (last.labels?.labels || []).map((l) => l.name);
  labels.count = (name) => Object.values(last.labels?.labels.find((l) => l.name === name)?.persons || {}).reduce((a, b) => a + b, 0);
  const cards = cardsPanel({ config, ask, labels, play: (n, seconds) => play("n", n, seconds), leave: () => rec.focus(),
    playing: () => playing && playing.key === "n" ? { n: playing.which, seconds: playing.seconds, share: share() } : null });

  const saved = h("span", {});
  ui.controls.append(saved);
  ui.body.append(mic ? mic.el : "",
    h("div.tk-tools", mic ? { style: "border-top:1px solid var(--tk-line)" } : {}, h("h4", {}, "What to record"), h("span.s.mut", {}, `target ${config.target} takes each, from at least ${config.people} people`), h("span.tk-sp", {}), addSlot),
    chips, hint,
    h("div.tk-rec", {}, rec, h("div", {}, h("div.tk-set", {}, h("label", {}, "Who ", who, known), modes.el, h("label", {}, "Length ", length), beeps || ""), h("div.tk-pv.tk-plot", {}, preview))),
    level ? level.el : "", cutter.el, cards.el, spoken);

  // -- recording
  const press = () => {
    if (phase === "taking" && mine.mode === "long") { ask("enough"); phase = "wait"; result = CUTTING; paint(); return; }
    if (phase === "wait" && result === CUTTING) return; // it is there already; Esc would throw it away
    if (phase !== "ready") return stop();
    if (mic && mic.state !== "on") { ui.setNote({ kind: "run", what: "", next: "allow the microphone, then press the button again." }); held = Date.now() + 8000; if (mic.state !== "asking") mic.press(); return; }
    if (away) { ui.setNote({ kind: "bad", what: "There is no board to record from.", next: "plug it in; when it is linked again, press the button once more." }); held = Date.now() + 6000; return; }
    if (playing) ended(true);
    if (left !== label) done = 0;
    left = "";
    mine = { label, mode, seconds, person: who.value };
    count();
  };
  const count = () => { result = ""; phase = "count"; began = Date.now(); setText(spoken, `Get ready: ${mine.label}`); bell?.wake(); run(); };
  const start = () => { phase = "wait"; began = Date.now(); bell?.say(1320); ask("record", { label: mine.label, seconds: mine.seconds, person: mine.person, long: mine.mode === "long" }); };
  const stop = () => {
    if (phase === "wait" || phase === "taking") ask("cancel");
    phase = "ready"; done = 0; left = ""; clearTimeout(timer); paint(); touch();
  };
  let beeped = "";
  const run = () => {
    clearTimeout(timer);
    const s = (Date.now() - began) / 1000;
    const beat = phase === "count" && s < 2.4 ? `${began} ${Math.floor(s / 0.8)}` : "";
    if (beat && beat !== beeped) { beeped = beat; bell?.say(660); }
    if (phase === "count" && s >= 2.4) start();
    if (phase === "pause" && s >= 1) start();
    if (phase === "wait" && s > 6 && result !== CUTTING) result = "the kernel is busy with another cell: the take starts when that is done";
    paint();
    if (phase !== "ready") timer = setTimeout(run, calm.matches ? 500 : 50);
  };
  const paint = () => {
    const { label, mode, seconds } = now(), s = (Date.now() - began) / 1000, part = Math.min(1, s / seconds);
    const look = phase === "count" ? face.count(3 - Math.floor(s / 0.8), (s % 0.8) / 0.8) : phase === "taking" && mode === "long" ? face.long(Math.min(s, seconds))
      : phase === "taking" || phase === "wait" ? face.taking(phase === "wait" ? 0 : part) : phase === "pause" ? face.ten(done) : face.ready();
    svg.innerHTML = `<svg viewBox="0 0 88 88" aria-hidden="true">${look}</svg>`;
    setText(big, { ready: `Record “${label}”`, count: `Get ready: “${label}”`, wait: "Starting", taking: mode === "ten" ? `Take ${done + 1} of 10` : mode === "long" ? "Long take running" : "Recording now", pause: `Take ${done + 1} of 10` }[phase]);
    const gone = away && (phase === "taking" || phase === "wait");
    const words = { ready: left ? [h("kbd", {}, "Space"), ` goes on: ${10 - done} of ten are left`] : [h("kbd", {}, "Space"), " after 3-2-1"], count: [h("kbd", {}, "Esc"), " cancels"], wait: result || "…",
      taking: mode === "long" ? (config.sound ? "say it again and again, with pauses; press to end" : "again and again, a second of rest between; press to end") : `${Math.min(s, seconds).toFixed(1)} s of ${seconds} s`, pause: ["next in 1 s, ", h("kbd", {}, "Esc"), " stops"] }[phase];
    const key = `${phase} ${left} ${done} ${gone} ${phase === "taking" || phase === "wait" ? words : ""}`;
    if (small.dataset.key !== key) { small.dataset.key = key; fill(small, gone ? "the board is away: plug it in, the take waits for it" : words); }
  };
  const taken = (m) => {
    if (phase === "ready") return;
    setText(spoken, m.ok ? (m.number ? `Take ${m.number}: ${m.text}` : m.text) : `Not kept: ${m.text}`);
    if (m.ok || m.number && !m.stop) done += 1;
    bell?.say(m.ok ? 880 : 330);
    if (m.stop && m.number) ui.setNote({ kind: "warn", what: `Take ${m.number} broke off: ${m.text}. What came is on its card${done ? `, and the ${done} before it ${done === 1 ? "is" : "are"} kept` : ""}.`, next: m.gone ? "plug the board in; when it is linked again, press the button once more." : m.next });
    else if (!m.ok && m.number) ui.setNote({ kind: "warn", what: `Take ${m.number} was refused: ${m.text}.`, next: m.next });
    else ui.setNote(m.ok || /thrown away|not recorded/.test(m.text) ? null : { kind: "warn", what: m.text });
    held = Date.now() + (m.ok ? 0 : m.stop ? 20000 : 8000);
    const goes = mine.mode === "ten" && done < 10 && (m.ok || m.number) && !m.stop;
    left = mine.mode === "ten" && mode === "ten" && m.stop && done && done < 10 ? mine.label : "";
    if (goes) { phase = "pause"; began = Date.now(); run(); } else { phase = "ready"; if (!left) done = 0; clearTimeout(timer); paint(); touch(); }
  };

  // -- chips
  const paintLabels = (m) => {
    if (!m) return;
    label = m.label;
    const focused = chips.contains(document.activeElement);
    fill(chips, m.labels.map(({ name, persons }) => {
      const sum = Object.values(persons).reduce((a, b) => a + b, 0), people = Object.entries(persons);
      return h("button.tk-chip", { type: "button", role: "radio", "aria-checked": name === label, tabindex: name === label ? 0 : -1,
        "aria-label": `${name}, ${sum} of ${config.target} takes${people.length ? ", " + people.map((p) => p.join(" ")).join(", ") : ""}`,
        onclick: () => { if (phase === "ready") ask("label", { label: name }); } },
      h("b", {}, name), h("span.num", {}, `${sum}/${config.target}${sum >= config.target ? " full" : ""}`),
      h("span.seg", {}, people.map(([, n]) => h("i", { style: `width:calc(${Math.min(100, 100 * n / Math.max(config.target, sum))}% - 2px)` }))),
      h("span.ppl", {}, people.length ? people.map((p) => p.join("\u00a0")).join(", ") + (people.length === 1 && people[0][0] !== "?" ? " only" : "") : "nobody yet"));
    }));
    if (focused) chips.querySelector("[aria-checked=true]")?.focus();
    const names = [...new Set([...config.persons, ...m.labels.flatMap((l) => Object.keys(l.persons))])].filter((n) => n !== "?");
    fill(known, names.map((n) => h("option", { value: n })));
    const kind = m.hint.kind;
    fill(hint, h(`div.tk-note.tk-${kind}`, {}, h("span", { style: `color:var(--tk-${kind === "run" ? "accent" : kind})` }, icon(kind === "run" ? "next" : kind)), h("div", {}, kind === "run" ? [h("b", {}, "Next: "), m.hint.text] : m.hint.text)));
    setText(ui.facts, m.foot.facts);
    fill(saved, m.foot.kept ? state("ok", m.foot.saved) : state("none", m.foot.saved));
    saved.className = "s";
    paint();
  };

  let drawn = -1;
  const touch = drawLoop(ui.root, (at, forced) => {
    colours = colours || theme(ui.root);
    if (playing?.m && share() >= 1) { ended(false); }
    const end = glide ? glide.at(at) : 0, moved = forced || playing || !glide || Math.abs(end - drawn) > 0.05;
    if (moved) {
      drawn = end;
      if (playing?.m) drawReplay(preview, colours, playing.m, share(), 112);
      else if (config.sound) drawListening(preview, colours, ring, config, now().seconds, now().mode);
      else drawPreview(preview, colours, ring, config, end, { seconds: now().seconds, mode: now().mode, since: phase === "taking" ? (Date.now() - began) / 1000 : 0, stale: ring.arrived && Date.now() - ring.arrived > 1500 });
      if (!playing?.m) describe(() => config.sound ? `Live waveform of the last ${config.preview_s} seconds, ${verdictOf(ring, config.wanted).text}.` : `Live preview of the acceleration, last ${config.preview_s} seconds.`);
      level?.show(ring);
    }
    if (forced || playing) { cutter.draw(colours); cards.draw(colours); }
    if (playing) { touch.go(); return true; }
    return glide ? Boolean(moved) : undefined;
  });
  touch.themeChanged = () => { colours = null; };
  cutter.touch = cards.touch = touch;
  const sized = new ResizeObserver(() => { cards.stale(); touch(); });
  sized.observe(cards.el);

  const choose = (k) => () => { const name = labels()[k]; if (!name || phase !== "ready") return false; ask("label", { label: name }); };
  keys(ui.root, {
    Space: (e) => { if (e.target.closest("button") && !e.target.closest("[role=radio]") && e.target !== rec) return false; if (!e.repeat) press(); },
    Escape: () => { if (cards.escape()) return; if (phase === "ready") return false; stop(); },
    ...cards.keys, ...Object.fromEntries(Array.from({ length: 8 }, (_, k) => [String(k + 1), choose(k)])),
  });
  const showStatus = (s) => {
    if (!s) return;
    away = !mic && s.link.kind === "bad" && s.link.picture === "unlink";
    mic?.behind(s.page);
    if (mic && mic.state !== "on") linkOfMicrophone(ui, mic.state); else ui.setLink(s.link.kind, s.link.text, s.link.picture);
    if (s.note || Date.now() > held) ui.setNote(s.note);
    paint(); touch();
  };
  const watch = setInterval(() => { noteSilence(ui, lastStatus()); if (ring.arrived && Date.now() - ring.arrived > 1500) touch(); }, 1000);
  paintLabels(last.labels);
  if (last.rows) cards.showRows(last.rows);
  if (last.takes) cards.show(last.takes);
  if (last.cut) cutter.show(last.cut, last.cut.above);
  showStatus(lastStatus());
  paint();
  touch();
  return {
    root: ui.root,
    stop: () => { clearTimeout(timer); clearInterval(watch); sized.disconnect(); mic?.stop(); player?.close(); bell?.close(); touch.stop(); },
    message: (m) => {
      if (m.k === "samples") { if (glide) touch.go(); else touch(); }
      if (m.k === "status") showStatus(m);
      if (m.k === "labels") paintLabels(m);
      if (m.k === "takes") { heard.clear(); cards.show(m); }
      if (m.k === "rows") cards.showRows(m);
      if (m.k === "taking" && phase === "wait") { phase = "taking"; began = Date.now(); setText(spoken, "Recording now"); }
      if (m.k === "taken") taken(m);
      if (m.k === "cut") { if (playing?.key === "word") ended(true); cutter.show(m, m.above); }
      if (m.k === "heard" || m.k === "motion") sounds(m);
      if (m.k === "told") { ui.setNote({ kind: m.state, what: m.text, next: m.next }); held = Date.now() + 6000; }
      if (m.k === "error") { ui.setNote({ kind: "bad", what: m.what, next: m.next }); held = Date.now() + 15000; }
    },
  };
}

/** Beeps at the numbers of the countdown, once it is switched on: eyes stay on the hand. */
const beeper = () => {
  let context = null;
  return {
    on: false,
    wake() { if (this.on) { context = context || new AudioContext(); context.resume(); } },
    say(hz) {
      if (!this.on) return;
      this.wake();
      const tone = context.createOscillator(), gain = context.createGain(), at = context.currentTime;
      tone.frequency.value = hz;
      gain.gain.setValueAtTime(0.12, at); gain.gain.exponentialRampToValueAtTime(0.001, at + 0.15);
      tone.connect(gain); gain.connect(context.destination);
      tone.start(at); tone.stop(at + 0.16);
    },
    close() { context?.close().catch(() => {}); },
  };
};

function drawPreview(cv, t, ring, config, end, { seconds, mode, since, stale }) {
  const { g, w, h: H } = canvasOf(cv, 112);
  const x0 = 38, x1 = w - 34, span = config.rate_hz * config.preview_s, columns = config.channels.map((c, j) => [c, j]).filter(([c]) => c[0] === "a");
  const first = ring.from(end - span), to = ring.from(end + 0.001);
  let most = 0;
  for (let k = first; k < to; k++) for (const [, j] of columns) most = Math.max(most, Math.abs(ring.at(k, j)));
  const m = most > 2 * 8192 ? 4 : 2;
  const X = (i) => x1 - (x1 - x0) * (end - i) / span, Y = (v) => (H - 16) / 2 + 4 - Math.max(-m, Math.min(m, v)) / m * (H - 28) / 2;
  if (since > 0) { // what will be the take
    const a = Math.max(x0, x1 - (x1 - x0) * since / config.preview_s);
    g.fillStyle = t.rec; g.globalAlpha = 0.12; g.fillRect(a, 4, x1 - a, H - 20); g.globalAlpha = 1;
    rule(g, t.rec, crisp(a), 4, crisp(a), H - 16);
  }
  for (const k of [-m, 0, m]) { rule(g, t.line, x0, crisp(Y(k)), x1, crisp(Y(k))); write(g, t, k > 0 ? `+${k} g` : minus(k), x0 - 5, Y(k), { align: "right" }); }
  if (mode !== "long" && !since) {
    const lead = crisp(x1 - (x1 - x0) * seconds / config.preview_s);
    if (lead > x0) { rule(g, t.edge, lead, 4, lead, H - 16, [3, 3]); write(g, t, `one take, ${seconds} s`, lead + 5, H - 24, { halo: t.plot }); }
  }
  g.save(); g.beginPath(); g.rect(x0, 0, x1 - x0, H); g.clip();
  if (stale) g.globalAlpha = 0.4;
  columns.forEach(([c, j], k) => trace(g, ring, j, end - span - 2, X, (v) => Y(v / 8192), t[c[1].toLowerCase()], 1.5, [[], [6, 3], [2, 2]][k]));
  g.globalAlpha = 1;
  for (const [first, n] of ring.gaps(end - span)) { const a = X(first - 1), b = X(first + n); hatch(g, a, 4, b - a, H - 20, t.edge); }
  g.restore();
  write(g, t, `\u2212${config.preview_s} s`, x0, H - 7); write(g, t, stale ? clock(ring.arrived) : "now", x1, H - 7, { align: "right" });
  if (!ring.size || stale) return;
  for (const q of apart(columns.map(([c, j]) => ({ c, y: Y(ring.at(Math.max(0, to - 1), j) / 8192) })), 14)) { const k = q.c[1].toLowerCase(); mark(g, k, x1 + 10, q.y, 3.2, t[k]); write(g, t, q.c[1], x1 + 18, q.y, { fill: t.ink, bold: true }); }
}

/** The preview of sound: envelope, and how long a take would be. */
function drawListening(cv, t, ring, config, seconds, mode) {
  const { g, w, h: H } = canvasOf(cv, 112), x0 = 38, x1 = w - 12, from = ring.end - config.preview_s * ring.rate;
  const X = (i) => x1 - (x1 - x0) * (ring.end - i) / (config.preview_s * ring.rate), top = 6, height = H - 26;
  for (const v of [-1, 0, 1]) { const y = crisp(top + height / 2 - v * height / 2); rule(g, v ? t.line : t.edge, x0, y, x1, y); write(g, t, signed(v, 0), x0 - 5, y, { align: "right" }); }
  g.save(); g.beginPath(); g.rect(x0, 0, x1 - x0, H); g.clip();
  drawEnvelope(g, t, ring, X, top, height, from);
  g.restore();
  if (mode !== "long") {
    const lead = crisp(x1 - (x1 - x0) * seconds / config.preview_s);
    if (lead > x0) { rule(g, t.edge, lead, 4, lead, H - 18, [3, 3]); write(g, t, `one take, ${seconds} s`, lead + 5, 12, { halo: t.plot }); }
  }
  drawHoles(g, t, ring, X, top, top + height, x0, from);
  write(g, t, `\u2212${config.preview_s} s`, x0, H - 7); write(g, t, ring.arrived && Date.now() - ring.arrived > 1500 ? clock(ring.arrived) : "now", x1, H - 7, { align: "right" });
}
