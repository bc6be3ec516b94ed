package csv_test

import (
	stdcsv "encoding/csv"
	"strings"
	"testing"

	"cordon/internal/wire/csv"
	"cordon/internal/wire/wiretest"
)

func TestHeadingNamesTheColumns(t *testing.T) {
	wiretest.Read(t, "email,First Name,plan\r\nanna@example.com,Anna,pro\r\n\"bo@example.org\",\"Bo \"\"B\"\", jr.\",\r\n", csv.Read).Want(
		"[0].email=anna@example.com",
		"[0].First Name=Anna",
		"[0].plan=pro",
		"[1].email=bo@example.org",
		`[1].First Name=Bo "B", jr.`,
	)
}

func TestOtherSeparators(t *testing.T) {
	for name, text := range map[string]string{
		"semicolon":        "Vorname;Nachname;E-Mail\nAnna;Berg, Dr.;anna@example.com\n",
		"tab":              "Vorname\tNachname\tE-Mail\nAnna\tBerg, Dr.\tanna@example.com\n",
		"bar":              "Vorname|Nachname|E-Mail\nAnna|Berg, Dr.|anna@example.com\n",
		"named":            "sep=;\r\nVorname;Nachname;E-Mail\r\nAnna;Berg, Dr.;anna@example.com\r\n",
		"byte order mark":  "\ufeffVorname;Nachname;E-Mail\r\nAnna;\"Berg, Dr.\";anna@example.com",
		"blank lines":      "\n\nVorname;Nachname;E-Mail\n\nAnna; Berg, Dr. ;anna@example.com\n\n",
		"quoted headings":  "\"Vorname\",\"Nachname\",\"E-Mail\"\n\"Anna\",\"Berg, Dr.\",\"anna@example.com\"\n",
		"mark and sep":     "\ufeffsep=,\nVorname,Nachname,E-Mail\nAnna,\"Berg, Dr.\",anna@example.com\n",
		"blanks and quote": "Vorname,Nachname,E-Mail\nAnna,\"Berg, Dr.\" ,anna@example.com\n",
	} {
		t.Run(name, func(t *testing.T) {
			wiretest.Read(t, text, csv.Read).Want(
				"[0].Vorname=Anna", "[0].Nachname=Berg, Dr.", "[0].E-Mail=anna@example.com")
		})
	}
}

func TestTableWithoutHeadingLosesNobody(t *testing.T) {
	for _, text := range []string{
		"Anna,Berg\nBo,Lund\n",
		"Anna,Berg,anna@example.com\nBo,Lund,bo@example.com\n",
		"Anna,Price\nBo,Lund\n",
		"Anna,n/a\nBo,4711\n",
		"Anna,\nBo,4711\n",
		"anna@example.com\nbo@example.com\n",
		"Anna McAdam\nBo Lund\n",
	} {
		tree := wiretest.Read(t, text, csv.Read)
		if len(tree.Leaves) == 0 || !strings.Contains("Anna anna@example.com Anna McAdam", tree.Leaves[0].Value) || tree.Leaves[0].Path != "[0].1" {
			t.Errorf("%q: the first person is missing:\n%s", text, tree)
		}
	}
}

func TestHeadingsThatProgramsWrite(t *testing.T) {
	for _, text := range []string{
		"favourite_colour,shoe\nred,blue\n",
		"colour,shoe\nred,44\nblue,45\n",
		"planTier\npro\n",
		",email,colour\n0,anna@example.com,red\n",
		"Kundennummer;Straße;Ort\nA-1;Weg 3;Köln\n",
		"Phone 1,Phone 2\n+49 30 1,+49 30 2\n",
		"氏名,電話番号\n山田,03-1234\n",
	} {
		tree := wiretest.Read(t, text, csv.Read)
		for _, f := range tree.Leaves {
			if strings.HasSuffix(f.Path, "].2") || strings.HasSuffix(f.Path, "].3") {
				t.Errorf("%q: the heading was taken for a row:\n%s", text, tree)
			}
		}
	}
}

func TestWhatTwoProgramsReadDifferently(t *testing.T) {
	for text, reason := range map[string]string{
		"name,email\nAnna \"A\" Berg,anna@example.com\n":      "broken-syntax",
		"name,email\n\"Anna\" Berg,anna@example.com\n":        "broken-syntax",
		"name,email\n\"Anna \\\"A\\\"\",anna@example.com\n":   "broken-syntax",
		"name,email\n \"Anna\",anna@example.com\n":            "broken-syntax",
		"name,email\n\"Anna,anna@example.com\n":               "broken-syntax",
		"name,email\nAnna,anna@example.com,Berlin\n":          "broken-syntax",
		"name,email\rAnna,anna@example.com\r":                 "broken-syntax",
		"name,email\nAnna\x00,anna@example.com\n":             "broken-syntax",
		"email;x,name;y\na@example.com;Anna,c;d\n":            "broken-syntax",
		"name,email,email\nA,a@example.com,b@example.com\n":   "duplicate-key",
		"name,email\nJ\xf6rg,joerg@example.com\n":             "invalid-utf8",
		"name\x00,email\nAnna,anna@example.com\nB,b@e.com\n ": "broken-syntax",
	} {
		tree := wiretest.Read(t, text, csv.Read)
		if len(tree.Problems) == 0 || string(tree.Problems[0]) != reason {
			t.Errorf("%q: problems %q, wanted %s", text, tree.Problems, reason)
		}
		if len(tree.Leaves) == 0 {
			t.Errorf("%q: nothing was read", text)
		}
	}
}

func TestLongTablesAreReadInLinearTime(t *testing.T) {
	for name, unit := range map[string]string{
		"rows": "Anna,anna@example.com\n", "wide": "name,", "quotes": `"`, "open": `"a,`, "blank": "\n", "spaces": " ", "returns": "\r",
	} {
		wiretest.Linear(t, name, csv.Read, func(n int) string { return "name,email\n" + strings.Repeat(unit, n) })
		wiretest.Linear(t, name, csv.Read, func(n int) string { return strings.Repeat(unit, n) + "\n" + strings.Repeat(unit, n) })
	}
}

// What Go's own reader accepts has the same cells here.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{
		"email,name\nanna@example.com,Anna\n", "a;b\n\"x\"\"y\";\"z\nq\"\n", "1\t2\n\n3\t4", "sep=|\r\nname|x\r\n\"\"|2", "\ufeffname\n\"\"\nx",
		"name,email\nAnna \"A\" Berg,anna@example.com\n", "\"a\"b,c\rd", "x", "name,name\n1,2,3\n", "a,\n,b", "a,b,\n1,2,",
	} {
		f.Add(s, uint64(0x5555555555555555))
		f.Add(s, ^uint64(0))
	}
	f.Fuzz(func(t *testing.T, text string, pick uint64) {
		if len(text) > 1<<12 {
			return
		}
		// A heading whose reading does not depend on what stands below it.
		wiretest.Hold(t, "first_name,last_name\n"+text, csv.Read, pick)
		againstGo(t, text)
	})
}

func againstGo(t *testing.T, text string) {
	tree := wiretest.Read(t, text, csv.Read)
	if len(tree.Problems) > 0 || strings.Contains(text, "sep=") || strings.HasPrefix(text, "\ufeff") {
		return
	}
	if strings.ContainsAny(text, "\r") { // Go keeps some of them
		return
	}
	var have []string
	for _, f := range tree.Leaves {
		if value := strings.TrimSpace(f.Value); value != "" {
			have = append(have, value)
		}
	}
	matched := strings.Contains(text, "\" ") || strings.Contains(text, "\"\t") // blanks behind a quote: Go refuses
	var last []string
	for _, sep := range ",;\t|" {
		r := stdcsv.NewReader(strings.NewReader(text))
		r.Comma, r.FieldsPerRecord = sep, -1
		records, err := r.ReadAll()
		if err != nil {
			continue
		}
		var all []string
		for _, record := range records {
			for _, cell := range record {
				if cell = strings.TrimSpace(cell); cell != "" {
					all = append(all, cell)
				}
			}
		}
		last = all
		// With a heading, its cells come first.
		if n := len(all) - len(have); n >= 0 && strings.Join(all[n:], "\x00") == strings.Join(have, "\x00") {
			matched = true
		}
	}
	if !matched {
		t.Fatalf("%q has cells %q; Go reads %q", text, have, last)
	}
}

func FuzzCSVValue(f *testing.F) {
	f.Add("email,name\nanna@example.com,Anna\n", 1, "B;o")
	f.Add("name\nAnna\n\"Bo\"\n", 0, "x\ny")
	f.Fuzz(func(t *testing.T, rows string, i int, value string) {
		if len(rows) > 1<<12 || i < 0 || strings.Contains(value, "\x00") {
			return
		}
		// A heading of its own, so that the value cannot become one.
		wiretest.HoldValue(t, "first_name,last_name\nA,B\n"+rows, csv.Read, i, strings.TrimSpace(value))
	})
}

func BenchmarkTable(b *testing.B) {
	wiretest.Bench(b, "email,name,city\n"+strings.Repeat("anna@example.com,\"Berg, Anna\",Berlin\n", 5000), csv.Read)
}
