package vendor

import "cordon/internal/strict"

// Schema is the JSON Schema of a manifest.
func Schema() []byte {
	return strict.Schema("Cordon vendor manifest", "vendors/VENDOR.yaml: one third party.", Manifest{}, Kinds)
}

// CatalogueSchema is the JSON Schema of a catalogue entry.
func CatalogueSchema() []byte {
	return strict.Schema("Cordon catalogue entry", "internal/vendor/catalogue/VENDOR.yaml: what is known about one vendor's API.", CatalogueEntry{}, Kinds)
}
