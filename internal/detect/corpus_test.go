package detect_test

import (
	"testing"

	"cordon/internal/detect"
	"cordon/internal/detect/detecttest"
)

// The messages and the detector have one author, so this shows that nothing
// broke, not how good the detector is; see bench/detect for that.
func TestValuesInVendorMessagesAreFoundAndNothingElse(t *testing.T) {
	for _, d := range detecttest.Corpus(3000, 1) {
		hits := detect.Append(nil, d.Text, detect.Context{})
		i := 0
		for _, g := range d.Gold {
			for i < len(hits) && int(hits[i].End) <= g.Start {
				t.Errorf("%v %q is nobody's: …%s", hits[i].Kind, d.Text[hits[i].Start:hits[i].End], d.Text[max(0, int(hits[i].Start)-30):hits[i].End])
				i++
			}
			if i == len(hits) || int(hits[i].Start) >= g.End || hits[i].Kind.String() != g.Kind || int(hits[i].Start) != g.Start || int(hits[i].End) != g.End {
				t.Errorf("%s %q was missed: …%s", g.Kind, d.Text[g.Start:g.End], d.Text[max(0, g.Start-40):min(len(d.Text), g.End+10)])
				continue
			}
			i++
		}
		for ; i < len(hits); i++ {
			t.Errorf("%v %q is nobody's: …%s", hits[i].Kind, d.Text[hits[i].Start:hits[i].End], d.Text[max(0, int(hits[i].Start)-30):hits[i].End])
		}
	}
}
