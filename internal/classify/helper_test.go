package classify

import (
	"testing"

	"cordon/internal/vendor"
)

// spec compiles a manifest of these mappings, as YAML.
func spec(t testing.TB, mapping string) *vendor.Spec {
	t.Helper()
	s, problems := vendor.Parse("acme.yaml", []byte("vendor: acme\nupstream: https://api.acme.example\nmapping:\n"+mapping))
	for _, p := range problems {
		t.Fatalf("manifest: %+v", p)
	}
	return s
}

func classifier(t testing.TB, s *vendor.Spec) *Classifier {
	t.Helper()
	c, err := Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
