package gateway

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/ledger"
	"cordon/internal/token"
	"cordon/internal/vendor"
)

// nothing is a table without a row.
type nothing struct{ Table }

func (nothing) Resolve(exposure.VendorID, token.Key) (ledger.Resolved, bool, error) {
	return ledger.Resolved{}, false, nil
}

func wayWithout() *wayBack {
	g := &Gateway{o: Options{Tokens: token.New([32]byte{1}, "photos.example"), Table: nothing{}, Now: time.Now}}
	return &wayBack{g: g, v: &Vendor{spec: &vendor.Spec{ID: "acme"}}, ctx: context.Background(), route: "GET /x", app: "web"}
}

// What nobody can replace in is passed as it is, with everything its head says.
func TestAnswersThatAreNotRead(t *testing.T) {
	for _, c := range []struct {
		status int
		header http.Header
	}{
		{206, http.Header{"Content-Type": {"application/json"}}},
		{304, http.Header{"Content-Type": {"application/json"}}},
		{200, http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"gzip"}}},
		{200, http.Header{"Content-Type": {"image/png"}}},
		{200, http.Header{}},
	} {
		c.header["Etag"] = []string{"1"}
		body := io.NopCloser(strings.NewReader("x"))
		got, scanned := wayWithout().body(body, &http.Response{StatusCode: c.status, Header: c.header})
		if scanned || got != body || c.header.Get("Etag") != "1" {
			t.Errorf("%d %v was read", c.status, c.header)
		}
	}
	if got, scanned := (*wayBack)(nil).body(nil, nil); scanned || got != nil {
		t.Error("without a way back there is one")
	}
}

func BenchmarkWayBack(b *testing.B) {
	text := []byte(strings.Repeat(`{"id":"cus_NffrFeUfNV2Hib","email":"somebody@elsewhere.example","name":"Ada Lovelace","note":"lorem ipsum dolor sit amet","created":1680893993},`, 7000))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		r := &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}}
		body, _ := wayWithout().body(io.NopCloser(bytes.NewReader(text)), r)
		if n, err := io.Copy(io.Discard, struct{ io.Reader }{body}); n != int64(len(text)) || err != nil {
			b.Fatal(n, err)
		}
	}
}
