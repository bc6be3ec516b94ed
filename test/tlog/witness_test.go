package tlog

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/torchwood"
	f_note "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"github.com/transparency-dev/witness/persistence/inmemory"
	"github.com/transparency-dev/witness/witness"
	"golang.org/x/mod/sumdb/note"
)

// newWitness makes a witness's folder and returns it with its key.
func newWitness(t *testing.T) (dir, vkey string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "w")
	return dir, strings.TrimSpace(run(t, t.TempDir(), "witness", "init", "--name", "witness.example/w1", "--state", dir))
}

// cosignatureOf checks with software that others wrote that a checkpoint is
// cosigned by the key, and gives the time.
func cosignatureOf(t *testing.T, checkpoint, vkey string) time.Time {
	t.Helper()
	v, err := f_note.NewVerifierForCosignatureV1(vkey)
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open([]byte(checkpoint), note.VerifierList(v))
	if err != nil {
		t.Fatal(err)
	}
	seconds, err := torchwood.CosignatureTimestamp(n.Sigs[0])
	if err != nil {
		t.Fatal(err)
	}
	return time.Unix(seconds, 0)
}

// TestOurWitnessCosignsForTessera: a Tessera log, with Tessera's own client of
// witnesses, publishes only what our witness cosigned.
func TestOurWitnessCosignsForTessera(t *testing.T) {
	dir, wkey := newWitness(t)
	const name = "tessera.example/log"
	skey, vkey, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	run(t, t.TempDir(), "witness", "add-log", "--state", dir, name, vkey)
	address, err := url.Parse("http://" + start(t, t.TempDir(), "witness", "serve", "--state", dir, "--listen", "127.0.0.1:0")["witness"])
	if err != nil {
		t.Fatal(err)
	}
	w, err := tessera.NewWitness(wkey, address)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	driver, err := posix.New(ctx, posix.Config{Path: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	appender, shutdown, reader, err := tessera.NewAppender(ctx, driver, tessera.NewAppendOptions().
		WithCheckpointSigner(signer).WithBatching(1, 10*time.Millisecond).WithCheckpointInterval(time.Second).
		WithWitnesses(tessera.NewWitnessGroup(1, w), &tessera.WitnessOptions{Timeout: 5 * time.Second}))
	if err != nil {
		t.Fatal(err)
	}
	await := tessera.NewPublicationAwaiter(ctx, reader.ReadCheckpoint, 100*time.Millisecond)
	for i := range 6 { // several heads, so that consistency proofs are asked for
		if _, _, err := await.Await(ctx, appender.Add(ctx, tessera.NewEntry(fmt.Appendf(nil, "entry %d", i)))); err != nil {
			t.Fatal(err)
		}
	}
	published, err := reader.ReadCheckpoint(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if at := cosignatureOf(t, string(published), wkey); time.Since(at) > time.Minute {
		t.Errorf("cosigned at %v", at)
	}
	var shown struct {
		Logs []struct {
			Origin string
			Size   uint64
		}
	}
	if err := json.Unmarshal([]byte(run(t, t.TempDir(), "witness", "show", "--state", dir, "--json")), &shown); err != nil {
		t.Fatal(err)
	}
	if len(shown.Logs) != 1 || shown.Logs[0].Size != 6 {
		t.Errorf("the witness shows %+v", shown)
	}
	if err := shutdown(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

type status struct {
	Witness struct {
		Name    string
		Size    uint64
		At      time.Time
		Late    bool
		Problem string
	}
}

func (g *gateway) status(t *testing.T) (s status) {
	t.Helper()
	if err := json.Unmarshal([]byte(run(t, g.dir, "status", "--json")), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestForeignWitnessCosignsForUs: the witness of transparency-dev, as used in
// the public witness network, takes our gateway's requests.
func TestForeignWitnessCosignsForUs(t *testing.T) {
	skey, vkey, err := note.GenerateKey(rand.Reader, "foreign.example/w")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := f_note.NewSignerForCosignatureV1(skey)
	if err != nil {
		t.Fatal(err)
	}
	var logKey string
	w, err := witness.New(t.Context(), witness.Opts{
		Persistence: inmemory.New(), Signers: []note.Signer{signer},
		VerifierForLog: func(_ context.Context, o string) (note.Verifier, bool, error) {
			if o != origin || logKey == "" {
				return nil, false, nil
			}
			v, err := note.NewVerifier(logKey)
			return v, err == nil, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", witness.NewHTTPHandler(w).AddCheckpoint)
	server := httptest.NewServer(mux)
	defer server.Close()
	cosignerKey, err := f_note.VKeyToCosignatureV1(vkey)
	if err != nil {
		t.Fatal(err)
	}
	g := newGateway(t, fmt.Sprintf("witness: {url: %q, key: %q}\n", server.URL, cosignerKey))
	g.makeKeys(t)
	logKey = g.vkey // read by the server only once the gateway runs again
	g.start(t)
	size := uint64(0)
	for range 3 {
		g.send(t, 30)
		eventually(t, "the foreign witness cosigned a longer head", func() bool { return g.status(t).Witness.Size > size })
		size = g.status(t).Witness.Size
	}
	s := g.status(t).Witness
	if s.Late || s.Problem != "" || s.Name != "foreign.example/w" {
		t.Errorf("status %+v", s)
	}
	if at := cosignatureOf(t, g.checkpoint(t), cosignerKey); time.Since(at) > time.Minute {
		t.Errorf("the published head was cosigned at %v", at)
	}
}
