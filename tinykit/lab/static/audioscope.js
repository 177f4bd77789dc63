// The audio scope: a board's microphone as it comes. After `core.js`, `glide.js`, `steer.js`, `sound.js`, `spectrogram.js`.

export default () => widgetOf((model) => {
  const { rate_hz: rate, holds_s: seconds } = model.get("config");
  const live = hearing(new SoundRing(rate, seconds), new Spectrum({ rate }, seconds), new Glide(rate));
  return {
    take(m, buffers) {
      if (m.k !== "samples") return;
      const { ring, glide } = live, first = m.runs[0][1] - COLUMN_LAG;
      ring.take(m, buffers[0]);
      glide.arrive(performance.now(), first, ring.end - 1 - COLUMN_LAG, m.fresh && first > glide.last);
    },
    view: (model, lastStatus) => audioView(model, live, lastStatus),
  };
});

/** What a view reads: sound, its columns, the place where the picture stands; a copy holds all three. */
const hearing = (ring, spectrum, glide) => ({
  ring, spectrum, glide,
  get arrived() { return ring.arrived; },
  get first() { return ring.start; },
  copy() { return hearing(ring.copy(), Object.assign(Object.create(Spectrum.prototype), spectrum, { db: spectrum.db.slice() }), { place: glide.place }); },
});

function audioView(model, live, lastStatus) {
  const config = model.get("config"), rate = config.rate_hz, level = levelMeter(config.wanted);
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let picture = null;
  const view = scopeView(model, lastStatus, {
    title: "Audio scope", head: { ...model.get("head"), pic: "mic" }, what: "Waveform and spectrogram", live, edges: soundEdges, rate: commas,
    ranges: [{ label: "Range of the waveform", unit: "", choices: [0.02, 0.05, 0.1, 0.2, 0.5, 1] }],
    body: [level.el],
    end: (data, s) => data.glide.place - (s ? s.back * rate : 0),
    draw(cv, t, s, forced, place) {
      picture = picture || soundPicture(view.root);
      const { ring, spectrum } = s.data;
      if (!s.held) spectrum.advance(ring);
      const end = calm.matches && !s.held ? Math.floor(s.end / rate) * rate : s.end;
      const moved = picture(cv, t, { ...s, ring, spectrum, end, scale: s.limits[0] }, forced, place);
      if (moved) level.show(ring);
      return moved;
    },
    words: (s) => soundWords(s.data.ring, config.wanted, s.seconds) + (s.held ? " Paused." : s.stale ? " Old picture." : ""),
  });
  return view;
}
