// Package witness countersigns the heads of ledgers, so that not even the one
// who runs a ledger and holds all its keys can rewrite it unnoticed (C2SP
// tlog-witness). It is a process of its own, on another machine and under
// another administrator, or it proves little.
//
// A witness remembers one thing of each ledger: the newest head that it
// cosigned. It cosigns another one only after a proof that the older tree is a
// prefix of the newer. It trusts nobody: what asks it need show nothing but a
// head that the ledger's key signed, and a false answer to it can at worst be
// none.
//
// # State
//
//	DIR/key            the private key, mode 0600; lost or stolen: make a new witness
//	DIR/key.pub        the verifier key, for everybody
//	DIR/lock           held by the one process that serves
//	DIR/logs/<hash>/   one folder a ledger; hash is hex SHA-256 of its origin
//	    log            origin and verifier key, one a line
//	    head           newest cosigned head, in two slots (see headFile)
//	    refused/       heads with a true signature that contradict the one cosigned
//	DIR/retired/       logs that were set aside, each as it was
//
// A head is on disk in both slots before its cosignature leaves: whatever
// single write is torn or rots later, the witness does not go back. A witness
// whose head file is lost refuses that ledger; it must not start from nothing,
// since it would then cosign a second history. Putting back an old copy of
// DIR does exactly that and cannot be noticed here: do not back up `head`.
//
// The other half of the package is the ledger's side: Client asks, Feed keeps a
// ledger's heads witnessed and says when they are not.
package witness
