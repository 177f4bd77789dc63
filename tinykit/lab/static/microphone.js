// The browser's microphone: heard and drawn here, sent to the kernel. After `core.js`, `glide.js`, `sound.js`,
// `spectrogram.js` and `capture.js`.

export default () => widgetOf((model) => {
  const rate = model.get("config").rate_hz, ring = new SoundRing(rate, 12), spectrum = new Spectrum({ rate }, 12);
  return { view: (model, lastStatus) => microphoneView(model, ring, spectrum, lastStatus) };
});

function microphoneView(model, ring, spectrum, lastStatus) {
  const config = model.get("config");
  const ui = frame("Microphone", { ...model.get("head"), pic: "mic" });
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const cv = h("canvas", { role: "img", "aria-label": "Waveform and spectrogram, no sound yet." });
  const describe = describer(cv), level = levelMeter(config.wanted);
  const glide = new Glide(config.rate_hz), picture = soundPicture(ui.root);
  let colours = null, problem = null, theme_ = 0;
  const bar = microphoneBar(model, {
    ring,
    onsound: () => { glide.arrive(performance.now(), glide.last + 1, ring.end - 1 - COLUMN_LAG); touch.go(); },
    onstate: (state, note) => {
      problem = note || null;
      linkOfMicrophone(ui, state);
      ui.setNote(problem && { kind: "bad", ...problem });
      showStatus(lastStatus());
      touch();
    },
  });
  ui.body.append(bar.el, h("div.tk-plot", {}, cv), level.el);
  ui.controls.append(h("span.s.mut", {}, config.feeds ? "what is said here is what the virtual board hears" : "goes to the notebook only"));
  linkOfMicrophone(ui, "off");

  const touch = drawLoop(ui.root, (now, forced) => {
    if (!colours) { colours = theme(ui.root); theme_++; }
    spectrum.advance(ring);
    const off = bar.state !== "on" && ring.arrived, place = off ? glide.place : glide.at(now);
    const end = calm.matches ? Math.floor(place / ring.rate) * ring.rate : place;
    const moved = picture(cv, colours, { ring, spectrum, end, seconds: config.seconds, back: 0, scale: 1, stale: off, now: off ? clock(ring.arrived) : "now", theme: theme_ }, forced);
    if (moved) { level.show(ring); describe(() => soundWords(ring, config.wanted, config.seconds)); }
    return bar.state === "on" ? moved : undefined;
  });
  touch.themeChanged = () => { colours = null; };
  keys(ui.root, { M: () => bar.press() });

  const showStatus = (s) => {
    if (!s) return;
    linkOfMicrophone(ui, bar.state);
    const late = bar.behind(s.page);
    fill(ui.facts, bar.state !== "on" && !ring.size ? "nothing is sent before you start" : `${commas(config.rate_hz)} Hz · ${commas(s.lost)} lost of ${commas(s.received + s.lost)} in ${ago((s.received + s.lost) / ring.rate)}`,
      config.feeds && s.holes ? ` · the board heard ${(s.holes / ring.rate).toFixed(1)} s of silence in between` : "",
      late > 1.5 ? [" · ", h("b", {}, `the kernel is busy, ${late.toFixed(0)} s wait here`)] : "");
    if (s.note && !problem) ui.setNote(s.note); else if (!problem) ui.setNote(null);
  };
  const watch = setInterval(() => { if (bar.state === "on") noteSilence(ui, lastStatus()); }, 1000);
  showStatus(lastStatus());
  touch();
  return {
    root: ui.root,
    stop: () => { clearInterval(watch); bar.stop(); touch.stop(); },
    message: (m) => {
      if (m.k === "status") showStatus(m);
      if (m.k === "error") ui.setNote({ kind: "bad", what: m.what, next: m.next });
    },
  };
}
