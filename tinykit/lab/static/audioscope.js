// The audio scope: a board's microphone as it comes. After `core.js` and `sound.js`.

export default () => widgetOf((model) => {
  const rate = model.get("config").rate_hz, ring = new SoundRing(rate, 12), spectrum = new Spectrum({ rate }, 12);
  return {
    take(m, buffers) { if (m.k === "samples") ring.take(m, buffers[0]); },
    view: (model, lastStatus) => audioscopeView(model, ring, spectrum, lastStatus),
  };
});

function audioscopeView(model, ring, spectrum, lastStatus) {
  const config = model.get("config");
  const ui = frame("Audio scope", { ...model.get("head"), pic: "mic" });
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const cv = h("canvas", { role: "img", "aria-label": "Waveform and spectrogram, waiting for the first samples." });
  const describe = describer(cv), level = levelMeter(config.wanted), image = h("canvas");
  let held = null, stale = false, colours = null, ramp = null, kept = "", seconds = config.keeps.includes(5) ? 5 : config.keeps[0];
  ui.body.append(h("div.tk-plot", {}, cv), level.el);

  const pause = button("Pause", { pic: "pause", key: "P", onclick: () => toggle() });
  const length = h("select", { "aria-label": "How much to keep", onchange: () => { seconds = +length.value; setText(keep.querySelector(".t"), `Keep last ${seconds} s`); } },
    config.keeps.map((s) => h("option", { value: s, selected: s === seconds }, `${s} s`)));
  const keep = button(`Keep last ${seconds} s`, { pic: "keep", key: "K", onclick: () => doKeep() });
  ui.controls.append(length, pause, keep);
  const toggle = () => {
    if (held) { held = null; } else { held = { ring: ring.copy(), spectrum: Object.assign(Object.create(Spectrum.prototype), spectrum, { db: spectrum.db.slice() }) }; held.spectrum.generation = held.ring.generation; }
    pause.className = held ? "tk-btn pri" : "tk-btn";
    fill(pause, icon(held ? "play" : "pause"), h("span.t", {}, held ? "Resume" : "Pause"), h("kbd", {}, "P"));
    touch();
  };
  const doKeep = () => model.send({ k: "keep", last: (held ? held.ring : ring).end - 1, seconds });
  keys(ui.root, { P: toggle, K: doKeep });

  const touch = drawLoop(ui.root, () => {
    if (!colours) { colours = theme(ui.root); ramp = rampOf(ui.root); }
    const r = held ? held.ring : ring, s = held ? held.spectrum : spectrum;
    if (!held) s.advance(r);
    const end = calm.matches && !held ? Math.floor(r.end / r.rate) * r.rate : r.end;
    drawSound(cv, colours, r, s, { seconds: config.seconds, end, stale, now: held ? "paused" : stale && r.arrived ? clock(r.arrived) : "now", ramp, canvas: image });
    level.show(r);
    describe(() => soundWords(r, config.wanted, config.seconds) + (held ? " Paused." : stale ? " Old picture." : ""));
  });
  touch.themeChanged = () => { colours = null; };

  const showStatus = (s) => {
    if (!s) return;
    ui.setLink(s.link.kind, s.link.text, s.link.picture);
    ui.setNote(s.settling ? { kind: "none", what: "What a microphone gives right after its start is no sound yet; the board throws it away." } : s.note);
    const f = s.facts;
    fill(ui.facts, s.settling ? "nothing to count yet" : f.silent_s > 1.5 ? `no data for ${ago(f.silent_s)} · ` : f.rate_hz ? `${commas(f.rate_hz)} Hz · ` : "",
      s.settling ? "" : f.lost ? h("b", {}, `${commas(f.lost)} lost`) : "0 lost", s.settling ? "" : ` of ${commas(f.lost + f.received)} in ${ago(f.seconds)}`,
      f.lost ? ` (${(100 * f.lost / (f.lost + f.received)).toFixed(1)} %)` : "", kept);
  };
  const watch = setInterval(() => {
    const was = stale;
    stale = !held && ring.arrived > 0 && Date.now() - ring.arrived > 1500;
    if (stale !== was) touch();
    noteSilence(ui, lastStatus());
  }, 500);

  showStatus(lastStatus());
  touch();
  return {
    root: ui.root,
    stop: () => { clearInterval(watch); touch.stop(); },
    message: (m) => {
      if (m.k === "samples" && !held) touch();
      if (m.k === "status") showStatus(m);
      if (m.k === "kept") { kept = ` · ${m.text}`; showStatus(lastStatus()); }
      if (m.k === "error") ui.setNote({ kind: "bad", what: m.what, next: m.next });
    },
  };
}
