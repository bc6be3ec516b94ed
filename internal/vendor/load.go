package vendor

import "cordon/internal/strict"

// LoadDir reads every manifest of a folder, *.yaml, in the order of their
// names. Specs are complete only when there are no problems.
func LoadDir(dir string) ([]*Spec, []strict.Problem) { return nil, nil }

// Parse reads one manifest. File is named in problems only.
func Parse(file string, data []byte) (*Spec, []strict.Problem) { return nil, nil }

// Catalogue lists the embedded entries by name, with the problems of those
// that are broken, which a released build never has.
func Catalogue() ([]*CatalogueEntry, []strict.Problem) { return nil, nil }

// CatalogueSpec is a Spec of a catalogue entry alone, as its examples run it.
func CatalogueSpec(e *CatalogueEntry, minimize map[string]Action) (*Spec, []strict.Problem) {
	return nil, nil
}

// Add writes a commented manifest for a vendor of the catalogue into dir and
// returns the file's path.
func Add(dir, name, catalogueEntry string) (string, error) { return "", nil }
