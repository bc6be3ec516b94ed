// Package evidence lets anyone check what a Cordon ledger says, without
// Cordon and without trusting whoever runs it. This comment is the
// specification; an independent verifier can be written from it alone.
//
// # The log
//
// A ledger is a sequence of entries, numbered from 1, written in batches,
// numbered from 0. Each batch has a header. The headers are the leaves of one
// Merkle tree as in RFC 6962 (SHA-256, leaf prefix 00, node prefix 01), whose
// root a checkpoint signs (C2SP tlog-checkpoint, signed-note with Ed25519).
// The headers hold no personal data and no number of a person: the tree can
// be public and be kept when the entries are erased.
//
// # Header
//
// 117 bytes, integers big-endian:
//
//	offset size
//	     0    1  version, 1
//	     1   16  gateway: first 16 bytes of SHA-256("cordon gateway\n" origin)
//	    17    8  batch number = index of the leaf
//	    25   32  RFC 6962 leaf hash of the previous header; zero for batch 0
//	    57    8  number of the first entry
//	    65    4  count of entries, at least 1
//	    69    8  start: no entry is earlier, milliseconds since 1970 UTC, signed
//	    77    8  end: latest time among the entries
//	    85   32  root over the entries
//
// The first entry of a batch has the number that follows the last of the batch before;
// batch 0 begins with entry 1. Times are what the gateway's clock said: they
// may go back from batch to batch.
//
// # Root over the entries
//
// An RFC 6962 tree whose leaf i (from 0) is
//
//	SHA-256(00 salt_i entry_i),  salt_i = first 16 bytes of SHA-256(seed i)
//
// with i as four bytes big-endian and seed 16 random bytes of the batch. A
// salt keeps a short entry from being guessed from its hash. One entry is
// shown with its salt; the seed, which would give all salts, stays with the ledger.
//
// # Entry
//
// Numbers are unsigned varints (LEB128) unless said otherwise. The first byte
// holds the kind in bits 0-1 and flags; unknown flags make an entry invalid.
// Where flag T is set, a varint follows that gives the time as milliseconds
// after the header's start; without it the time is the start.
//
//	kind 0, disclosure: flags T=04 shadow=08 incomplete=10 retry=20 single=40 declared=80
//	    [T] pathway-id
//	    [retry: distance: this entry's number minus the earlier attempt's]
//	    [incomplete: count, then that many reason-ids]
//	    [declared: zigzag varint: since when it was held, milliseconds since 1970, 0 for not known]
//	    [unless single: count]; count (or 1) times: ordinal set-id
//	kind 1, outcome: flags T=04 status=08 bytes=10, result in bits 5-6
//	    (0 unknown, 1 sent, 2 not sent)
//	    [T] distance to the disclosure's number
//	    [status: zigzag varint of status-200] [bytes: bytes handed to the socket]
//	kind 2, event: flag T=04
//	    [T] length, then that many bytes of JSON
//	kind 3, definition: no flags
//	    dictionary (1 byte: 1 pathway, 2 category set, 3 reason) id length text
//
// What a flag announces is never zero or empty, and the count of subjects is never 1: there
// the flag says it instead. An ordinal stands for a person; 0 for nobody known. A definition stands
// before the first use of its id, ids count from 1 in each dictionary. The
// text of a pathway is a JSON array [vendor, route, credential, app].
//
// A declared disclosure is no message: somebody said that the vendor holds this
// about these people, since the instant given, or since ever where none is
// known. It has no outcome and none of the flags shadow, incomplete and retry.
// The event "backfill" before it says from which file it was taken; the entry's
// pathway names that event's number.
package evidence
