// Runs npm's redactors of personal data over the messages of a file, one package a line of standard input:
// {"name": "...", "ms": 300} is answered by {"seconds": 0.31, "passes": 4}. The first line that it writes says which
// packages are there. Each is called as its README shows, with what it finds by default.
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

const texts = JSON.parse(readFileSync(process.argv[2], 'utf8'))

const known = [
  ['@redactpii/node', 'replaces addresses, numbers, cards, SSNs, names after greetings', async m => { const r = new m.Redactor(); return t => r.redact(t) }],
  ['@coffeeandfun/remove-pii', 'replaces twelve types', async m => t => m.removePII(t)],
  ['@cdssnc/sanitize-pii', 'replaces Canadian ids, numbers, cards, network addresses', async m => t => m.sanitizePii(t)],
  ['redact-pii', 'replaces twelve types, English names included', async m => { const r = new (m.SyncRedactor ?? m.default.SyncRedactor)(); return t => r.redact(t) }],
]

const run = new Map()
const peers = []
for (const [name, does, make] of known) {
  try {
    const redact = await make(await import(name))
    const found = redact('write to ada@example.org, call 415-555-2671, card 4111111111111111')
    if (typeof found !== 'string' || found.includes('4111111111111111')) throw new Error('it does not replace a card')
    const version = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version
    run.set(name, redact)
    peers.push({ name, version, does })
  } catch (e) {
    peers.push({ name, error: String(e.message).split('\n')[0] })
  }
}
console.log(JSON.stringify({ node: process.version, peers }))

let sink = 0
for await (const line of createInterface({ input: process.stdin })) {
  const { name, ms } = JSON.parse(line)
  const redact = run.get(name)
  let passes = 0
  let done = 0
  const start = process.cpuUsage()
  const used = () => { const u = process.cpuUsage(start); return (u.user + u.system) / 1e6 }
  do { // a slow one does not finish a pass in a round: parts of one count
    for (const text of texts) {
      sink += redact(text).length
      done++
      if ((done & 15) === 0 && used() > ms * 4e-3) break
    }
    passes = done / texts.length
  } while (used() < ms * 1e-3)
  console.log(JSON.stringify({ seconds: used(), passes }))
}
process.exitCode = sink === 0 ? 1 : 0
