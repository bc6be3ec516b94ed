package evidence_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"cordon/evidence"
	"cordon/test/evidence/sample"
)

// offsets finds where each member's content lies, with somebody else's reader.
func offsets(t *testing.T, data []byte) map[string][2]int {
	t.Helper()
	at := map[string][2]int{}
	r := bytes.NewReader(data)
	files := tar.NewReader(r)
	for {
		h, err := files.Next()
		if err == io.EOF {
			return at
		}
		if err != nil {
			t.Fatal(err)
		}
		begin := len(data) - r.Len()
		at[h.Name] = [2]int{begin, begin + int(h.Size)}
	}
}

func expect(t *testing.T, err error, step evidence.Step, sentence string) {
	t.Helper()
	f := (*evidence.Failure)(nil)
	if !errors.As(err, &f) {
		t.Errorf("want %s: %q; got %v", step, sentence, err)
		return
	}
	if f.Step != step || !strings.Contains(f.What, sentence) {
		t.Errorf("want %s: %q\n got %s: %q", step, sentence, f.Step, f.What)
	}
}

func TestChangedByteIsNamedInWords(t *testing.T) {
	data, _ := small(t, false)
	at := offsets(t, data)
	find := func(member, text string) int {
		span := at[member]
		i := bytes.Index(data[span[0]:span[1]], []byte(text))
		if i < 0 {
			t.Fatalf("%q is not in %s", text, member)
		}
		return span[0] + i
	}
	var scopeName, bitmapName string
	for name := range at {
		if strings.HasPrefix(name, "bitmaps/") {
			bitmapName = name
		}
		if strings.HasPrefix(name, "scopes/") {
			scopeName = name
		}
	}
	for _, c := range []struct {
		where    string
		at       int
		step     evidence.Step
		sentence string
	}{
		{"first byte", 0, evidence.StepFrame, "the file's frame was changed, or this is no bundle: byte 0"},
		{"owner in a header", at["head"][0] - 512 + 108, evidence.StepFrame, "the file's frame was changed"},
		{"empty space", at["manifest"][1] + 1, evidence.StepFrame, "the empty space behind manifest"},
		{"end mark", len(data) - 1, evidence.StepFrame, "the file's frame was changed"},
		{"list of parts", at["manifest"][0] + 30, evidence.StepHash, "the list of what the bundle holds is not the one that the ledger signed"},
		{"hash in the head", at["head"][0] + 70, evidence.StepHash, "the list of what the bundle holds is not the one that the ledger signed"},
		{"origin in the head", find("head", "photos"), evidence.StepSignature, "the head of the bundle is of another ledger"},
		{"signature of the head", at["head"][1] - 20, evidence.StepSignature, "the signature of the bundle does not hold"},
		{"checkpoint", at["checkpoint"][0] + 3, evidence.StepHash, "checkpoint was changed after the ledger signed for it"},
		{"proof of a batch", at["batches/2.tlog-proof"][0] + 40, evidence.StepHash, "batches/2.tlog-proof was changed"},
		{"entry", at["batches/4.entries"][0] + 40, evidence.StepHash, "batches/4.entries was changed"},
		{"entry about people", at["batches/1.personal"][0] + 40, evidence.StepHash, "batches/1.personal was changed"},
		{"scope", at[scopeName][0] + 9, evidence.StepHash, scopeName + " was changed"},
		{"people", at[bitmapName][0] + 9, evidence.StepHash, bitmapName + " was changed"},
		{"manifest of the vendor", at["vendors/acme-mail.yaml"][0], evidence.StepHash, "vendors/acme-mail.yaml was changed"},
		{"header of the export's batch", at["export.tlog-proof"][0] + 60, evidence.StepProof, "the proof that the ledger recorded this export"},
		{"checkpoint of the export", find("export.tlog-proof", "\n\nphotos") + 4, evidence.StepSignature, "the checkpoint that the export is under does not hold"},
		{"witness of the export", at["export.tlog-proof"][1] - 30, evidence.StepSignature, "the signature of witness.example/w1 is not one over this text"},
		{"name of the witness", find("export.tlog-proof", "witness.") + 1, evidence.StepSignature, "a signature line that nobody answers for"},
		{"entry of the export", at["export.entries"][0] + 60, evidence.StepProof, "the proof that the ledger recorded this export does not hold"},
		{"consistency", at["export.consistency"][0] + 5, evidence.StepProof, "history was rewritten, or the proof was changed"},
	} {
		t.Run(c.where, func(t *testing.T) {
			data[c.at] ^= 1
			defer func() { data[c.at] ^= 1 }()
			_, err := verify(data, evidence.Trust{})
			expect(t, err, c.step, c.sentence)
		})
	}
	_, err := verify(data[:at["checkpoint"][0]+5], evidence.Trust{})
	expect(t, err, evidence.StepFrame, "the file is not whole: it ends inside of checkpoint")
	_, err = verify(data[:len(data)-512], evidence.Trust{})
	expect(t, err, evidence.StepFrame, "the file is not whole: its end mark is incomplete")
	_, err = verify(nil, evidence.Trust{})
	expect(t, err, evidence.StepFrame, "the file is not whole")
}

func TestKeysFromElsewhereMustBeTheOnes(t *testing.T) {
	data, c := small(t, false)
	_, _, other := newLedgerKey(t)
	_, err := verify(data, evidence.Trust{Key: other})
	expect(t, err, evidence.StepSignature, "the bundle was made with another key")
	_, err = verify(data, evidence.Trust{Key: c.Book.Key, Witnesses: []string{newCosigner(t, time.Now()).Witness().String()}})
	expect(t, err, evidence.StepSignature, "the witness witness.example/w1, whose key you gave, did not cosign")
}

// TestOperatorCannotSignWhatDoesNotHold makes bundles with the ledger's own key
// that say what its entries do not.
func TestOperatorCannotSignWhatDoesNotHold(t *testing.T) {
	want := map[string]struct {
		step     evidence.Step
		sentence string
	}{
		"another incident":                             {evidence.StepClaim, "no entry in the bundle opened the incident inc-2"},
		"another vendor":                               {evidence.StepClaim, "no entry in the bundle opened the incident inc-1 about other"},
		"a scope with fewer people in its bitmap":      {evidence.StepScope, "scope scope-1 says 5 people where its bitmap has 2"},
		"somebody in two cohorts":                      {evidence.StepScope, "in scope scope-1 somebody is in two cohorts"},
		"certain who are not in the scope":             {evidence.StepScope, "somebody was certainly accessed who is in no cohort"},
		"excluded who are counted":                     {evidence.StepScope, "somebody is excluded and counted at the same time"},
		"an answer with fewer people":                  {evidence.StepScope, "the cohorts of scope scope-1 have 8 people together, the answer says 7"},
		"an answer that does not add up":               {evidence.StepScope, "does not add up"},
		"another question":                             {evidence.StepClaim, "scope scope-1 is not the one that entry"},
		"a scope kept back":                            {evidence.StepClaim, "the scope scope-1, which entry"},
		"a scope that nothing froze":                   {evidence.StepClaim, "no entry in the bundle froze the scope scope-2"},
		"another manifest of the vendor":               {evidence.StepClaim, "no entry in the bundle says that this manifest of acme-mail was in force"},
		"an entry that was never written":              {evidence.StepProof, "entry 7 is not what the ledger recorded"},
		"an entry under another number":                {evidence.StepProof, "entry 2 is not what the ledger recorded"},
		"another ledger's batch":                       {evidence.StepProof, "batch 0 is another ledger's"},
		"a header that was never written":              {evidence.StepProof, "batch 0 is not in the ledger that the checkpoint describes"},
		"people among what is not personal":            {evidence.StepProof, "is about people and stands where only others may"},
		"the export of something else":                 {evidence.StepClaim, "does not record the export of this bundle"},
		"a history that was rewritten":                 {evidence.StepProof, "history was rewritten"},
		"a checkpoint that somebody else signed too":   {evidence.StepSignature, "the checkpoint does not hold: it bears a signature line that nobody answers for"},
		"an answer that says two numbers":              {evidence.StepScope, "cannot be read as a scope"},
		"an answer that says a number in capitals":     {evidence.StepScope, "the answer says 0"},
		"more people than numbers":                     {evidence.StepScope, "more people than there are numbers"},
		"an export that says two things":               {evidence.StepProof, "cannot be read as an event"},
		"a scope that answers for another vendor":      {evidence.StepScope, "scope scope-2 answers for another incident or another vendor"},
		"a scope that answers for another incident":    {evidence.StepScope, "scope scope-2 answers for another incident or another vendor"},
		"a scope that was frozen about another vendor": {evidence.StepClaim, "froze a scope of other for an incident about acme-mail"},
		"a number given twice":                         {evidence.StepProof, "gives numbers to its entries that the batches before it have"},
		"a number left out":                            {evidence.StepProof, "leaves numbers out behind the batch before it"},
		"a time in no year":                            {evidence.StepProof, "cannot be read as an event"},
		"no checkpoint of this ledger":                 {evidence.StepSignature, "the checkpoint does not hold: it is not signed with the key of photos.example/cordon"},
	}
	for _, lie := range sample.Lies {
		t.Run(lie.Name, func(t *testing.T) {
			data, err := lie.Bundle()
			if err != nil {
				t.Fatal(err)
			}
			_, err = verify(data, evidence.Trust{})
			expect(t, err, want[lie.Name].step, want[lie.Name].sentence)
			delete(want, lie.Name)
		})
	}
	for name := range want {
		t.Errorf("there is no lie %q", name)
	}
}

// What costs a reader gigabytes or days must not be small to send.
func TestSmallBundlesCostLittle(t *testing.T) {
	cost := func(name string, want string, change func(*sample.Case)) {
		t.Helper()
		c := sample.NewCase(true, 3, 5)
		change(c)
		data, err := c.Bundle(false)
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		begin := time.Now()
		_, err = verify(data, evidence.Trust{})
		took := time.Since(begin)
		runtime.ReadMemStats(&after)
		if failure := (*evidence.Failure)(nil); errors.As(err, &failure) != (want != "") || want != "" && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 40*uint64(len(data))+64<<20 || took > 20*time.Second {
			t.Errorf("%s: %d bytes of a bundle cost %d bytes and %v", name, len(data), n, took)
		}
	}
	cost("one bitmap for many cohorts", "somebody is in two cohorts", func(c *sample.Case) {
		people := roaring.New()
		for i := range uint32(1 << 16) {
			people.Add(i << 16)
		}
		s := &c.Contents.Scopes[0]
		kept := c.Keep(people)
		s.Cohorts, s.Certain, s.Excluded = nil, evidence.ScopeBitmap{}, evidence.ScopeBitmap{}
		var told []string
		for i := range 1000 {
			s.Cohorts = append(s.Cohorts, evidence.ScopeCohort{ID: fmt.Sprint("c", i), Categories: []string{"user.name"}, ScopeBitmap: kept})
			told = append(told, `{"categories":["user.name"],"subjects":65536}`)
		}
		s.Answer = []byte(`{"subjects":65536000,"certain":0,"possible":65536000,"cohorts":[` + strings.Join(told, ",") + `]}`)
	})
	cost("an event with many names", "", func(c *sample.Case) {
		was := c.Exported
		c.Exported = func(digest string) evidence.Entry {
			e := was(digest)
			var names strings.Builder
			for i := range 400_000 {
				fmt.Fprintf(&names, `"%x":1,`, i)
			}
			e.JSON = bytes.Replace(e.JSON, []byte(`"fields":{`), []byte(`"fields":{`+names.String()), 1)
			return e
		}
	})
}

func TestPartsThatAreNotPersonalCannotBeLeftOut(t *testing.T) {
	data, _ := small(t, false)
	at := offsets(t, data)
	without := func(name string) []byte {
		span := at[name]
		end := span[1] + (512-(span[1]-span[0])%512)%512
		return append(append([]byte{}, data[:span[0]-512]...), data[end:]...)
	}
	for name := range at {
		_, err := verify(without(name), evidence.Trust{})
		personal := strings.HasSuffix(name, ".personal") || strings.HasPrefix(name, "bitmaps/") || strings.HasPrefix(name, "vendors/")
		if personal != (err == nil) {
			t.Errorf("without %s: %v", name, err)
		}
	}
	_, err := verify(without("checkpoint"), evidence.Trust{})
	expect(t, err, evidence.StepSize, "checkpoint is missing, or not in its place")
}

func FuzzVerify(f *testing.F) {
	for _, redacted := range []bool{false, true} {
		data, _ := small(f, redacted)
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	whole, _ := small(f, false)
	redacted, _ := small(f, true)
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := verify(data, evidence.Trust{})
		if err == nil && !bytes.Equal(data, whole) && !bytes.Equal(data, redacted) {
			// Other subsets of the personal parts hold as well; nothing else does.
			var again bytes.Buffer
			if err := evidence.Redact(&again, bytes.NewReader(data), int64(len(data))); err != nil || !bytes.Equal(again.Bytes(), redacted) {
				t.Fatalf("a changed bundle holds: %v", err)
			}
		}
	})
}
