// A second verifier of evidence bundles, written from the comment of package
// evidence and the RFCs and C2SP texts that it names, in another language and
// without a line in common with the first. It takes nothing from npm.
//
//   node verify.mjs FILE                       prints "ok …" or "STEP: sentence", exit 0 or 4
//   node verify.mjs --changes FILE             reads lines "OFFSET MASK" and prints the step of
//                                              each change, made alone; "ok" where none is noticed
//   node verify.mjs --cuts FILE                the same for lines "LENGTH"

import { createHash, createPublicKey, verify as verifySignature } from 'node:crypto'
import { readFileSync } from 'node:fs'

class Failure extends Error {
  constructor (step, what) { super(what); this.step = step }
}
const fail = (step, what) => { throw new Failure(step, what) }
const need = (holds, step, what) => { if (!holds) fail(step, what) }

const sha256 = (...parts) => {
  const h = createHash('sha256')
  for (const p of parts) h.update(p)
  return h.digest()
}
const hex = bytes => bytes.toString('hex')
const text = bytes => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
// Text in which each byte is one character: for formats that are ASCII anyway.
const latin = bytes => bytes.toString('latin1')

const number = s => {
  if (!/^(0|[1-9][0-9]*)$/.test(s)) return null
  const n = BigInt(s)
  return n < 1n << 64n ? n : null
}
const base64 = s => {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(s)) return null
  const b = Buffer.from(s, 'base64')
  return b.toString('base64') === s ? b : null
}

// parse is JSON.parse that refuses an object with a name twice: of those it would take the last.
function parse (bytes) {
  const s = text(bytes)
  const value = JSON.parse(s)
  const tokens = s.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gs) || []
  const open = []
  tokens.forEach((t, i) => {
    if (t === '{') open.push(new Set())
    else if (t === '[') open.push(null)
    else if (t === '}' || t === ']') open.pop()
    else if (t[0] === '"' && tokens[i + 1] === ':') {
      const names = open[open.length - 1]; const name = JSON.parse(t)
      if (names.has(name)) throw new Error('a name twice')
      names.add(name)
    }
  })
  return value
}

// --- frame -----------------------------------------------------------------

function header (name, size) {
  const h = Buffer.alloc(512)
  h.write(name, 0, 'latin1')
  h.write('0000644\0', 100); h.write('0000000\0', 108); h.write('0000000\0', 116)
  h.write(size.toString(8).padStart(11, '0') + '\0', 124)
  h.write('00000000000\0', 136); h.write('        ', 148); h.write('0', 156)
  h.write('ustar\x0000', 257, 'latin1'); h.write('0000000\0', 329); h.write('0000000\0', 337)
  let sum = 0
  for (const b of h) sum += b
  h.write(sum.toString(8).padStart(6, '0') + '\0 ', 148)
  return h
}
const zero = bytes => bytes.every(b => b === 0)

function members (file) {
  const list = []
  let at = 0
  for (;;) {
    need(at + 512 <= file.length, 'frame', 'the file is not whole')
    const block = file.subarray(at, at + 512)
    if (block[0] === 0) break
    const name = latin(block.subarray(0, 100)).split('\0')[0]
    const digits = latin(block.subarray(124, 135))
    need(/^[a-zA-Z0-9._/-]{1,100}$/.test(name) && /^[0-7]{11}$/.test(digits), 'frame', 'a header is damaged')
    const size = parseInt(digits, 8)
    need(block.equals(header(name, size)), 'frame', 'a header is not the one of its name and size')
    const begin = at + 512
    const end = begin + size
    at = begin + Math.ceil(size / 512) * 512
    need(at <= file.length, 'frame', 'the file is not whole')
    need(zero(file.subarray(end, at)), 'frame', 'there is something in the empty space')
    list.push({ name, data: file.subarray(begin, end) })
  }
  need(at + 1024 <= file.length, 'frame', 'the file is not whole')
  need(at + 1024 === file.length && zero(file.subarray(at)), 'frame', 'the end is not the end')
  return list
}

// --- manifest and head -----------------------------------------------------

const FORMAT = 'cordon-evidence/1'
const NAME = /^[a-zA-Z0-9._/-]{1,100}$/

function readHead (bytes) {
  const lines = bytes.toString('utf8').split('\n')
  need(lines.length === 6 && lines[0] === FORMAT && lines[3] === '' && lines[5] === '', 'frame', 'the head cannot be read')
  const words = lines[2].split(' ')
  need(words.length === 3 && words[0] === 'manifest' && number(words[1]) !== null, 'frame', 'the head cannot be read')
  return { origin: lines[1], size: Number(words[1]), sha256: words[2] }
}

function readManifest (bytes) {
  const bad = () => fail('frame', 'the manifest cannot be read')
  const lines = bytes.toString('utf8').split('\n')
  const m = { witnesses: [], parts: [], absent: [] }
  let i = 0
  const next = word => {
    if (i < lines.length && lines[i].startsWith(word + ' ')) return lines[i++].slice(word.length + 1)
    return null
  }
  if (lines[i++] !== FORMAT) bad()
  m.origin = next('origin'); m.key = next('key')
  for (let w; (w = next('witness')) !== null;) m.witnesses.push(w)
  const about = (next('incident') || '').split(' ')
  if (!m.origin || !m.key || about.length !== 2 || !NAME.test(about[0]) || !NAME.test(about[1])) bad()
  ;[m.incident, m.vendor] = about
  const kinds = [/^checkpoint$/, /^batches\/(\d+)\.tlog-proof$/, /^batches\/(\d+)\.entries$/, /^batches\/(\d+)\.personal$/,
    /^scopes\/([^/]+)\.json$/, /^bitmaps\/([0-9a-f]{64})\.roaring$/, /^vendors\/([^/]+)\.yaml$/]
  const personalKinds = [3, 5, 6]
  let last = { kind: -1, id: '' }
  let batch = -1n
  for (;;) {
    let line = next('part'); let personal = false
    if (line === null) { line = next('personal'); personal = true }
    if (line === null) break
    const w = line.split(' ')
    if (w.length !== 3 || number(w[0]) === null || !/^[0-9a-f]{64}$/.test(w[1]) || !NAME.test(w[2])) bad()
    const kind = kinds.findIndex(k => k.test(w[2]))
    if (kind < 0 || personalKinds.includes(kind) !== personal) bad()
    const id = w[2].match(kinds[kind])[1] || ''
    if ((last.kind === -1) !== (kind === 0)) bad()
    if (last.kind === 1 && kind !== 2 && kind !== 3) bad()
    if (kind === 1) {
      if (last.kind > 3 || number(id) === null || number(id) <= batch) bad()
      batch = number(id)
    } else if (kind === 2) {
      if (last.kind !== 1 || id !== last.id) bad()
    } else if (kind === 3) {
      if ((last.kind !== 1 && last.kind !== 2) || id !== last.id) bad()
    } else if (kind > 3) {
      if (last.kind > kind || (last.kind === kind && Buffer.compare(Buffer.from(id), Buffer.from(last.id)) <= 0)) bad()
      if (kind === 5 && id !== w[1]) bad()
    }
    last = { kind, id }
    m.parts.push({ name: w[2], size: Number(w[0]), sha256: w[1], personal, kind, id })
  }
  if (last.kind === -1 || last.kind === 1) bad()
  for (let a; (a = next('absent')) !== null;) {
    const cut = a.indexOf(' ')
    if (cut < 1 || cut === a.length - 1) bad()
    m.absent.push([a.slice(0, cut), a.slice(cut + 1)])
  }
  if (i !== lines.length - 1 || lines[i] !== '') bad()
  return m
}

// --- keys, notes, checkpoints ----------------------------------------------

function readKey (vkey, type) {
  const first = vkey.indexOf('+'); const second = vkey.indexOf('+', first + 1)
  if (first < 1 || second < 0) return null
  const name = vkey.slice(0, first); const hash = vkey.slice(first + 1, second)
  const raw = base64(vkey.slice(second + 1))
  if (/[\s+]/u.test(name) || raw === null || raw.length !== 33 || raw[0] !== type) return null
  const id = sha256(name + '\n', raw).subarray(0, 4)
  if (hex(id) !== hash) return null
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw.subarray(1)])
  return { name, id, vkey, public: createPublicKey({ key: der, format: 'der', type: 'spki' }) }
}
const signed = (key, message, signature) => signature.length === 64 && verifySignature(null, message, key.public, signature)

// openNote accepts a note whose every signature line holds: the log's first,
// then at most one of each witness. It returns the text and when each witness signed.
function openNote (bytes, log, witnesses, step, what) {
  const bad = why => fail(step, what + ': ' + why)
  let all
  try { all = text(bytes) } catch { bad('it is not UTF-8') }
  // eslint-disable-next-line no-control-regex
  if (/[\x00-\x09\x0b-\x1f]/.test(all)) bad('control characters')
  const cut = all.lastIndexOf('\n\n')
  if (cut < 0 || !all.endsWith('\n')) bad('it is no note')
  const body = all.slice(0, cut + 1)
  const lines = all.slice(cut + 2).split('\n')
  lines.pop()
  if (lines.length === 0) bad('it is not signed')
  const seen = new Set(); const times = new Map()
  lines.forEach((line, i) => {
    const m = line.match(/^— (\S+) (\S+)$/u)
    const raw = m && base64(m[2])
    if (!raw || raw.length < 5) bad('a signature line cannot be read')
    const key = [log, ...witnesses].find(k => k.name === m[1] && k.id.equals(raw.subarray(0, 4)))
    if (!key || seen.has(key) || (i === 0) !== (key === log)) bad('a signature line that nobody answers for')
    seen.add(key)
    const signature = raw.subarray(4)
    if (key === log) {
      if (!signed(log, Buffer.from(body), signature)) bad('the signature does not hold')
      return
    }
    if (signature.length !== 72 || signature[0] > 127) bad('a cosignature cannot be read')
    const time = signature.readBigUInt64BE(0)
    if (!signed(key, Buffer.from(`cosignature/v1\ntime ${time}\n${body}`), signature.subarray(8))) bad('a cosignature does not hold')
    times.set(key, time)
  })
  return { body, times }
}

function openCheckpoint (bytes, log, witnesses, what) {
  const { body, times } = openNote(bytes, log, witnesses, 'signature', what)
  const lines = body.split('\n')
  const root = lines.length > 3 && base64(lines[2])
  need(lines[0] === log.name && number(lines[1]) !== null && root && root.length === 32, 'signature', what + ' cannot be read')
  return { size: number(lines[1]), root, times }
}

// --- the tree --------------------------------------------------------------

const node = (l, r) => sha256(Buffer.from([1]), l, r)

// RFC 9162, 2.1.3.2, which is RFC 6962's proof walked from below.
function included (path, size, root, index, leaf) {
  if (index >= size) return false
  let fn = index; let sn = size - 1n; let r = leaf
  for (const p of path) {
    if (sn === 0n) return false
    if ((fn & 1n) === 1n || fn === sn) {
      r = node(p, r)
      while ((fn & 1n) === 0n && fn !== 0n) { fn >>= 1n; sn >>= 1n }
    } else r = node(r, p)
    fn >>= 1n; sn >>= 1n
  }
  return sn === 0n && r.equals(root)
}

// RFC 9162, 2.1.4.2.
function grown (path, old, oldRoot, size, root) {
  if (old === 0n || old >= size) return false
  const p = [...path]
  if ((old & (old - 1n)) === 0n) p.unshift(oldRoot)
  if (p.length === 0) return false
  let fn = old - 1n; let sn = size - 1n
  while ((fn & 1n) === 1n) { fn >>= 1n; sn >>= 1n }
  let fr = p[0]; let sr = p[0]
  for (const c of p.slice(1)) {
    if (sn === 0n) return false
    if ((fn & 1n) === 1n || fn === sn) {
      fr = node(c, fr); sr = node(c, sr)
      while ((fn & 1n) === 0n && fn !== 0n) { fn >>= 1n; sn >>= 1n }
    } else sr = node(sr, c)
    fn >>= 1n; sn >>= 1n
  }
  return sn === 0n && fr.equals(oldRoot) && sr.equals(root)
}

// --- batches and entries ---------------------------------------------------

function readHeader (b) {
  if (!b || b.length !== 117 || b[0] !== 1) return null
  const h = {
    gateway: b.subarray(1, 17), batch: b.readBigUInt64BE(17), first: b.readBigUInt64BE(57), count: BigInt(b.readUInt32BE(65)),
    previous: b.subarray(25, 57), start: b.readBigInt64BE(69), end: b.readBigInt64BE(77), root: b.subarray(85), leaf: sha256(Buffer.from([0]), b)
  }
  return h.first === 0n || h.count === 0n || h.end < h.start || h.first + h.count >= 1n << 64n ? null : h
}

const hashLine = line => line.length === 44 ? base64(line) : null

function readProof (bytes) {
  const bad = () => fail('proof', 'a proof of a batch cannot be read')
  const all = latin(bytes)
  const lines = all.split('\n')
  if (lines[0] !== 'c2sp.org/tlog-proof@v1' || !(lines[1] || '').startsWith('extra ')) bad()
  const h = readHeader(base64(lines[1].slice(6)))
  if (!h || !(lines[2] || '').startsWith('index ') || number(lines[2].slice(6)) !== h.batch) bad()
  const path = []
  let i = 3
  for (; i < lines.length && lines[i] !== ''; i++) {
    const hash = hashLine(lines[i])
    if (!hash || hash.length !== 32) bad()
    path.push(hash)
  }
  if (i >= lines.length - 1) bad()
  const checkpoint = bytes.subarray(lines.slice(0, i + 1).join('\n').length + 1)
  return { ...h, path, checkpoint }
}

function checkOrder (p, before) {
  const between = before ? p.batch - before.batch - 1n : p.batch
  const next = before ? before.first + before.count : 1n
  need(p.first >= next + between, 'proof', `batch ${p.batch} uses numbers twice`)
  need(between > 0n || (p.first === next && p.previous.equals(before ? before.leaf : Buffer.alloc(32))), 'proof', `batch ${p.batch} does not follow`)
}

function checkBatch (p, origin, head) {
  need(p.gateway.equals(sha256('cordon gateway\n' + origin).subarray(0, 16)), 'proof', 'a batch is another ledger\'s')
  need(p.batch < head.size && included(p.path, head.size, head.root, p.batch, p.leaf), 'proof', `batch ${p.batch} is not under the checkpoint`)
}

// entry decodes what claims rest on, and refuses what is not one whole entry.
function readEntry (b, start) {
  let at = 0; let ok = b.length > 0
  const byte = () => { if (at >= b.length) { ok = false; return 0 } return b[at++] }
  const varint = () => {
    let v = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const c = byte()
      if (!ok) return 0n
      if (shift === 63n && c > 1) { ok = false; return 0n }
      v |= BigInt(c & 127) << shift
      if (c < 128) return v
    }
    ok = false
    return 0n
  }
  const positive = () => { const v = varint(); if (v === 0n) ok = false; return v }
  const id = () => { const v = varint(); if (v >= 1n << 32n) ok = false; return v }
  const count = () => { const v = varint(); if (v > BigInt(b.length - at)) { ok = false; return 0 } return Number(v) }
  const bytes = n => { if (at + n > b.length) { ok = false; return Buffer.alloc(0) } at += n; return b.subarray(at - n, at) }
  const zigzag = () => { const v = varint(); return (v >> 1n) ^ -(v & 1n) }
  const first = byte(); const kind = first & 3; const flags = first & 0xfc
  const e = { kind, time: start }
  if (flags & ~[0xfc, 0x7c, 0x04, 0x00][kind]) return null
  if (flags & 4) e.time = BigInt.asIntN(64, start + positive())
  switch (kind) {
    case 0: {
      id()
      if (flags & 0x20) positive()
      if (flags & 0x10) { const n = count(); if (n === 0) ok = false; for (let i = 0; i < n && ok; i++) id() }
      if (flags & 0x80) { zigzag(); if (flags & 0x38) ok = false }
      let n = 1
      if (!(flags & 0x40)) { n = count(); if (n === 1) ok = false }
      for (let i = 0; i < n && ok; i++) { id(); id() }
      break
    }
    case 1: {
      if (varint() === 0n || (flags >> 5 & 3) > 2) ok = false
      if (flags & 8) { const s = zigzag() + 200n; if (s === 0n || s !== BigInt.asIntN(32, s)) ok = false }
      if (flags & 0x10) positive()
      break
    }
    case 2: e.json = bytes(count()); break
    case 3: byte(); id(); bytes(count())
  }
  return ok && at === b.length ? e : null
}

function shownEntries (bytes, p) {
  const lines = latin(bytes).split('\n')
  need(lines.pop() === '' && lines.length > 0, 'proof', 'entries end in the middle of a line')
  const list = []
  let last = 0n
  for (let i = 0; i < lines.length;) {
    const w = lines[i++].split(' ')
    const seq = w.length === 4 && w[0] === 'entry' ? number(w[1]) : null
    const salt = seq !== null && base64(w[2]); const raw = seq !== null && base64(w[3])
    need(seq !== null && salt && salt.length === 16 && raw, 'proof', 'a line begins no entry')
    const path = []
    for (; i < lines.length && !lines[i].startsWith('entry '); i++) {
      const hash = hashLine(lines[i])
      need(hash && hash.length === 32, 'proof', 'a path is not one of hashes')
      path.push(hash)
    }
    need(seq > last && seq >= p.first && seq - p.first < p.count, 'proof', `entry ${seq} is not in its place`)
    last = seq
    need(included(path, p.count, p.root, seq - p.first, sha256(Buffer.from([0]), salt, raw)), 'proof', `entry ${seq} is not what was recorded`)
    const e = readEntry(raw, p.start)
    need(e, 'proof', `entry ${seq} cannot be read`)
    list.push({ seq, ...e })
  }
  return list
}

function readEvent (e) {
  try {
    const j = parse(e.json)
    if (e.time < -62167219200000n || e.time > 253402300799999n) throw new Error()
    if (e.kind !== 2 || typeof j.kind !== 'string' || j.kind === '') throw new Error()
    return { seq: e.seq, kind: j.kind, vendor: j.vendor || '', actor: j.actor || '', fields: j.fields || {} }
  } catch { fail('proof', `entry ${e.seq} cannot be read as an event`) }
}

// --- bitmaps ---------------------------------------------------------------

// bitmap gives a sorted map from upper half to the set of its numbers, as 1024 times 64 bits.
function readBitmap (b) {
  const bad = () => fail('scope', 'a bitmap cannot be read')
  let at = 0
  const take = n => { if (at + n > b.length) bad(); at += n; return b.subarray(at - n, at) }
  const cookie = take(4).readUInt32LE(0)
  let n; let runs = null; let offsets = true
  if (cookie === 12346) n = take(4).readUInt32LE(0)
  else if ((cookie & 0xffff) === 12347) {
    n = (cookie >>> 16) + 1
    runs = take((n + 7) >> 3)
    if (n % 8 && runs[runs.length - 1] >> (n % 8)) bad()
    offsets = n >= 4
  } else bad()
  if (n > 65536) bad()
  const description = take(4 * n); const table = offsets ? take(4 * n) : null
  const blocks = new Map()
  let total = 0; let lastKey = -1
  for (let i = 0; i < n; i++) {
    const key = description.readUInt16LE(4 * i); const count = description.readUInt16LE(4 * i + 2) + 1
    if (key <= lastKey || (table && table.readUInt32LE(4 * i) !== at)) bad()
    lastKey = key
    const set = new Uint8Array(65536)
    let seen = 0; let last = -1
    if (runs && runs[i >> 3] >> (i & 7) & 1) {
      const number = take(2).readUInt16LE(0)
      for (let k = 0; k < number; k++) {
        const r = take(4); const start = r.readUInt16LE(0); const end = start + r.readUInt16LE(2)
        if (start <= last || end > 65535) bad()
        set.fill(1, start, end + 1); seen += end - start + 1; last = end
      }
    } else if (count > 4096) {
      const words = take(8192)
      for (let v = 0; v < 65536; v++) if (words[v >> 3] >> (v & 7) & 1) { set[v] = 1; seen++ }
    } else {
      const list = take(2 * count)
      for (let k = 0; k < count; k++) {
        const v = list.readUInt16LE(2 * k)
        if (v <= last) bad()
        set[v] = 1; seen++; last = v
      }
    }
    if (seen !== count) bad()
    total += seen
    blocks.set(key, set)
  }
  if (at !== b.length) bad()
  return { total, blocks }
}

// --- the steps -------------------------------------------------------------

export function verify (file, trust = {}) {
  // frame
  const all = members(file)
  const names = ['manifest', 'head', 'export.tlog-proof', 'export.entries', 'export.consistency']
  names.forEach((name, i) => need(all[i] && all[i].name === name, 'frame', name + ' is not in its place'))
  const [manifestBytes, headBytes, exportProof, exportEntries, consistency] = all.slice(0, 5).map(m => m.data)
  const head = readHead(headBytes)

  // size and hash
  need(manifestBytes.length === head.size, 'size', 'the manifest has another size')
  need(hex(sha256(manifestBytes)) === head.sha256, 'hash', 'the manifest is another one')
  const m = readManifest(manifestBytes)
  const parts = new Map(); const redacted = []
  const rest = all.slice(5)
  for (const p of m.parts) {
    if (rest.length === 0 || rest[0].name !== p.name) {
      need(p.personal, 'size', p.name + ' is missing')
      redacted.push(p.name)
      continue
    }
    need(rest[0].data.length === p.size, 'size', p.name + ' has another size')
    parts.set(p.name, rest.shift().data)
  }
  need(rest.length === 0, 'size', 'something was added')
  for (const p of m.parts) if (parts.has(p.name)) need(hex(sha256(parts.get(p.name))) === p.sha256, 'hash', p.name + ' was changed')

  // signature
  const log = readKey(m.key, 1)
  need(log && log.name === m.origin, 'signature', 'the key is none of the origin')
  need(!trust.key || trust.key === m.key, 'signature', 'another key than the trusted one')
  need(head.origin === m.origin, 'signature', 'the head is another ledger\'s')
  openNote(headBytes, log, [], 'signature', 'the head')
  const witnesses = m.witnesses.map(w => readKey(w, 4))
  need(witnesses.every(Boolean) && new Set(witnesses.map(w => w.name + hex(w.id))).size === witnesses.length, 'signature', 'the key of a witness is none')
  const checkpointBytes = parts.get('checkpoint')
  const checkpoint = openCheckpoint(checkpointBytes, log, witnesses, 'the checkpoint')
  const exported = readProof(exportProof)
  const later = openCheckpoint(exported.checkpoint, log, witnesses, 'the checkpoint of the export')
  for (const w of trust.witnesses || []) {
    const key = witnesses.find(k => k.vkey === w)
    need(key && (checkpoint.times.get(key) || later.times.get(key)), 'signature', 'a trusted witness did not cosign')
  }

  for (const t of [...checkpoint.times.values(), ...later.times.values()]) need(t <= 253402300799n, 'signature', 'a cosignature of no year')

  // proof
  const events = []
  let entries = 0; let batch; let shown
  for (const p of m.parts) {
    const data = parts.get(p.name)
    if (!data || p.kind < 1 || p.kind > 3) continue
    if (p.kind === 1) {
      const before = batch
      batch = readProof(data); shown = new Set()
      need(batch.batch === number(p.id) && batch.checkpoint.equals(checkpointBytes), 'proof', p.name + ' is of another batch or checkpoint')
      checkBatch(batch, m.origin, checkpoint)
      checkOrder(batch, before)
      continue
    }
    for (const e of shownEntries(data, batch)) {
      need(!shown.has(e.seq) && (p.kind === 3 || e.kind > 1), 'proof', `entry ${e.seq} may not stand there`)
      shown.add(e.seq); entries++
      if (e.kind === 2) events.push(readEvent(e))
    }
  }
  checkBatch(exported, m.origin, later)
  checkOrder(exported, batch)
  const own = shownEntries(exportEntries, exported)
  need(own.length === 1, 'proof', 'the export is not one entry')
  const last = readEvent(own[0])
  events.push(last)
  const lines = latin(consistency).split('\n')
  const path = lines.slice(0, -1).map(hashLine)
  need(lines[lines.length - 1] === '' && path.every(h => h && h.length === 32), 'proof', 'the consistency cannot be read')
  need(exported.batch >= checkpoint.size && grown(path, checkpoint.size, checkpoint.root, later.size, later.root), 'proof', 'the ledger did not only grow')

  // scope
  const scopes = []; const used = new Set()
  for (const p of m.parts) {
    if (p.kind !== 4) continue
    let s
    try { s = parse(parts.get(p.name)) } catch { fail('scope', p.name + ' cannot be read') }
    need(s.id === p.id, 'scope', p.name + ' has another name')
    need((s.incident || '') === m.incident && s.query && s.query.vendor === m.vendor, 'scope', p.name + ' is of another incident or vendor')
    const own = n => n === undefined ? 0 : n
    const a = { ...s.answer, subjects: own(s.answer.subjects), certain: own(s.answer.certain), possible: own(s.answer.possible) }; const cohorts = s.cohorts || []; const told = a.cohorts || []
    need(cohorts.length === told.length, 'scope', 'another number of cohorts')
    cohorts.forEach((c, i) => need(c.subjects === told[i].subjects && JSON.stringify(c.categories || []) === JSON.stringify(told[i].categories || []), 'scope', 'a cohort is another one'))
    need(cohorts.reduce((n, c) => n + c.subjects, 0) <= 2 ** 32, 'scope', 'more people than numbers')
    need(cohorts.reduce((n, c) => n + c.subjects, 0) === a.subjects, 'scope', 'the cohorts are not everybody')
    need(a.certain === s.certain.subjects && a.certain <= a.subjects && a.possible === a.subjects - a.certain, 'scope', 'certain and possible are not everybody')
    let counted = true
    const sets = [...cohorts, s.certain, s.excluded].map(d => {
      if (d.sha256 === '') { need(d.subjects === 0, 'scope', 'people of whom nobody is named'); return null }
      const name = `bitmaps/${d.sha256}.roaring`
      need(m.parts.some(x => x.name === name), 'scope', name + ' is missing')
      used.add(d.sha256)
      if (!parts.has(name)) { counted = false; return null }
      const b = readBitmap(parts.get(name))
      need(b.total === d.subjects, 'scope', name + ' counts others')
      return b.blocks
    })
    const people = new Map()
    sets.slice(0, -2).forEach(blocks => blocks && blocks.forEach((set, key) => {
      if (!people.has(key)) people.set(key, new Uint8Array(65536))
      const into = people.get(key)
      set.forEach((x, i) => { if (x) { need(!into[i], 'scope', 'somebody is in two cohorts'); into[i] = 1 } })
    }))
    const [certain, excluded] = sets.slice(-2)
    const inside = (key, i) => people.has(key) && people.get(key)[i]
    if (certain && counted) certain.forEach((set, key) => set.forEach((x, i) => { if (x) need(inside(key, i), 'scope', 'certain and in no cohort') }))
    if (excluded) excluded.forEach((set, key) => set.forEach((x, i) => { if (x) need(!inside(key, i), 'scope', 'excluded and in a cohort') }))
    scopes.push({ id: s.id, subjects: a.subjects, counted, sha256: p.sha256 })
  }
  for (const p of m.parts) if (p.kind === 5) need(used.has(p.id), 'scope', p.name + ' is of no scope')

  // claim
  const field = (e, name) => typeof e.fields[name] === 'string' ? e.fields[name] : ''
  need(events.some(e => e.kind === 'incident' && e.vendor === m.vendor && field(e, 'incident') === m.incident && field(e, 'what') === 'open'), 'claim', 'nothing opened the incident')
  const frozen = events.filter(e => e.kind === 'scope' && field(e, 'incident') === m.incident)
  for (const e of frozen) need(e.vendor === m.vendor, 'claim', 'a scope of another vendor was frozen')
  for (const e of frozen) need(scopes.some(s => s.id === field(e, 'scope') && s.sha256 === field(e, 'digest')), 'claim', 'a frozen scope is missing or another one')
  for (const s of scopes) need(frozen.some(e => field(e, 'scope') === s.id), 'claim', 'a scope that nothing froze')
  for (const p of m.parts) {
    if (p.kind === 6) need(events.some(e => e.kind === 'coverage-start' && e.vendor === p.id && field(e, 'manifest') === p.sha256), 'claim', p.name + ' was never in force')
  }
  need(last.kind === 'incident' && field(last, 'incident') === m.incident && field(last, 'what') === 'export' && field(last, 'digest') === head.sha256, 'claim', 'the export is of something else')
  return { incident: m.incident, vendor: m.vendor, entries, scopes, redacted, export: Number(last.seq) }
}

// --- as a program ----------------------------------------------------------

function step (file) {
  try { verify(file); return 'ok' } catch (e) {
    if (e instanceof Failure) return e.step
    throw e
  }
}

const args = process.argv.slice(2)
if (args.length === 2 && (args[0] === '--changes' || args[0] === '--cuts')) {
  const file = Buffer.from(readFileSync(args[1]))
  const out = readFileSync(0, 'latin1').split('\n').filter(Boolean).map(line => {
    const [a, b] = line.split(' ').map(Number)
    if (args[0] === '--cuts') return step(file.subarray(0, a))
    file[a] ^= b
    try { return step(file) } finally { file[a] ^= b }
  })
  process.stdout.write(out.join('\n') + '\n')
} else if (args.length === 1) {
  try {
    const r = verify(readFileSync(args[0]))
    console.log('ok ' + JSON.stringify(r))
  } catch (e) {
    if (!(e instanceof Failure)) throw e
    console.log(`${e.step}: ${e.message}`)
    process.exitCode = 4
  }
} else {
  console.error('usage: node verify.mjs FILE')
  process.exitCode = 2
}
