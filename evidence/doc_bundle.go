// # Bundle
//
// A bundle is one file that shows an incident to somebody who has no access to
// the ledger and does not trust whoever runs it. Verify checks it; cordon-verify
// is Verify as a program. Whoever writes another verifier needs what stands
// here, RFC 6962, RFC 8032, and signed-note, tlog-checkpoint, tlog-cosignature
// and tlog-proof of C2SP.
//
// There is one file for one content: no byte is free. What a verifier reads
// leniently an attacker writes freely, so each rule below is to be checked, not
// only relied on. No object of JSON has a name twice, and names are compared to
// the letter. Numbers are decimal without leading zeros, base64 is the
// standard alphabet with padding and zero bits where bits are left over, hashes
// in hex are lower case, times are RFC 3339 in UTC, lines end with one LF.
//
// # Bundle: frame
//
// The file is an uncompressed ustar archive, so that tar shows what is inside.
// All of a member's 512 byte header follows from its name and size:
//
//	offset size
//	     0  100  name, zeros: 1 to 100 of a-z A-Z 0-9 . _ - /
//	   100    8  "0000644" 00
//	   108    8  "0000000" 00, and again at 116
//	   124   12  size: 11 octal digits, 00
//	   136   12  "00000000000" 00
//	   148    8  sum of all 512 bytes, with blanks in this place: 6 octal digits, 00, blank
//	   156    1  "0"
//	   157  100  zeros
//	   257    8  "ustar" 00 "00"
//	   265   64  zeros
//	   329    8  "0000000" 00, and again at 337
//	   345  167  zeros
//
// Contents are filled up with zeros to a multiple of 512. Behind the last one
// stand 1024 zeros, and nothing follows. The members, in this order:
//
//	manifest            what the bundle holds
//	head                a signed note over the manifest
//	export.tlog-proof   the ledger's entry of this export: its batch
//	export.entries      and the entry
//	export.consistency  the ledger only grew between checkpoint and export
//	…                   the parts, in the order of the manifest
//
// # Bundle: manifest
//
// Lines of words parted by one blank, in this order:
//
//	cordon-evidence/1
//	origin ORIGIN             of the ledger, as in its checkpoints
//	key VKEY                  the ledger's public key (signed-note, type 01)
//	witness VKEY              (any number) public keys of witnesses (type 04)
//	incident ID VENDOR
//	part SIZE SHA256 NAME     (any number, mixed with the next)
//	personal SIZE SHA256 NAME may have been left out of the file
//	absent WORD REASON …      (any number) what a reader may miss, and why it is not there
//
// VKEY stands as it is written elsewhere; its key hash must belong to it.
// Kinds of parts, in this order, no name twice:
//
//	part      checkpoint                  the checkpoint that all proofs but the export's are under
//	part      batches/N.tlog-proof        by rising N, each with one or both of
//	part      batches/N.entries           events and definitions without anything personal
//	personal  batches/N.personal          entries that name people by ordinal, or hold words that somebody chose
//	part      scopes/ID.json              frozen scopes
//	personal  bitmaps/SHA256.roaring      their people, by rising hash
//	personal  vendors/VENDOR.yaml         the vendor's manifest in force
//
// Redacting a bundle is leaving out personal parts and nothing else. What
// remains is under the same manifest, the same head and the same entry of the
// ledger, and everybody who has the whole bundle can do it. The hash of what was
// left out remains; it tells nothing where salts are inside. The hash of a
// bitmap of very few people can be guessed: it tells their ordinals, numbers
// that mean nothing without the ledger's keys.
//
// # Bundle: head
//
// A signed note with exactly one signature, the ledger's, over the lines
//
//	cordon-evidence/1
//	ORIGIN
//	manifest SIZE SHA256      of the member manifest
//
// A checkpoint begins with its origin, so neither can pass for the other.
//
// # Bundle: batches
//
// N.tlog-proof is a C2SP tlog-proof with an extra line: the batch's header (see
// above), which is the leaf. N, the index and the header's batch number are the
// same number, the header's gateway is that of the origin, and the checkpoint in
// the proof is byte for byte the part checkpoint. Batches follow each other as
// described under header: no number is given twice, each batch between two that
// are shown has an entry at least, and one that comes right behind another (or is
// the first) continues its numbers and names its hash.
//
// N.entries and N.personal show entries of the batch, by rising number, the two
// together no number twice, each one as
//
//	entry NUMBER SALT ENTRY   salt and encoded entry, in base64
//	HASH                      (as many as there are) its audit path in the batch's own tree
//
// An entry is whole: no bytes follow it. In N.entries only kinds 2 and 3 stand.
//
// A checkpoint in a bundle is signed by the ledger's key, first, and may bear
// one cosignature of each witness in the manifest. Any other signature line, one
// that does not hold, or one that is there twice, makes it invalid: unknown
// lines would be bytes that nobody answers for.
//
// # Bundle: the export
//
// The last thing that happens before a bundle is handed out is an entry in the
// ledger, an event of kind incident with fields incident, what = "export" and
// digest = the SHA-256 of the manifest. It is shown by export.tlog-proof and
// export.entries, under a later checkpoint. export.consistency is the proof, one
// hash a line, that the tree of checkpoint is a beginning of the tree of that
// later one (RFC 6962, 2.1.2). So a witness that cosigned either stands for both.
//
// # Bundle: events
//
// The time of an event is in the years 0 to 9999, as that of a cosignature is. The
// JSON of an event is an object with kind, vendor, actor (strings) and
// fields (an object); all but kind may be missing. The events on which claims
// of a bundle rest, by kind:
//
//	incident  incident, what: open, fact, plan, approve, export, close …
//	scope     incident, scope, digest: SHA-256 of scopes/SCOPE.json
//	gate      vendor beside kind; gate: open, hold or cut; route
//	coverage-start
//	          vendor beside kind; manifest: SHA-256 of the vendor's manifest from then on
//
// # Bundle: scopes
//
// scopes/ID.json is the encoding of a Scope. Its people stand in bitmaps, sets of
// 32 bit numbers in the portable format of Roaring bitmaps:
//
//	cookie        4  little-endian, as everything: 12346, then containers (4),
//	                 or 12347 in the lower half and containers-1 in the upper,
//	                 then one bit a container, set where it is one of runs; spare bits are zero
//	description      a container: key (2), count-1 (2); keys rise
//	offsets          a container: 4, where its content begins; not with cookie 12347 and fewer than 4 containers
//	contents         runs: number (2), then start (2) and length-1 (2) of each; they rise and do not overlap
//	                 else, count > 4096: 8192 bytes, one bit a number
//	                 else: count times 2 bytes, rising
//
// No byte stands between or behind. A container is never empty. A hash "" in a
// Scope stands for the empty set; other bitmaps are parts.
//
// # Bundle: the order of checking
//
// A verifier stops at the first thing that does not hold, and says which step:
//
//	frame      the file is as described under frame; head and manifest can be read
//	size       manifest against head, then each part against the manifest, by size and presence
//	hash       the same, by hash
//	signature  head, checkpoint, the checkpoint of export.tlog-proof; the keys and witnesses that the caller trusts
//	proof      each batch and each entry, in order; then the export's, then the consistency
//	scope      each scope: it is the incident's, and the vendor of its query the incident's; bitmaps count what the scope says; the cohorts have nobody in common; certain is
//	           inside them, excluded outside; the answer's subjects, certain and cohorts are those numbers
//	claim      an event opened the incident about that vendor; each scope has its event, of that vendor, with its digest, and
//	           each such event of the incident has its scope; the vendor's manifest is named by a coverage-start event; the
//	           export's event names the incident and the manifest's hash
//
// Where a bitmap was left out, only what the scope says of itself is compared:
// that the numbers add up, not that they are the numbers of those people.
//
// # Bundle: what it does not prove
//
// That no other entries of the incident exist: the ledger shows what it is asked
// for. That what the gateway wrote was true when it was written. Without a
// witness: that nobody with the ledger's key keeps a second history. With the
// key taken from the bundle itself: who made it.
package evidence
