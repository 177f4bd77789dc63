// The page's half of fake_serial.py: PORT is where its server listens.
(() => {
  const url = 'ws://127.0.0.1:PORT', serial = new EventTarget(), ports = new Map();
  let here = null;
  const told = new Promise((go) => {
    const events = new WebSocket(url + '/events');
    events.onmessage = ({ data }) => {
      here = JSON.parse(data);
      const port = portOf();
      if (here.event) {
        if (here.event === 'disconnect') port.lost();
        port.dispatchEvent(new Event(here.event, { bubbles: true }));
        // In a browser the event bubbles from the port to navigator.serial.
        const event = new Event(here.event);
        Object.defineProperty(event, 'target', { value: port });
        serial.dispatchEvent(event);
      }
      go();
    };
  });
  const lost = () => new DOMException('The device has been lost.', 'NetworkError');
  class Port extends EventTarget {
    readable = null; writable = null; signals = {};
    get connected() { return here.plugged; }
    getInfo() { return { usbVendorId: 0x2341, usbProductId: here.product }; }
    async open({ baudRate, bufferSize = 255 }) {
      if (!baudRate) throw new TypeError('baudRate');
      if (this.line) throw new DOMException('The port is already open.', 'InvalidStateError');
      const line = this.line = new WebSocket(url + '/port');
      line.binaryType = 'arraybuffer';
      await new Promise((go, no) => {
        line.onmessage = go;
        line.onclose = () => { this.line = null; no(new DOMException('Failed to open serial port.', 'NetworkError')); };
      });
      let asked = 0, reading = null, taken = [];
      this.readable = new ReadableStream({
        start: (c) => { reading = c; },
        pull: (c) => { const more = c.desiredSize - asked; if (more > 0) { asked += more; line.send(JSON.stringify({ more })); } },
        cancel: () => { reading = null; this.readable = null; },
      }, { highWaterMark: bufferSize, size: (chunk) => chunk.byteLength });
      this.writable = new WritableStream({
        write: (chunk) => new Promise((go, no) => { if (!this.line) return no(lost()); taken.push([go, no]); line.send(chunk); }),
      });
      line.onmessage = ({ data }) => {
        if (typeof data === 'string') return taken.shift()[0]();
        asked -= data.byteLength;
        reading?.enqueue(new Uint8Array(data));
      };
      line.onclose = () => this.lost();
      this.lost = () => {
        if (this.line !== line) return;
        this.line = null;
        try { reading?.error(lost()); } catch (e) { }
        for (const [, no] of taken) no(lost());
        this.readable = this.writable = null;
      };
    }
    lost() { }
    async setSignals(signals) { Object.assign(this.signals, signals); }
    async close() {
      if (!this.line) return;
      if (this.readable?.locked || this.writable?.locked) throw new TypeError('a stream is locked');
      const line = this.line;
      this.line = this.readable = this.writable = null;
      const closed = new Promise((go) => { line.onclose = go; });
      line.send(JSON.stringify({ close: true })); // the other side closes the board's port first
      await closed;
    }
  }
  const portOf = () => { if (!ports.has('one')) ports.set('one', new Port()); return ports.get('one'); };
  serial.getPorts = async () => { await told; return here.allowed && here.plugged ? [portOf()] : []; };
  serial.requestPort = async ({ filters = [] } = {}) => {
    await told;
    if (!navigator.userActivation.isActive) throw new DOMException('Must be handling a user gesture.', 'SecurityError');
    const fits = filters.some((f) => f.usbVendorId === 0x2341 && (f.usbProductId ?? here.product) === here.product);
    if (!here.plugged || window.dismissed || !fits) throw new DOMException('No port selected by the user.', 'NotFoundError');
    await fetch(url.replace('ws', 'http') + '/allow', { mode: 'no-cors' });
    here.allowed = true;
    return portOf();
  };
  Object.defineProperty(Navigator.prototype, 'serial', { configurable: true, get: () => serial });
})();
