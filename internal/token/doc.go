// Package token makes what a vendor may know of a person in place of the value
// itself, and finds it again in what the vendor sends back.
//
// A token is the output of a pseudo-random function over the normalised value.
// The function's key is derived from the root for one vendor, one kind of value
// and one epoch, so that two vendors cannot link a person by comparing what
// they hold, and one vendor's joins, lookups and suppression lists go on
// working: the same value gives the same token for as long as the epoch lasts.
// Without the root nothing leads from a token back to its value; with it, only
// a table does, which is the ledger's: its index is Token.Key.
//
// # Shapes
//
// A token has the type of what it replaces, as far as a vendor's validator
// looks. Letters are those of RFC 4648 base32 in lower case ("core" below):
// vendors lower-case addresses, and 0, 1, 8 and 9 are missing, so that digits
// and most hexadecimal numbers are never taken for a token.
//
//	e-mail address      u.<core of 22>@id.<domain>
//	alias               u.<core of 22>@relay.<domain>, to which mail may be sent
//	name                two capitalised words of 14 and 16 letters
//	first or last name  one capitalised word of 30 letters
//	UUID                a UUID of version 4
//	hexadecimal, ≥ 23   as many hexadecimal digits, at most 64
//	digits              16 digits, a number below 2^53 without leading zero
//	telephone number    +1 and an area code that is not given to anybody
//	everything else     core of 18 letters, or as many as the value has, at most 50
//
// A core begins with a letter for the epoch and ends with a check letter; the
// 16 and more between them are 80 and more bits of the function. Digits and
// telephone numbers have no room for so much: Token.Bits says how much they
// have, and the table, which refuses the second value for one token, makes the
// caller ask for the next attempt.
package token
