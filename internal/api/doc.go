// Package api is the one HTTP/JSON interface that the command line, the
// console and scripts use, and the operations behind it.
//
// A Desk does the work: it holds the open parts of one Cordon (gates, ledger,
// index, directory) and has one method per verb. Handler puts the Desk on
// HTTP under /api/v1 and says who may do what; Client is the other end. A
// command line without a server talks to the same Handler inside its own
// process over a read-only store, so every verb has one code path.
//
// The structs in answers_*.go are the `--json` shapes of the command line: the
// field names are a promise to scripts (contract, section 4) and are only ever
// added to.
package api
