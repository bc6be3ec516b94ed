package cli

import (
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
)

func TestExamplesOfWitnessShowKeysThatAreKeys(t *testing.T) {
	tried := 0
	for _, example := range (witnessAddLogCmd{}).Examples() {
		words := strings.Fields(example)
		key := words[len(words)-1]
		if !strings.Contains(key, "+") {
			continue // a file
		}
		tried++
		if v, err := note.NewVerifier(key); err != nil {
			t.Errorf("%s: %v", example, err)
		} else if v.Name() != words[len(words)-2] {
			t.Errorf("%s: the key is of %s", example, v.Name())
		}
	}
	if tried == 0 {
		t.Error("no example shows a key")
	}
}
