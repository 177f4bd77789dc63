// The motion sensors of the phone, tablet or laptop that shows the page, as the board's. After `core.js`.

const GRAVITY = 9.80665;

/** What stands in the way of the sensors, as {what, next}; null where nothing is known to. */
const deviceRefusal = () => {
  if (!window.isSecureContext) return { what: "Browsers give the motion sensors only to pages at https:// or on this computer (localhost).", next: "open JupyterLab by such an address; on a hub, ask whoever runs it for https." };
  if (typeof DeviceMotionEvent === "undefined") return { what: "This browser knows of no motion sensors.", next: "open the page on a phone or tablet, or draw instead." };
  return null;
};

/** One event in the board's axes (x forward: the device's top; y left; z out of the screen): g and deg/s, or null.
 *  Of a motion event alpha is the rate about the device's x, beta about y, gamma about z: not as in an
 *  orientation event, nor as in the first drafts of the standard. */
const rowOf = (e, flip) => {
  const a = e.accelerationIncludingGravity, r = e.rotationRate;
  if (!a || a.x === null || a.y === null || a.z === null) return null;
  const s = flip / GRAVITY, w = r && r.alpha !== null ? [r.beta || 0, -(r.alpha || 0), r.gamma || 0] : [0, 0, 0];
  return [a.y * s, -a.x * s, a.z * s, ...w];
};

function deviceTab(model, config, say, sent, behind) {
  const facts = h("span.s.mut", {}, "Needs a phone, a tablet or a laptop with motion sensors, at https:// or on this computer.");
  let on = false, last = 0, times = [], rows = [], first = true, posted = 0, got = 0, began = 0, watch = 0, turns = false;
  // All browsers of iPhones and iPads give the other sign; an iPad calls itself a Mac, which has no touch screen.
  const flip = /iPhone|iPad|iPod/.test(navigator.userAgent) || (/Mac/.test(navigator.userAgent) && navigator.maxTouchPoints > 1) ? -1 : 1;
  const post = (last) => {
    if (!times.length) return;
    sent(times[times.length - 1]);
    model.send({ k: "felt", t: times, v: rows, first, last });
    first = false; times = []; rows = []; posted = performance.now();
  };
  const feel = (e) => {
    const row = rowOf(e, flip);
    if (!row) return;
    const now = last = Math.max(e.timeStamp, last + 0.1);
    turns = turns || row.slice(3).some(Boolean);
    times.push(now); rows.push(row); got++;
    if (now - posted > (behind() > 0.3 ? 250 : 60)) post(false); // as the strokes do
  };
  const start = button("Start the sensors", { pic: "link", kind: "pri", onclick: () => on ? stop() : begin() });
  const show = () => { start.className = on ? "tk-btn" : "tk-btn pri"; fill(start, icon(on ? "stop" : "link"), h("span.t", {}, on ? "Stop the sensors" : "Start the sensors")); };
  const begin = async () => {
    const refused = deviceRefusal();
    if (refused) { say(refused); return; }
    try {
      if (DeviceMotionEvent.requestPermission && await DeviceMotionEvent.requestPermission() !== "granted") {
        say({ what: "The browser was not allowed to use the motion sensors.", next: "reload the page and allow it, or draw instead." });
        return;
      }
    } catch (error) { say({ what: `The motion sensors did not start: ${error.message || error}.`, next: "reload the page, or draw instead." }); return; }
    on = true; first = true; got = 0; began = performance.now(); turns = false;
    say(null); show();
    addEventListener("devicemotion", feel);
    watch = setInterval(() => {
      const s = (performance.now() - began) / 1000;
      if (!got && s > 2) { stop(); say({ what: "This device has no motion sensors, or keeps them to itself.", next: "open the page on a phone or tablet, or draw instead." }); return; }
      setText(facts, `${(got / s).toFixed(0)} Hz here, ${config.rate_hz} Hz on the board, straight lines in between${turns ? "" : "; no rotation is measured, so it stays 0"}.`);
    }, 500);
  };
  const stop = () => {
    if (!on) return;
    on = false; removeEventListener("devicemotion", feel); clearInterval(watch);
    post(true); if (!first) model.send({ k: "halt" });
    show();
  };
  return { el: h("div.tk-tools", {}, start, facts), leave: stop, halt: stop };
}
