'use strict';
// Put into every Node process of `cordon exec` (NODE_OPTIONS --require), before
// the program's first line. Needs nothing from npm; works from Node 18 on.
//
// One hook for all: https, fetch (the bundled undici as well as npm's), http2
// and WebSockets all end in tls.connect, so that is replaced by one that first
// asks the proxy for a tunnel. Replacing agents or dispatchers instead would
// miss every SDK that brings its own. What libraries do themselves with
// HTTPS_PROXY ends at the proxy too, and is left alone.
//
// --require and not --import: it also runs before ES modules, in every Node.
// Named imports see the hook through syncBuiltinESMExports.

const childProcess = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const { syncBuiltinESMExports } = require('node:module');
const net = require('node:net');
const path = require('node:path');
const { Duplex } = require('node:stream');
const tls = require('node:tls');
const workers = require('node:worker_threads');

const settings = JSON.parse(fs.readFileSync(path.join(__dirname, 'settings.json'), 'utf8'));
const authority = fs.readFileSync(path.join(__dirname, 'ca.pem'), 'utf8');
const proxyPort = Number(settings.port);
const connectTCP = net.connect;
const connectTLS = tls.connect;

// ---- which connections ----------------------------------------------------

const bare = (host) => String(host).toLowerCase().replace(/^\[|\]$/g, '').replace(/\.$/, '');
const isLoopback = (host) => host === 'localhost' || host.endsWith('.localhost') ||
  /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(host) || host === '::1';
const isVendor = (host) => settings.vendors.some((name) => {
  const [before, after] = bare(name).split('*');
  if (after === undefined) return before === host;
  return host.startsWith(before) && host.endsWith(after) && host.length > before.length + after.length;
});
// A database or a mail server is not for an HTTP proxy; only what says that it
// is HTTP, by its agent, its ALPN or its port, or is a vendor's name.
const speaksHTTP = (o) => o._agentKey !== undefined ||
  Array.isArray(o.ALPNProtocols) && o.ALPNProtocols.some((p) => p === 'h2' || p === 'http/1.1');

function goesThrough(host, port, sureOfHTTP, httpPort) {
  host = bare(host);
  if (host === bare(settings.host) && Number(port) === proxyPort) return false;
  if (isVendor(host)) return true;
  return !isLoopback(host) && (sureOfHTTP || Number(port) === httpPort);
}

// ---- a tunnel that is a stream from the first moment ----------------------

class Tunnel extends Duplex {
  #raw;
  #head = Buffer.alloc(0);
  #open = false;
  #waiting = null;

  constructor(host, port) {
    super({ allowHalfOpen: true });
    const target = (net.isIPv6(bare(host)) ? `[${bare(host)}]` : host) + ':' + port;
    this.remoteHost = host;
    this.connecting = true;
    const raw = this.#raw = connectTCP({ host: settings.host, port: proxyPort });
    raw.setNoDelay(true);
    raw.on('connect', () => raw.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n` +
      (settings.authorization ? `Proxy-Authorization: ${settings.authorization}\r\n` : '') + '\r\n'));
    raw.on('data', (chunk) => this.#open ? this.#deliver(chunk) : this.#answer(chunk, target));
    raw.on('end', () => this.#open ? this.push(null) : this.#answer(Buffer.alloc(0), target, true));
    raw.on('error', (err) => this.destroy(err));
    raw.on('close', () => this.destroy());
    raw.on('timeout', () => this.emit('timeout'));
  }

  #answer(chunk, target, ended = false) {
    const got = this.#head = Buffer.concat([this.#head, chunk]);
    const end = got.indexOf('\r\n\r\n');
    if (end < 0) {
      if (ended || got.length > 65536) this.destroy(refusal(target, 'the proxy gave no answer'));
      return;
    }
    const head = got.subarray(0, end).toString('latin1');
    const rest = got.subarray(end + 4);
    if (!/^HTTP\/1\.[01] 2\d\d/.test(head)) {
      // The body says why; it may come in pieces.
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? Infinity);
      if (ended || rest.length >= Math.min(length, 65536)) this.destroy(refusal(target, reason(head, rest)));
      return;
    }
    this.#head = null;
    this.#open = true;
    this.connecting = false;
    this.emit('connect');
    this.emit('ready');
    if (rest.length) this.#deliver(rest);
    if (this.#waiting) this.#waiting();
    this.#waiting = null;
  }

  #deliver(chunk) { if (!this.push(chunk)) this.#raw.pause(); }
  #whenOpen(act) { if (this.#open) act(); else this.#waiting = act; }

  _read() { if (this.#open) this.#raw.resume(); }
  _write(chunk, _encoding, done) { this.#whenOpen(() => this.#raw.write(chunk, done)); }
  _writev(list, done) {
    this.#whenOpen(() => this.#raw.write(Buffer.concat(list.map(({ chunk }) => chunk)), done));
  }
  _final(done) { this.#whenOpen(() => this.#raw.end(done)); }
  _destroy(err, done) { this.#waiting = null; this.#raw.destroy(); done(err); }

  // What clients ask of a net.Socket.
  ref() { this.#raw.ref(); return this; }
  unref() { this.#raw.unref(); return this; }
  setNoDelay(on) { this.#raw.setNoDelay(on); return this; }
  setKeepAlive(on, delay) { this.#raw.setKeepAlive(on, delay); return this; }
  setTimeout(ms, listener) {
    if (listener) this[ms ? 'once' : 'removeListener']('timeout', listener);
    this.#raw.setTimeout(ms);
    return this;
  }
  address() { return this.#raw.address(); }
  get remoteAddress() { return this.#raw.remoteAddress; }
  get remotePort() { return this.#raw.remotePort; }
  get remoteFamily() { return this.#raw.remoteFamily; }
  get localAddress() { return this.#raw.localAddress; }
  get localPort() { return this.#raw.localPort; }
  get bytesRead() { return this.#raw.bytesRead; }
  get bytesWritten() { return this.#raw.bytesWritten; }
  get pending() { return this.connecting; }
}

// Cordon answers with problem details (RFC 9457); another proxy with anything.
function reason(head, body) {
  const status = head.slice(9, head.indexOf('\r\n') < 0 ? undefined : head.indexOf('\r\n'));
  const text = body.toString('utf8', 0, 2000).trim();
  try {
    const problem = JSON.parse(text);
    return `${problem.detail} (${problem.reason}). ${problem.next ?? ''}`.trim();
  } catch {
    return text ? `${status}: ${text}` : status;
  }
}

function refusal(target, why) {
  const err = new Error(`cordon: no tunnel to ${target}: ${why}`);
  err.code = 'ERR_CORDON_REFUSED';
  return err;
}

// ---- the hooks ------------------------------------------------------------

// connect(options[, cb]), connect(port[, host][, options][, cb])
function normalize(args) {
  const options = {};
  if (args[0] !== null && typeof args[0] === 'object') Object.assign(options, args[0]);
  else if (typeof args[0] === 'number' || /^\d+$/.test(args[0])) options.port = args[0];
  else if (typeof args[0] === 'string') options.path = args[0];
  if (typeof args[1] === 'string') options.host = args[1];
  for (const arg of args.slice(1)) {
    if (arg !== null && typeof arg === 'object' && !Array.isArray(arg)) Object.assign(options, arg);
  }
  const last = args[args.length - 1];
  return { options, callback: typeof last === 'function' ? last : undefined };
}

tls.connect = function connect(...args) {
  const { options, callback } = normalize(args);
  const host = options.host ?? 'localhost';
  if (options.socket || options.path || !goesThrough(host, options.port, speaksHTTP(options), 443)) {
    return connectTLS.apply(this, args);
  }
  const tunnel = new Tunnel(host, options.port);
  const through = { ...options, socket: tunnel, servername: options.servername ?? (net.isIP(bare(host)) ? '' : host) };
  // A program that brings its own roots would not see NODE_EXTRA_CA_CERTS.
  if (options.ca) through.ca = [].concat(options.ca, authority);
  const socket = connectTLS.call(this, through, callback);
  if (options.timeout) socket.setTimeout(options.timeout);
  // TLS over a stream has no handle of its own that could keep the process
  // alive, or let it end when a connection is idle: the tunnel's does.
  for (const method of ['ref', 'unref', 'setNoDelay', 'setKeepAlive']) {
    const own = socket[method];
    socket[method] = function (...a) { tunnel[method](...a); return own.apply(this, a); };
  }
  tunnel.on('error', (err) => socket.destroy(err));
  return socket;
};

net.connect = net.createConnection = function connect(...args) {
  const { options, callback } = normalize(args);
  const host = options.host ?? 'localhost';
  if (options.path || !goesThrough(host, options.port, false, 80)) return connectTCP.apply(this, args);
  return plain(host, options, callback);
};

const createPlain = http.Agent.prototype.createConnection;
http.Agent.prototype.createConnection = function createConnection(...args) {
  const { options, callback } = normalize(args);
  const host = options.host ?? 'localhost';
  // Paths of Unix sockets come as socketPath; path is the request's.
  if (options.socketPath || !goesThrough(host, options.port, true, 80)) return createPlain.apply(this, args);
  return plain(host, options, callback);
};

function plain(host, options, callback) {
  const tunnel = new Tunnel(host, options.port);
  if (options.timeout) tunnel.setTimeout(options.timeout);
  if (callback) tunnel.once('connect', callback);
  return tunnel;
}

// ---- processes and threads that get an environment of their own -----------

function withOurs(env) {
  const out = { ...env, ...settings.env };
  const theirs = env.NODE_OPTIONS ?? '';
  if (theirs) {
    out.NODE_OPTIONS = theirs.includes(__filename) ? theirs : `${theirs} ${settings.env.NODE_OPTIONS}`;
  }
  return out;
}

const spawn = childProcess.ChildProcess.prototype.spawn;
childProcess.ChildProcess.prototype.spawn = function (options) {
  if (Array.isArray(options?.envPairs)) {
    const env = {};
    for (const pair of options.envPairs) {
      const at = pair.indexOf('=', 1);
      env[pair.slice(0, at)] = pair.slice(at + 1);
    }
    options.envPairs = Object.entries(withOurs(env)).map(([name, value]) => `${name}=${value}`);
  }
  return spawn.call(this, options);
};

for (const name of ['spawnSync', 'execSync', 'execFileSync']) {
  const original = childProcess[name];
  childProcess[name] = function (...args) {
    const at = args.findIndex((a, i) => i > 0 && a !== null && typeof a === 'object' && !Array.isArray(a));
    const options = at < 0 ? {} : args[at];
    const prepared = { ...options, env: withOurs(options.env ?? process.env) };
    if (at < 0) args.push(prepared);
    else args[at] = prepared;
    return original.apply(this, args);
  };
}

workers.Worker = class Worker extends workers.Worker {
  constructor(file, options = {}) {
    const own = { ...options };
    if (options.env && typeof options.env === 'object') own.env = withOurs(options.env);
    // An execArgv of the program's own replaces what this thread was given.
    if (options.execArgv) own.execArgv = ['--require', __filename, ...options.execArgv];
    super(file, own);
  }
};

syncBuiltinESMExports();
