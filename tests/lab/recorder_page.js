// The recorder's page without a browser: as much of a document as it needs, a clock that is set, a kernel that notes what is asked.

class Node_ {
  constructor() { Object.assign(this, { children: [], heard: {}, dataset: {}, style: {}, attributes: {}, own: "" });
    this.classList = { add() {}, remove() {}, toggle() {} }; }
  addEventListener(k, f) { (this.heard[k] ||= []).push(f); }
  say(k, e = {}) { for (const f of this.heard[k] || []) f({ target: this, preventDefault() {}, stopPropagation() {}, ...e }); }
  setAttribute(k, v) { this.attributes[k] = v; }
  removeAttribute(k) { delete this.attributes[k]; }
  getAttribute(k) { return this.attributes[k]; }
  append(...c) { this.children.push(...c); }
  replaceChildren(...c) { this.own = ""; this.children = c; }
  get textContent() { return this.own + this.children.map((c) => c instanceof Node_ ? c.textContent : c).join(""); }
  set textContent(v) { this.children = []; this.own = v; }
  get lastChild() { return this.children.at(-1) || new Node_(); }
  get firstChild() { return this.children[0] || new Node_(); }
  get isConnected() { return true; }
  all() { return this.children.flatMap((c) => c instanceof Node_ ? [c, ...c.all()] : []); }
  contains(other) { return this.all().includes(other); }
  querySelector(s) { return this.all().find((c) => ("." + c.className).includes(s)) || null; }
  querySelectorAll() { return []; }
  closest() { return null; }
  focus() {}
  getBoundingClientRect() { return { width: 600, height: 100, top: 0, left: 0 }; }
}
class Watch { observe() {} disconnect() {} unobserve() {} }
Object.assign(globalThis, { ResizeObserver: Watch, IntersectionObserver: Watch, MutationObserver: Watch,
  requestAnimationFrame: () => 0, cancelAnimationFrame() {}, addEventListener() {}, removeEventListener() {}, window: globalThis,
  matchMedia: () => ({ matches: true, addEventListener() {}, removeEventListener() {} }),
  getComputedStyle: () => ({ getPropertyValue: () => "" }),
  document: { createElement: () => new Node_(), createElementNS: () => new Node_(), createTextNode: (t) => t,
    body: new Node_(), documentElement: new Node_(), addEventListener() {}, removeEventListener() {}, activeElement: null } });
let clock_ = 1e6, timers = new Map(), timed = 0;
Date.now = () => clock_;
globalThis.setTimeout = (f) => { timers.set(++timed, f); return timed; };
globalThis.clearTimeout = (k) => timers.delete(k);
globalThis.setInterval = () => 0;
/** So much time passes; what is due then, runs once. */
const pass = (seconds) => { clock_ += seconds * 1000; const due = [...timers]; for (const [k, f] of due) if (timers.delete(k)) f(); };
const sent = [], model = { send: (m) => sent.push(m), get: (k) => k === "head" ? { name: "a board", port: "" } : {
  channels: ["ax", "ay", "az"], rate_hz: 119, preview_s: 4, seconds: 1.5, person: "ada", persons: [], target: 20, people: 3, points: 90, thumb: 40 } };
const labelled = (label) => ({ k: "labels", label, labels: ["circle", "rest"].map((name) => ({ name, persons: {} })), hint: { kind: "ok", text: "" }, foot: {} });
const view = recorderView(model, { arrived: 0, from: () => 0, gaps: () => [] }, null, { labels: labelled("circle") }, () => null);
const find = (tag) => view.root.all().find((n) => n.className === tag);
const red = find("tk-rb"), mode = (v) => view.root.all().find((n) => n.dataset?.v === v || n.attributes["data-v"] === v).say("click");
const key = (k, e = {}) => view.root.say("keydown", { key: k, target: Object.assign(new Node_(), { tagName: "DIV" }), ...e });
const asked = () => sent.filter((m) => ["record", "enough", "cancel"].includes(m.k)).map((m) => m.k === "record" ? `${m.label} ${m.seconds} ${m.long}` : m.k);
