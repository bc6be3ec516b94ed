package xml_test

import (
	stdxml "encoding/xml"
	"io"
	"slices"
	"strings"
	"testing"

	"cordon/internal/exposure"
	"cordon/internal/wire/wiretest"
	"cordon/internal/wire/xml"
)

const order = `<?xml version="1.0" encoding="UTF-8"?>
<!-- made by shop 4 -->
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <soap:Body>
    <order id="A-1" note='said "hello" &amp; left'>
      <customer>
        <name>J&#246;rg M&#xFC;ller</name>
        <email xsi:type="string">  anna@example.com </email>
        <phone kind="home">+49 30 1234</phone><phone/>
        <phone kind="work">+49 30 5678</phone>
        <note><![CDATA[a < b & c]]> &lt;d&gt;</note>
        <free>Hi <b>Anna</b>, welcome</free>
      </customer>
    </order>
  </soap:Body>
</soap:Envelope>
`

func TestSOAPOrder(t *testing.T) {
	wiretest.Read(t, order, xml.Read).Want(
		"#comment=made by shop 4",
		"Envelope.Body.order.@id=A-1",
		`Envelope.Body.order.@note=said "hello" & left`,
		"Envelope.Body.order.customer.name=Jörg Müller",
		"Envelope.Body.order.customer.email=anna@example.com",
		"Envelope.Body.order.customer.phone.@kind=home",
		"Envelope.Body.order.customer.phone=+49 30 1234",
		"Envelope.Body.order.customer.phone.@kind=work",
		"Envelope.Body.order.customer.phone=+49 30 5678",
		"Envelope.Body.order.customer.note=a < b & c <d>",
		"Envelope.Body.order.customer.free.#text=Hi",
		"Envelope.Body.order.customer.free.b=Anna",
		"Envelope.Body.order.customer.free.#text=, welcome",
	)
	for pick := range uint64(1 << 13) {
		if pick%97 == 0 {
			wiretest.Hold(t, order, xml.Read, pick)
		}
	}
	for i := range 13 {
		for _, value := range []string{"x", `<a b="c">&amp;'`, " two\nlines\t", "]]>", "ä€😀", "\r\n"} {
			wiretest.HoldValue(t, order, xml.Read, i, value)
		}
	}
}

func TestDroppedElementGoesWithItsTags(t *testing.T) {
	text := `<a><b>Anna</b><c d="1">Bo</c><e f='2'/></a>`
	got, _ := wiretest.Read(t, text, xml.Read).Drop(0, 1, 2, 3)
	if want := `<a><c></c><e/></a>`; got != want {
		t.Errorf("left %s, wanted %s", got, want)
	}
}

func TestNotWellFormed(t *testing.T) {
	for text, reason := range map[string]exposure.Reason{
		``:                                       exposure.IncompleteSyntax,
		`plain`:                                  exposure.IncompleteSyntax,
		`<a>Anna`:                                exposure.IncompleteSyntax,
		`<a>Anna</b>`:                            exposure.IncompleteSyntax,
		`<a><b>Anna</a>`:                         exposure.IncompleteSyntax,
		`<a>Anna</a><a>Bo</a>`:                   exposure.IncompleteSyntax,
		`<a>Anna</a> Bo`:                         exposure.IncompleteSyntax,
		`<a>Anna &nbsp; Bo</a>`:                  exposure.IncompleteSyntax,
		`<a>Anna &#0; Bo</a>`:                    exposure.IncompleteSyntax,
		`<a>Anna & Bo</a>`:                       exposure.IncompleteSyntax,
		`<a>Anna ]]> Bo</a>`:                     exposure.IncompleteSyntax,
		`<a>an<!-- x -->na@example.com</a>`:      exposure.IncompleteSyntax,
		`<a b=1>Anna</a>`:                        exposure.IncompleteSyntax,
		`<a b>Anna</a>`:                          exposure.IncompleteSyntax,
		`<a b="1"c="2">Anna</a>`:                 exposure.IncompleteSyntax,
		`<a b="<">Anna</a>`:                      exposure.IncompleteSyntax,
		`<a b="1" b="2">Anna</a>`:                exposure.IncompleteDuplicateKey,
		`<!DOCTYPE a [<!ENTITY x "y">]><a>A</a>`: exposure.IncompleteSyntax,
		`<a><!-- a -- b -->A</a>`:                exposure.IncompleteSyntax,
		`<a>a < b</a>`:                           exposure.IncompleteSyntax,
		"<a>A\x01</a>":                           exposure.IncompleteSyntax,
		"<a>J\xf6rg</a>":                         exposure.IncompleteUTF8,
		"<?xml version='1.0' encoding='ISO-8859-15'?><a>\u00e4</a>":     exposure.IncompleteContentType,
		"<?xml version='1.0' encoding='utf-7'?><a>+AEA-</a>":            exposure.IncompleteContentType,
		strings.Repeat("<a>", 70) + "Anna" + strings.Repeat("</a>", 70): exposure.IncompleteDepth,
	} {
		tree := wiretest.Read(t, text, xml.Read)
		if !slices.Contains(tree.Problems, reason) {
			t.Errorf("%.60q: problems %q, wanted %s", text, tree.Problems, reason)
		}
		if strings.Contains(text, "A") && !strings.Contains(tree.String(), "A") {
			t.Errorf("%.60q: what is there was not found", text)
		}
	}
	if tree := wiretest.Read(t, `<a>an<!-- x -->na@example.com</a>`, xml.Read); tree.Get("a") != "anna@example.com" {
		t.Error("a comment parts an address")
	}
}

func TestStrangeDocumentsAreReadInLinearTime(t *testing.T) {
	for name, unit := range map[string]string{
		"open": "<a>", "bracket": "<", "closed": "</a>", "comment": "<!--", "cdata": "<![CDATA[", "entity": "&", "instruction": "<?x ",
		"attribute": "<a b='", "element": "<a>x</a>", "type": "<!a[", "text": "x<!---->", "quotes": `<a b="c" b="c"`,
	} {
		for _, around := range [][2]string{{"", ""}, {"<r ", ""}, {"<r>", "</r>"}} {
			wiretest.Linear(t, name, xml.Read, func(n int) string { return around[0] + strings.Repeat(unit, n) + around[1] })
		}
	}
}

func FuzzXML(f *testing.F) {
	for i, s := range []string{
		order, "<a b='c'>d<e/>f<!--g--></a>", "<a><![CDATA[x]]>y&#10;</a>", "<?xml version='1.0'?><!--x--><a:b xmlns:a='u' a:c='&quot;'/>\n<?p q?>", "<a>\r\n x\ry </a>",
		"<!DOCTYPE a><a>&b;</a>", "<a><b></a></b>", "<a b=c d>",
	} {
		f.Add(s, ^uint64(0), i, "x<y>&'\"\n")
		f.Add(s, uint64(0x5555555555555555), i+3, "]]> ")
	}
	f.Fuzz(func(t *testing.T, text string, pick uint64, i int, value string) {
		if len(text) > 1<<12 || i < 0 {
			return
		}
		wiretest.Hold(t, text, xml.Read, pick)
		wiretest.HoldValue(t, text, xml.Read, i, value)
		againstGo(t, text)
	})
}

// Whatever is read without a problem, Go's own reader reads, with the same
// text and attributes.
func againstGo(t *testing.T, text string) {
	tree := wiretest.Read(t, text, xml.Read)
	if len(tree.Problems) > 0 || strings.Contains(text, "encoding") || strings.Contains(text, "version") {
		return
	}
	d := stdxml.NewDecoder(strings.NewReader(text))
	var theirs, ours []string
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%q: read without a problem, but Go says: %v", text, err)
		}
		switch x := token.(type) {
		case stdxml.StartElement:
			for _, a := range x.Attr {
				if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" && a.Value != "" {
					theirs = append(theirs, strings.Join(strings.Fields(a.Value), " "))
				}
			}
		case stdxml.CharData:
			theirs = append(theirs, string(x))
		}
	}
	for _, f := range tree.Leaves {
		if !strings.Contains(f.Path, "?") && !strings.Contains(f.Path, "#comment") {
			ours = append(ours, f.Value)
		}
	}
	squeeze := func(list []string) string { return strings.Join(strings.Fields(strings.Join(list, "")), "") }
	if a, b := squeeze(ours), squeeze(theirs); a != b && !strings.Contains(text, "xsi:") {
		t.Fatalf("%q says %q, Go reads %q", text, a, b)
	}
}

func BenchmarkOrders(b *testing.B) {
	one := order[strings.Index(order, "<order"):strings.Index(order, "</order>")] + "</order>"
	wiretest.Bench(b, "<orders>"+strings.Repeat(one, 500)+"</orders>", xml.Read)
}
