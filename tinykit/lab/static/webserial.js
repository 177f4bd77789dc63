// A board at the browser's computer: Web Serial here, its bytes to and from the kernel. After `core.js`.

export default () => widgetOf((model) => {
  const line = serialLine(model);
  return { take: line.take, view: (model, lastStatus) => serialView(model, line, lastStatus) };
});

const ARDUINO = 0x2341, NANOS = { 0x805a: "Arduino Nano 33 BLE (Sense)", 0x005a: "Nano 33 BLE in its bootloader", 0x015a: "Nano 33 BLE with MicroPython" };
const WINDOW = 64 * 1024; // bytes that wait here for the kernel; beyond that the board has to wait
const FLYING = 4; // messages on their way at once: what comes meanwhile goes together into the next
const SILENT_MS = 20000; // a kernel that says nothing for so long is gone: others may have the port

/** Why this page can't have a port, or null. */
const noSerial = () => {
  if (!window.isSecureContext) return { what: "Browsers give serial ports only to pages at https:// or on this computer (localhost).", next: "open JupyterLab by such an address; on a hub, ask whoever runs it for https." };
  if (!navigator.serial) return { what: "This browser has no Web Serial, which a page needs to reach a board.", next: "open this notebook in Chrome, Edge or another Chromium on a computer; or go on with tk.connect(\"virtual\")." };
  return null;
};

const refusedSerial = (error) => {
  const said = {
    NotFoundError: ["No board was chosen.", "plug the board in with a cable that carries data, press the button again and choose it in the browser's list."],
    NetworkError: ["The browser could not open the board's port.", "close what else has it (another tab or notebook, the Arduino IDE's serial monitor), then choose it again. On Linux, `tinykit doctor` on this computer says whether rights are missing."],
    InvalidStateError: ["The board's port is open already in this page.", "close the other notebook that uses it, then choose it again."],
    SecurityError: ["This page may not use serial ports.", "open the notebook in a JupyterLab page of its own, not inside another page; and choose by the button."],
  }[error.name];
  return said ? { what: said[0], next: said[1] } : { what: `The board's port did not open: ${error.message || error}.`, next: "unplug the board, plug it in again, and choose it again." };
};

/** The port and the two streams of bytes; it belongs to the page, so that a cell that is run again keeps it. */
const serialLine = (model) => {
  const page = Math.random().toString(36).slice(2), serial = noSerial() ? null : navigator.serial;
  // Whose a port is, over all notebooks of this page: who opens it takes it over.
  const owners = (globalThis[Symbol.for("tinykit.serial")] ||= new WeakMap());
  const watchers = new Set();
  let port = null, liked = null, name = "", session = "", count = 0, wanted = false, busy = false, note = null;
  let welcome = false, heard = performance.now(), greeted = 0;
  let parts = [], waiting = 0, sent = 0, flying = [], posted = 0, roomy = null, reader = null, writer = null, writing = null, taken = 0, told = 0, overruns = 0;

  const changed = () => { for (const w of watchers) w(); };
  const say = (k, content = {}, buffers) => { try { model.send({ k, page, ...content }, undefined, buffers); } catch (e) { /* the kernel is gone: noticed by its silence */ } };
  const hello = () => { greeted = performance.now(); const no = noSerial(); say("hello", no ? { no } : {}); };

  // -- from the board to the kernel --------------------------------------------------------------

  const post = () => {
    if (!waiting || flying.length >= FLYING || (flying.length && performance.now() - posted < 15)) return; // the next ack posts it
    const all = new Uint8Array(waiting);
    let at = 0;
    for (const p of parts) { all.set(p, at); at += p.length; }
    say("data", { session, at: sent, taken, overruns }, [all.buffer]);
    told = taken; sent += waiting; flying.push(sent); parts = []; waiting = 0; posted = performance.now();
    roomy?.();
  };

  const pump = async (mine, from) => {
    while (session === mine && from.readable) {
      reader = from.readable.getReader();
      try {
        for (;;) {
          if (waiting > WINDOW) await new Promise((go) => { roomy = go; });
          const { value, done } = await reader.read();
          if (done || session !== mine) break;
          parts.push(value); waiting += value.length;
          post();
        }
      } catch (error) {
        if (error.name === "NetworkError" || !from.readable) break;
        overruns++; // what was lost is told by the board's own numbers; the browser gives a new stream
      } finally { try { reader.releaseLock(); } catch (e) { /* it is gone with its stream */ } }
      if (session !== mine) return;
    }
    if (session === mine) close("the board was unplugged");
  };

  // -- opening and closing -----------------------------------------------------------------------

  const open = async (chosen) => {
    if (busy || session) return;
    busy = true; changed();
    try {
      await owners.get(chosen)?.();
      await chosen.open({ baudRate: 115200, bufferSize: 32768 });
      try { await chosen.setSignals({ dataTerminalReady: true, requestToSend: true }); } catch (e) { /* a board without these lines */ }
      port = liked = chosen; note = null;
      session = `${page}.${++count}`;
      parts = []; waiting = sent = taken = told = 0; flying = []; writing = Promise.resolve();
      writer = chosen.writable.getWriter();
      owners.set(chosen, () => close("another notebook took the board over"));
      const { usbProductId } = chosen.getInfo();
      if (usbProductId === 0x005a) note = { kind: "warn", what: "The board waits in its bootloader.", next: "press its reset button once." };
      name = NANOS[usbProductId] || "A serial port";
      say("opened", { session });
      pump(session, chosen);
    } catch (error) { note = { kind: "bad", ...refusedSerial(error) }; }
    busy = false; changed();
  };

  const close = async (why) => {
    if (!session) return;
    const [old, was, r, w] = [session, port, reader, writer];
    session = ""; port = reader = writer = null; roomy?.();
    if (why) say("gone", { session: old, why });
    changed();
    // In this order: a port with a locked stream can't be closed.
    for (const step of [() => r?.cancel(), () => r?.releaseLock(), () => w?.abort(), () => w?.releaseLock(), () => was.close()]) {
      try { await Promise.race([step(), new Promise((go) => setTimeout(go, 1000))]); } catch (e) { /* it went away itself */ }
    }
    owners.delete(was);
  };

  const choose = async () => {
    if (busy) return;
    busy = true; changed();
    let chosen = null;
    try {
      const filters = Object.keys(NANOS).map((id) => ({ usbVendorId: ARDUINO, usbProductId: Number(id) }));
      chosen = await serial.requestPort({ filters });
      note = null;
    } catch (error) { note = { kind: error.name === "NotFoundError" ? "warn" : "bad", ...refusedSerial(error) }; }
    busy = false;
    if (chosen && chosen !== port) {
      wanted = true;
      await close("another board was chosen");
      await open(chosen);
    }
    changed();
  };

  /** A board that this page was allowed before needs no click, where there is no doubt which one it is. */
  const openKnown = async () => {
    if (!serial || session || busy || !wanted) return;
    const known = (await serial.getPorts()).filter((p) => { const i = p.getInfo(); return i.usbVendorId === ARDUINO && i.usbProductId in NANOS && p.connected !== false && !owners.has(p); });
    const one = known.includes(liked) ? liked : known.length === 1 ? known[0] : null;
    if (one) await open(one);
  };
  const unplugged = (e) => { if (e.target === port) close("the board was unplugged"); };
  const leaving = () => { close("the board's page was closed or loaded again"); };

  // A comm's first messages may go where a running cell keeps them waiting: so again, until one is answered.
  let watch = 0;
  const tick = () => {
    const now = performance.now();
    if (!welcome && now - greeted > 900) hello();
    if (wanted && !session) openKnown(); // another program or notebook may have had it until now
    if (now - heard < SILENT_MS) return;
    if (session) close("the kernel said nothing any more"); else rest();
  };
  const wake = () => {
    heard = performance.now();
    if (watch) return;
    watch = setInterval(tick, 1000);
    serial?.addEventListener("connect", openKnown); serial?.addEventListener("disconnect", unplugged);
    window.addEventListener("pagehide", leaving);
  };
  /** No kernel, no work: the notebook may be closed, which nobody tells a widget. */
  const rest = () => {
    clearInterval(watch); watch = 0;
    serial?.removeEventListener("connect", openKnown); serial?.removeEventListener("disconnect", unplugged);
    window.removeEventListener("pagehide", leaving);
  };

  // -- from the kernel ---------------------------------------------------------------------------

  const take = (m, buffers) => {
    wake();
    if (m.k === "welcome" && m.page === page) { welcome = true; changed(); }
    if (m.k === "who") { welcome = false; hello(); }
    if (m.k === "open") { wanted = true; openKnown(); }
    if (m.k === "close" && m.session === session) { wanted = false; close(""); }
    if (m.k === "stale" && m.session === session) close("").then(openKnown); // the kernel gave it up meanwhile
    if (m.k === "ack" && m.session === session) { flying = flying.filter((end) => end > m.upto); post(); if (taken !== told) { told = taken; say("taken", { session, total: taken }); } }
    if (m.k === "status") say("pong", { session, n: m.n, taken, overruns });
    if (m.k === "write" && m.session === session) {
      const bytes = bytesOf(buffers[0]).slice(), mine = session, w = writer;
      writing = writing.then(async () => {
        await w.write(bytes);
        if (session !== mine) return;
        taken += bytes.length;
        if (taken - told >= 2048) { told = taken; say("taken", { session, total: taken }); }
      }).catch(() => {}); // the reading side sees it too
    }
  };

  wake();
  hello();
  return {
    take, choose,
    watch: (w) => { watchers.add(w); return () => watchers.delete(w); },
    get state() { return { open: !!session, busy, note: noSerial() ? { kind: "bad", ...noSerial() } : note, able: !!serial, welcome, name }; },
  };
};

function serialView(model, line, lastStatus) {
  const ui = frame("Your board", model.get("head"));
  const words = h("span", { style: "flex:1 1 280px" }), choose = button("Choose the board", { pic: "board", kind: "pri", onclick: () => line.choose() });
  ui.body.append(h("div.tk-row", { style: "display:flex;flex-wrap:wrap;align-items:center;gap:12px;padding:12px" }, choose, words));
  const born = performance.now();
  const error = lasting(); // the kernel's: what is shown is renewed every second
  const show = () => {
    const s = line.state, m = lastStatus();
    const silent = !s.welcome && performance.now() - born > 6000;
    ui.setNote(s.note || (silent ? { kind: "warn", what: "The kernel does not hear this page while a cell runs.", next: "this needs ipykernel 7 and JupyterLab 4.4 or later. Stop the cell; tk.connect(\"virtual\") works everywhere." } : m?.note || error.get()));
    choose.disabled = !s.able || s.busy;
    choose.className = s.open ? "tk-btn" : "tk-btn pri";
    setText(choose.querySelector(".t"), s.open ? "Choose another board" : s.busy ? "The browser asks which one" : "Choose the board");
    setText(words, s.open ? `${s.name} is open here: keep this page open while you work with it.` : !s.able || m?.note ? "" : "Plug it into the computer that you sit at, and choose it in the browser's list." + (m?.waiting ? " The cell goes on by itself then." : ""));
    setText(ui.facts, m?.facts || (s.open ? "" : "nothing is read from any port before you choose"));
    if (m) ui.setLink(m.link.kind, m.link.text, m.link.picture); else ui.setLink("none", "no board chosen yet", "unlink");
    noteSilence(ui, m);
  };
  keys(ui.root, {});
  const measure = drawLoop(ui.root, () => {});
  const off = line.watch(show), watch = setInterval(show, 1000);
  show();
  return {
    root: ui.root,
    stop: () => { off(); clearInterval(watch); measure.stop(); },
    message: (m) => {
      if (m.k === "status") { show(); ui.root.dataset.frames = 1 + Number(ui.root.dataset.frames || 0); }
      if (m.k === "error") { error.set({ kind: "bad", what: m.what, next: m.next }); show(); }
    },
  };
}
