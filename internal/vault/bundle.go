package vault

import (
	"encoding/json"
	"fmt"
	"regexp"
)

// bundle is a whole keys folder in one piece: content by file name. It is what
// providers keep and backups hold, as JSON:
//
//	{"format":"cordon-keys-v1","files":{"identity.key":"<base64>", …}}
type bundle map[string][]byte

const bundleFormat = "cordon-keys-v1"

// maxBundle bounds what a provider may return.
const maxBundle = 16 << 20

// fileName is one plain component: a bundle cannot write outside its folder,
// and hidden files are not part of it.
var fileName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)

type bundleJSON struct {
	Format string `json:"format"`
	Files  bundle `json:"files"`
}

func (b bundle) encode() []byte {
	out, err := json.Marshal(bundleJSON{bundleFormat, b})
	if err != nil {
		panic("vault: " + err.Error()) // strings and bytes always encode
	}
	return out
}

func decodeBundle(data []byte) (bundle, error) {
	var j bundleJSON
	if err := json.Unmarshal(data, &j); err != nil || j.Format != bundleFormat {
		return nil, fmt.Errorf("it does not hold a bundle of keys (%s)", bundleFormat)
	}
	for name := range j.Files {
		if !fileName.MatchString(name) {
			return nil, fmt.Errorf("it holds a file with an impossible name %q", name)
		}
	}
	if j.Files == nil {
		j.Files = bundle{}
	}
	return j.Files, nil
}
