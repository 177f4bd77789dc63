// The browser's own microphone: an AudioWorklet, resampled to 16 kHz int16 whatever the context's rate.

const MIC_RATE = 16000;

/** Resamples a stream: windowed sinc (Kaiser, beta 8, 48 zero crossings a side), floats in, int16 out.
 *  A plain function without anything from outside, because the worklet gets its text. */
function makeResampler(from, to) {
  const clip = (v) => Math.max(-32768, Math.min(32767, Math.round(v * 32768)));
  if (from === to) return (x) => Int16Array.from(x, clip);
  const crossings = 48, steps = 512, cut = 0.95 * Math.min(1, to / from), reach = crossings / cut, ratio = from / to;
  const bessel = (x) => { let sum = 1, term = 1; for (let k = 1; k < 40; k++) { term *= (x / 2 / k) ** 2; sum += term; } return sum; };
  const table = new Float64Array(crossings * steps + 2); // by distance in zero crossings
  for (let i = 0; i <= crossings * steps; i++) {
    const z = i / steps, u = i / (crossings * steps);
    table[i] = cut * (z ? Math.sin(Math.PI * z) / (Math.PI * z) : 1) * bessel(8 * Math.sqrt(1 - u * u)) / bessel(8);
  }
  let held = new Float32Array(Math.ceil(reach)), begin = -held.length, made = 0; // held[0] is input number `begin`
  return (x) => {
    const all = new Float32Array(held.length + x.length);
    all.set(held); all.set(x, held.length);
    const out = [];
    for (;; made++) {
      const t = made * ratio;
      if (t + reach >= begin + all.length) break;
      let sum = 0;
      for (let k = Math.ceil(t - reach), last = Math.floor(t + reach); k <= last; k++) {
        const z = Math.abs(t - k) * cut * steps, i = z | 0;
        sum += (all[k - begin] || 0) * (table[i] + (table[i + 1] - table[i]) * (z - i));
      }
      out.push(clip(sum));
    }
    const drop = Math.max(0, Math.min(all.length, Math.ceil(made * ratio - reach) - begin));
    held = all.slice(drop); begin += drop;
    return Int16Array.from(out);
  };
}

const WORKLET = `${makeResampler.toString()}
registerProcessor("tinykit-microphone", class extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resample = makeResampler(sampleRate, ${MIC_RATE});
    this.parts = []; this.waiting = 0; this.index = 0; this.next = -1; this.on = true;
    this.port.onmessage = () => { this.on = false; };
  }
  process(inputs) {
    const x = inputs[0][0];
    if (!x || !x.length) return this.on;
    if (this.next >= 0 && currentFrame > this.next) { this.post(); this.index += Math.round((currentFrame - this.next) * ${MIC_RATE} / sampleRate); }
    this.next = currentFrame + x.length;
    const y = this.resample(x);
    this.parts.push(y); this.waiting += y.length;
    if (this.waiting >= ${Math.round(MIC_RATE / 30)}) this.post();
    return this.on;
  }
  post() {
    if (!this.waiting) return;
    const all = new Int16Array(this.waiting);
    let at = 0;
    for (const p of this.parts) { all.set(p, at); at += p.length; }
    this.port.postMessage({ index: this.index, counts: all }, [all.buffer]);
    this.index += this.waiting; this.parts = []; this.waiting = 0;
  }
});`;

const refusal = (error) => {
  const said = {
    NotAllowedError: ["The browser was not allowed to use the microphone.", "allow it with the microphone (or lock) sign beside the page's address, then start again."],
    NotFoundError: ["This computer has no microphone that the browser knows of.", "plug one in, or choose it in the system's sound settings, then start again."],
    NotReadableError: ["Another program holds the microphone.", "close it (a video call, perhaps), then start again."],
    OverconstrainedError: ["The chosen microphone is no longer there.", "choose another one, then start again."],
  }[error.name];
  return said ? { what: said[0], next: said[1] } : error.what ? error : { what: `The microphone did not start: ${error.message || error}.`, next: "reload the page, or try another browser." };
};

/** Opens the microphone; calls onsound(index, Int16Array) thirty times a second. Rejects with {what, next}. */
const openMicrophone = async (device, onsound, onended) => {
  try {
    if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) {
      throw { what: "Browsers give the microphone only to pages at https:// or on this computer (localhost).", next: "open JupyterLab by such an address; on a hub, ask whoever runs it for https." };
    }
    const audio = { echoCancellation: false, autoGainControl: false, noiseSuppression: false, channelCount: 1, ...(device ? { deviceId: { exact: device } } : {}) };
    const media = await navigator.mediaDevices.getUserMedia({ audio });
    const [track] = media.getAudioTracks();
    const context = new AudioContext();
    const stop = () => { track.onended = null; track.stop(); context.close().catch(() => {}); };
    try {
      const url = URL.createObjectURL(new Blob([WORKLET], { type: "text/javascript" }));
      try { await context.audioWorklet.addModule(url); } finally { URL.revokeObjectURL(url); }
      const node = new AudioWorkletNode(context, "tinykit-microphone", { numberOfInputs: 1, numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
      node.port.onmessage = ({ data }) => onsound(data.index, data.counts);
      context.createMediaStreamSource(media).connect(node);
      track.onended = () => { stop(); onended({ what: "The microphone went away.", next: "plug it in again, then start." }); };
      await Promise.race([context.resume(), new Promise((late) => setTimeout(late, 5000))]);
      if (context.state !== "running") throw { what: "The browser's sound did not start, though it may use the microphone.", next: "check that the computer has a sound output (some browsers need one to listen), then start again." };
      const s = track.getSettings(), on = [["echoCancellation", "echo cancellation"], ["autoGainControl", "automatic gain"], ["noiseSuppression", "noise suppression"]].filter(([k]) => s[k]).map(([, words]) => words);
      return { stop: () => { node.port.postMessage("stop"); stop(); }, rate: context.sampleRate, name: track.label, device: s.deviceId, processed: on };
    } catch (error) { stop(); throw error; }
  } catch (error) { // WebKit without any microphone calls it overconstrained
    throw refusal(error.name === "OverconstrainedError" && !device ? { name: "NotFoundError" } : error);
  }
};

/** What a widget's head says of the page's microphone. */
const linkOfMicrophone = (ui, state) => {
  const words = { on: "microphone on", off: "microphone off", asking: "asks for permission", failed: "no microphone" };
  ui.setLink(state === "on" ? "ok" : state === "failed" ? "bad" : "none", words[state], "mic");
};

/** Start and stop, which microphone, and how it stands; the kernel gets the sound as it comes. */
const microphoneBar = (model, { ring, onsound, onstate }) => {
  let open = null, state_ = "off", sent = 0, base = 0, parts = [], first = 0, count = 0, posted = 0, late = 0;
  // Fifteen messages a second; four when the kernel can't keep up, so that a click does not queue behind sound.
  const post = () => {
    if (!count) return;
    const all = new Int16Array(count);
    let at = 0;
    for (const p of parts) { all.set(p, at); at += p.length; }
    model.send({ k: "sound", index: first }, undefined, [all.buffer]);
    sent = first + count; parts = []; count = 0; posted = performance.now();
  };
  const queue = (index, counts) => {
    if (count && index !== first + count) post();
    if (!count) first = index;
    parts.push(counts); count += counts.length;
    if (performance.now() - posted >= (late > 0.5 ? 250 : 60)) post();
  };
  const start = button("Start the microphone", { pic: "mic", kind: "pri", onclick: () => open ? stop() : begin() });
  const which = h("select", { "aria-label": "Which microphone", onchange: () => { if (open) { stop(); begin(); } } }, h("option", { value: "" }, "the usual microphone"));
  const facts = h("span.s.mut", {});
  const tell = (state, note) => {
    state_ = state;
    model.send({ k: "mic", state, name: open?.name || "", rate: open?.rate || 0, what: note?.what || "" });
    start.className = state === "on" ? "tk-btn" : "tk-btn pri";
    fill(start, icon(state === "on" ? "stop" : "mic"), h("span.t", {}, state === "on" ? "Stop the microphone" : state === "asking" ? "Waiting for permission" : "Start the microphone"));
    start.disabled = state === "asking";
    setText(facts, open ? `${commas(open.rate)} Hz in the browser, ${commas(MIC_RATE)} Hz here${open.processed.length ? `; the browser insists on ${open.processed.join(", ")}` : "; echo cancellation, gain control and noise suppression off"}` : "");
    onstate(state, note);
  };
  const begin = async () => {
    tell("asking");
    base = ring.end; // a new start goes on where the last one ended
    try {
      open = await openMicrophone(which.value, (index, counts) => {
        ring.push(base + index, counts);
        queue(base + index, counts);
        onsound();
      }, (note) => { open = null; tell("failed", note); });
      tell("on");
      const devices = (await navigator.mediaDevices.enumerateDevices()).filter((d) => d.kind === "audioinput" && d.deviceId && d.deviceId !== "default");
      fill(which, h("option", { value: "" }, "the usual microphone"), devices.map((d, i) => h("option", { value: d.deviceId, selected: d.deviceId === which.value }, d.label || `microphone ${i + 1}`)));
    } catch (note) { open = null; tell("failed", note.what ? note : refusal(note)); }
  };
  const stop = () => { open?.stop(); open = null; post(); tell("off"); };
  return { el: h("div.tk-mic", {}, start, h("label", {}, "Microphone", which), facts), stop: () => { if (open) stop(); }, get state() { return state_; }, /** How far the kernel is behind, in seconds, by the number of the sample that it expects next. */ behind(page) { late = state_ === "on" ? (sent - page) / MIC_RATE : 0; return late; }, press: () => start.click(), start };
};
