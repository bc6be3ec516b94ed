// Package evidence lets anyone check what a ledger says.
package evidence

// Proof shows that one entry is in the ledger that a checkpoint commits to.
type Proof struct {
	Seq        uint64   `json:"seq"`
	Entry      []byte   `json:"entry"`      // encoded
	Salt       []byte   `json:"salt"`       // 16 bytes
	Inner      [][]byte `json:"inner"`      // audit path in the batch's own tree
	Header     []byte   `json:"header"`     // encoded batch header = leaf of the log
	Path       [][]byte `json:"path"`       // audit path of the leaf
	Checkpoint string   `json:"checkpoint"` // signed note
}
