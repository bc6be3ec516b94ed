// Package minimize applies a manifest's policy to what was found in a message:
// what the vendor need not know does not leave.
//
// Its result, Cleared, is the only thing that the ledger records and the
// gateway forwards. It cannot be made in any other way than by Clear, so a
// message that was never classified cannot leave.
//
// # What becomes of a field
//
//	allow       it leaves as it is
//	drop        it goes, with its key and its comma
//	mask        a***@masked.invalid, ***50, A***, ***; a number becomes null
//	hash        HMAC under a key of this vendor, 64 hexadecimal digits
//	generalize  a network, a region, a year, ten years, eleven kilometres
//	token       of the same type, found again by a table: see package token
//	alias       an address that takes mail, for e-mail
//
// A mapping may say that the vendor delivers to a field, which is then neither
// a token, a hash nor generalised; or that it shows a field to the person, who
// would read the token: then neither of these nor an alias. Such a field leaves
// as it is, is recorded so, and `cordon route test` says why (kept).
//
// In a path only a token, an alias or a hash may stand, by which the vendor
// knows the same person; a mask would name somebody else's record, or all.
//
// What a detector found inside a field shares that field's fate. Where the
// field itself leaves, the piece is masked if a checksum proves what it is and
// the policy says anything but allow; all else is recorded and left, because a
// form alone proves little and a changed order number breaks an order.
//
// A value for which an action finds no way (a date in words, an address of no
// known kind) is masked: the action asked that it not leave as it is.
package minimize
