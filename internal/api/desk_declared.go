package api

import (
	"time"

	"cordon/internal/exposure"
	"cordon/internal/ledger"
)

// declaredBetween is the entry that began a declaration of which a part was
// written between two instants, 0 for none. What is declared lies in the index
// under the instant since when it is held, and in the journal under the day of
// the declaration. If that day expired, a rebuilt index would not know any more
// what a vendor held before Cordon; and a declaration is no body of a message,
// which is what the policy ends.
func (d *Desk) declaredBetween(from, to time.Time) (uint64, error) {
	begun := map[uint64]time.Time{}
	meets := func(start, end time.Time) bool { return start.Before(to) && !end.Before(from) }
	for e, err := range d.Ledger.Events(1) {
		if err != nil {
			return 0, err
		}
		if e.Event.Kind != ledger.EventBackfill {
			continue
		}
		if e.Event.Fields["what"] == "begun" {
			begun[e.Seq] = e.At
			continue
		}
		of, _ := e.Event.Fields["begun"].(float64) // as JSON has numbers
		start, ok := begun[uint64(of)]
		delete(begun, uint64(of))
		if ok && meets(start, e.At) {
			return uint64(of), nil
		}
	}
	for seq, start := range begun { // broken off by a crash, or still under way
		if meets(start, start.Add(24*time.Hour)) {
			return seq, nil
		}
	}
	return 0, nil
}

// unfinished are the declarations about a vendor that did not come to their end,
// because the server or the reading of the file did, and behind which no other
// one was finished: whoever runs the file again has finished it.
func (d *Desk) unfinished(v exposure.VendorID) (list []uint64, err error) {
	for e, err := range d.Ledger.Events(1) {
		if err != nil {
			return nil, err
		}
		if e.Event.Kind != ledger.EventBackfill || e.Event.Vendor != v {
			continue
		}
		switch e.Event.Fields["what"] {
		case "begun":
			list = append(list, e.Seq)
		case "broken off": // at its first row nobody was declared, and whoever ran it was told
			if _, some := e.Event.Fields["last"]; !some && len(list) > 0 {
				list = list[:len(list)-1]
			}
		case "done":
			list = nil
		}
	}
	return list, nil
}
