// Asks ClickHouse (chdb, in this process) and DuckDB who was exposed, over facts that the scope bench exported:
//
//   DIR/facts.bin      one row a fact: day UInt16, set UInt16, subject UInt32, little-endian
//   DIR/countries.bin  one byte a subject, in order of their numbers from 0: the country's number; whoever is beyond has none, 0
//   DIR/export.json    {"sets": [["user.name", ...], ...], "windows": [{"name", "from", "to"}]}   days inclusive
//
// Prints one line of JSON an engine and question: {"engine", "version", "window", "question", "ms": [...], "answer"},
// where answer is for people to compare: counts by category, by cohort, by country. One question ("everything") is what
// Cordon answers in one pass: each person's exact categories, by country. Usage: node peers.mjs DIR ROUNDS [THREADS]
import { readFileSync, rmSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const [dir, rounds, threads] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4] ?? 2)]
const about = JSON.parse(readFileSync(join(dir, 'export.json'), 'utf8'))
const categories = [...new Set(about.sets.flat())].sort()
const setsWith = c => about.sets.flatMap((s, i) => (s.includes(c) ? [i] : []))
// What the sets in a mask add up to, as a list of categories: cohorts are compared by it.
const union = mask => categories.filter(c => setsWith(c).some(i => (BigInt(mask) >> BigInt(i)) & 1n)).join(' ')
const within = w => `day BETWEEN ${w.from} AND ${w.to}`

function add(into, key, n) { into[key] = (into[key] ?? 0) + Number(n) }
const sorted = o => Object.fromEntries(Object.entries(o).sort(([a], [b]) => (a < b ? -1 : 1)))

// The same questions for both; what differs is how a bit is set and who joins how.
const questions = {
  categories: { rows: (rows) => ({ categories: sorted(Object.fromEntries(categories.map((c, i) => [c, Number(rows[0][i])]))) }) },
  cohorts: { rows: rows => { const cohorts = {}; for (const [mask, n] of rows) add(cohorts, union(mask), n); return { cohorts: sorted(cohorts) } } },
  everything: { rows: rows => {
    const cohorts = {}, countries = {}
    for (const [mask, country, n] of rows) { add(cohorts, union(mask), n); add(countries, country, n) }
    return { cohorts: sorted(cohorts), countries: sorted(countries) }
  } },
}

async function measure(engine, version, question, window, ask) {
  const ms = []
  let rows
  for (let i = 0; i < rounds; i++) {
    const start = process.hrtime.bigint()
    rows = await ask()
    ms.push(Number(process.hrtime.bigint() - start) / 1e6)
  }
  console.log(JSON.stringify({ engine, version, window: window.name, question, ms, answer: questions[question].rows(rows) }))
}

const size = folder => readdirSync(folder, { withFileTypes: true, recursive: true }).filter(f => f.isFile())
  .reduce((n, f) => n + statSync(join(f.parentPath ?? f.path, f.name)).size, 0)

async function clickhouse() {
  const { Session } = await import('chdb')
  const folder = join(dir, 'clickhouse')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  const session = new Session(folder)
  const run = sql => session.query(sql, 'JSONCompact')
  const rows = sql => { const out = run(sql); return out ? JSON.parse(out).data : [] }
  const version = rows('SELECT version()')[0][0]
  const settings = ` SETTINGS max_threads = ${threads}`
  run('CREATE DATABASE bench'); run('USE bench')
  run('CREATE TABLE bench.facts (day UInt16, set UInt16, subject UInt32) ENGINE = MergeTree ORDER BY (day, set, subject)')
  run('CREATE TABLE bench.people (subject UInt32, country UInt8) ENGINE = MergeTree ORDER BY subject')
  let start = Date.now()
  run(`INSERT INTO bench.facts SELECT * FROM file('${join(dir, 'facts.bin')}', 'RowBinary', 'day UInt16, set UInt16, subject UInt32')`)
  run('OPTIMIZE TABLE bench.facts FINAL')
  run(`INSERT INTO bench.people SELECT rowNumberInAllBlocks(), country FROM file('${join(dir, 'countries.bin')}', 'RowBinary', 'country UInt8') SETTINGS max_threads = 1`)
  const loaded = (Date.now() - start) / 1000
  const bytes = Number(rows("SELECT sum(bytes_on_disk) FROM system.parts WHERE database = 'bench' AND table = 'facts' AND active")[0][0])
  console.log(JSON.stringify({ engine: 'ClickHouse', version, seconds: loaded, bytes, rows: Number(rows('SELECT count() FROM bench.facts')[0][0]) }))
  for (const w of about.windows) {
    await measure('ClickHouse', version, 'cohorts', w, () => rows(
      `SELECT toString(mask), count() FROM (SELECT subject, groupBitOr(bitShiftLeft(toUInt64(1), set)) AS mask FROM bench.facts WHERE ${within(w)} GROUP BY subject) GROUP BY mask` + settings))
    await measure('ClickHouse', version, 'everything', w, () => rows(
      `SELECT toString(mask), country, count() FROM (SELECT subject, groupBitOr(bitShiftLeft(toUInt64(1), set)) AS mask FROM bench.facts WHERE ${within(w)} GROUP BY subject) AS f
       LEFT JOIN bench.people AS p ON f.subject = p.subject GROUP BY mask, country` + settings))
    await measure('ClickHouse', version, 'categories', w, () => rows(
      `SELECT ${categories.map(c => `toString(uniqExactIf(subject, set IN (${setsWith(c)})))`)} FROM bench.facts WHERE ${within(w)}` + settings))
  }

  run('CREATE TABLE bench.bitmaps (day UInt16, set UInt16, people AggregateFunction(groupBitmap, UInt32)) ENGINE = AggregatingMergeTree ORDER BY (day, set)')
  start = Date.now()
  run('INSERT INTO bench.bitmaps SELECT day, set, groupBitmapState(subject) FROM bench.facts GROUP BY day, set')
  run('OPTIMIZE TABLE bench.bitmaps FINAL')
  const states = Number(rows("SELECT sum(bytes_on_disk) FROM system.parts WHERE database = 'bench' AND table = 'bitmaps' AND active")[0][0])
  console.log(JSON.stringify({ engine: 'ClickHouse groupBitmap', version, seconds: loaded + (Date.now() - start) / 1000, bytes: states, rows: Number(rows('SELECT count() FROM bench.bitmaps')[0][0]) }))
  for (const w of about.windows) {
    await measure('ClickHouse groupBitmap', version, 'categories', w, () => rows(
      `SELECT ${categories.map(c => `toString(groupBitmapMergeIf(people, set IN (${setsWith(c)})))`)} FROM bench.bitmaps WHERE ${within(w)}` + settings))
  }
  session.cleanup?.()
}

async function duckdb() {
  const { DuckDBInstance, version } = await import('@duckdb/node-api')
  const file = join(dir, 'duckdb', 'bench.db')
  rmSync(join(dir, 'duckdb'), { recursive: true, force: true })
  mkdirSync(join(dir, 'duckdb'))
  // DuckDB reads no RowBinary: ClickHouse turns the same facts into Parquet for it.
  const { Session } = await import('chdb')
  const convert = new Session()
  convert.query(`SELECT * FROM file('${join(dir, 'facts.bin')}', 'RowBinary', 'day UInt16, set UInt16, subject UInt32') INTO OUTFILE '${join(dir, 'duckdb', 'facts.parquet')}' FORMAT Parquet`)
  convert.query(`SELECT toUInt32(rowNumberInAllBlocks()) AS subject, country FROM file('${join(dir, 'countries.bin')}', 'RowBinary', 'country UInt8') INTO OUTFILE '${join(dir, 'duckdb', 'people.parquet')}' FORMAT Parquet SETTINGS max_threads = 1`)
  convert.cleanup?.()
  const db = await (await DuckDBInstance.create(file, { threads: String(threads) })).connect()
  const rows = async sql => (await db.runAndReadAll(sql)).getRows()
  const name = (await rows('SELECT version()'))[0][0]
  const start = Date.now()
  await db.run(`CREATE TABLE facts AS SELECT * FROM read_parquet('${join(dir, 'duckdb', 'facts.parquet')}') ORDER BY day`)
  await db.run(`CREATE TABLE people AS SELECT * FROM read_parquet('${join(dir, 'duckdb', 'people.parquet')}')`)
  await db.run('CHECKPOINT')
  console.log(JSON.stringify({ engine: 'DuckDB', version: name, seconds: (Date.now() - start) / 1000, bytes: statSync(file).size, rows: Number((await rows('SELECT count(*) FROM facts'))[0][0]) }))
  for (const w of about.windows) {
    await measure('DuckDB', name, 'cohorts', w, () => rows(
      `SELECT mask::VARCHAR, count(*) FROM (SELECT subject, bit_or(1::UBIGINT << set) AS mask FROM facts WHERE ${within(w)} GROUP BY subject) GROUP BY mask`))
    await measure('DuckDB', name, 'everything', w, () => rows(
      `SELECT mask::VARCHAR, coalesce(country, 0), count(*) FROM (SELECT subject, bit_or(1::UBIGINT << set) AS mask FROM facts WHERE ${within(w)} GROUP BY subject) f LEFT JOIN people p ON f.subject = p.subject GROUP BY ALL`))
    await measure('DuckDB', name, 'categories', w, () => rows(
      `SELECT ${categories.map(c => `count(DISTINCT subject) FILTER (WHERE set IN (${setsWith(c)}))`)} FROM facts WHERE ${within(w)}`))
  }
}

for (const [name, run] of [['ClickHouse', clickhouse], ['DuckDB', duckdb]]) {
  try {
    await run()
  } catch (e) {
    console.log(JSON.stringify({ engine: name, error: String(e.message).split('\n')[0] }))
  }
}
