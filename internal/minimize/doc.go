// Package minimize applies a manifest's policy to what was found in a message:
// what the vendor need not know does not leave.
//
// Its result, Cleared, is the only thing that the ledger records and the
// gateway forwards. It cannot be made in any other way than by Clear, so a
// message that was never classified cannot leave.
package minimize
