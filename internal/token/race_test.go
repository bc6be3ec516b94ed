//go:build race

package token

// Under the race detector a pool forgets at random what it was given.
func init() { forgets = true }
