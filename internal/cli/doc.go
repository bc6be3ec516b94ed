// Package cli is the command line: one file per verb, and a few that all
// share (env.go, connect.go, help.go, table.go).
//
// Results go to stdout and talk to stderr. Every verb that prints facts takes
// --json and then prints the structs of package api, nothing else. An error
// has two lines: what happened, and what to do next. Exit codes are few: see
// exit.go.
//
// A verb never does the work itself: it asks an api.Client, which speaks to a
// running server or, for verbs that only read, to the same handlers over a
// read-only store inside this process. Verbs therefore take an Env and are
// tested by scripts in testdata against a real server.
package cli
