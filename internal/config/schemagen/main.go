// Schemagen writes the JSON Schemas of Cordon's files into a folder; it is run
// by go generate.
package main

import (
	"log"
	"os"
	"path/filepath"

	"cordon/internal/config"
	"cordon/internal/vendor"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: schemagen FOLDER")
	}
	if err := os.MkdirAll(os.Args[1], 0o755); err != nil {
		log.Fatal(err)
	}
	for name, schema := range map[string][]byte{
		"cordon.schema.json": config.Schema(), "vendor.schema.json": vendor.Schema(), "catalogue.schema.json": vendor.CatalogueSchema(),
	} {
		if err := os.WriteFile(filepath.Join(os.Args[1], name), schema, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}
